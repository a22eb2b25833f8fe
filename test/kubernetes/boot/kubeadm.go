package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// joinConfiguration is the part of kubeadm's JoinConfiguration (kubeadm.k8s.io/v1beta4) that node templates use. A field that is not
// here is an error, as it is to kubeadm if it does not know it.
type joinConfiguration struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Discovery  struct {
		File struct {
			KubeConfigPath string `json:"kubeConfigPath"`
		} `json:"file"`
	} `json:"discovery"`
	NodeRegistration struct {
		KubeletExtraArgs []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"kubeletExtraArgs"`
	} `json:"nodeRegistration"`
	Patches struct {
		Directory string `json:"directory"`
	} `json:"patches"`
}

// kubeadmJoin finds the command and its configuration, in a shell's line or by itself.
var kubeadmJoin = regexp.MustCompile(`kubeadm join --config[ =](\S+)`)

// joinConfigurationPath is the file that runcmd has kubeadm join with, empty if it does not run kubeadm.
func (c *CloudConfig) joinConfigurationPath() string {
	for _, command := range c.RunCmd {
		line := fmt.Sprint(command)
		if words, ok := command.([]any); ok {
			line = strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(words), "["), "]")
		}
		if found := kubeadmJoin.FindStringSubmatch(line); found != nil {
			return found[1]
		}
	}
	return ""
}

// join does what kubeadm join does to the files below root before it starts the kubelet: the bootstrap kubeconfig from the discovery
// file, the kubelet's configuration, of which only the patch is known here, and its command line.
func (c *CloudConfig) join(root string) error {
	path := c.joinConfigurationPath()
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return fmt.Errorf("kubeadm join: %w", err)
	}
	var config joinConfiguration
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		return fmt.Errorf("kubeadm join: %s: %w", path, err)
	}
	if config.APIVersion != "kubeadm.k8s.io/v1beta4" || config.Kind != "JoinConfiguration" {
		return fmt.Errorf("kubeadm join: %s holds %s %s", path, config.APIVersion, config.Kind)
	}
	// kubeadm's checks before it begins (FileAvailable).
	for _, taken := range []string{BootstrapKubeconfigPath, kubeconfigPath, "/etc/kubernetes/pki/ca.crt"} {
		if _, err := os.Stat(filepath.Join(root, taken)); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("kubeadm join: %s already exists", taken)
		}
	}
	discovery, err := os.ReadFile(filepath.Join(root, config.Discovery.File.KubeConfigPath))
	if err != nil {
		return fmt.Errorf("kubeadm join: discovery: %w", err)
	}
	settings := "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
	if config.Patches.Directory != "" {
		patch, err := os.ReadFile(filepath.Join(root, config.Patches.Directory, "kubeletconfiguration+merge.yaml"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("kubeadm join: %w", err)
		}
		settings += string(patch)
	}
	arguments := make([]string, 0, len(config.NodeRegistration.KubeletExtraArgs))
	for _, argument := range config.NodeRegistration.KubeletExtraArgs {
		arguments = append(arguments, "--"+argument.Name+"="+argument.Value)
	}
	for _, file := range []writeFile{
		{Path: BootstrapKubeconfigPath, Content: string(discovery), Permissions: "0600"},
		{Path: kubeletConfigPath, Content: settings},
		{Path: kubeadmFlagsPath, Content: fmt.Sprintf("KUBELET_KUBEADM_ARGS=%q\n", strings.Join(arguments, " "))},
	} {
		if err := file.writeTo(root); err != nil {
			return fmt.Errorf("kubeadm join: %s: %w", file.Path, err)
		}
	}
	return nil
}
