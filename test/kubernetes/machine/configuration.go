package machine

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/eviction"
	"k8s.io/kubernetes/pkg/kubelet/kubeletconfig/configfiles"
	utilfs "k8s.io/kubernetes/pkg/util/filesystem"
)

// configuration reads the kubelet's command line and its configuration file with the kubelet's own parsers and rules:
// a flag wins over the file. Paths come back below root.
func configuration(arguments []string, root string) (*options.KubeletServer, error) {
	server, err := parseFlags(arguments, nil)
	if err != nil {
		return nil, err
	}
	if server.KubeletConfigFile != "" {
		loader, err := configfiles.NewFsLoader(&utilfs.DefaultFs{}, filepath.Join(root, server.KubeletConfigFile))
		if err != nil {
			return nil, err
		}
		fromFile, err := loader.Load()
		if err != nil {
			return nil, err
		}
		// The kubelet's command does this after loading, outside of the loader.
		if fromFile.EvictionHard == nil {
			fromFile.EvictionHard = maps.Clone(eviction.DefaultEvictionHard)
		}
		// Parsed again on top of the file, as the kubelet does it.
		if server, err = parseFlags(arguments, fromFile); err != nil {
			return nil, err
		}
	}
	server.BootstrapKubeconfig = filepath.Join(root, server.BootstrapKubeconfig)
	server.KubeConfig = filepath.Join(root, server.KubeConfig)
	return server, options.ValidateKubeletFlags(&server.KubeletFlags)
}

// parseFlags parses the command line on top of config, or of the kubelet's defaults if it is nil.
func parseFlags(arguments []string, config *kubeletconfig.KubeletConfiguration) (*options.KubeletServer, error) {
	if config == nil {
		var err error
		if config, err = options.NewKubeletConfiguration(); err != nil {
			return nil, err
		}
	}
	flags := options.NewKubeletFlags()
	set := pflag.NewFlagSet("kubelet", pflag.ContinueOnError)
	set.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	flags.AddFlags(set)
	options.AddKubeletConfigFlags(set, config)
	if err := set.Parse(arguments); err != nil {
		return nil, fmt.Errorf("kubelet %s: %w", strings.Join(arguments, " "), err)
	}
	if rest := set.Args(); len(rest) > 0 {
		return nil, fmt.Errorf("kubelet: unknown arguments %q", rest)
	}
	return &options.KubeletServer{KubeletFlags: *flags, KubeletConfiguration: *config}, nil
}

// resources parses a reservation such as {"cpu": "100m", "memory": "256Mi"}.
func resources(texts map[string]string) (v1.ResourceList, error) {
	list := v1.ResourceList{}
	for name, text := range texts {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("reserved %s=%q: %w", name, text, err)
		}
		list[v1.ResourceName(name)] = quantity
	}
	return list, nil
}
