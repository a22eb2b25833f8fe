package boot

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The files that the kubelet package's service unit (10-kubeadm.conf) reads.
const (
	BootstrapKubeconfigPath = "/etc/kubernetes/bootstrap-kubelet.conf"
	kubeconfigPath          = "/etc/kubernetes/kubelet.conf"
	kubeletConfigPath       = "/var/lib/kubelet/config.yaml"
	kubeadmFlagsPath        = "/var/lib/kubelet/kubeadm-flags.env"
	extraArgsDebianPath     = "/etc/default/kubelet"
	extraArgsRedHatPath     = "/etc/sysconfig/kubelet"
)

// KubeletArguments is the command line that the service unit would start the kubelet with. Paths in it are the
// machine's own, not yet below root.
func KubeletArguments(root string) ([]string, error) {
	arguments := []string{"--bootstrap-kubeconfig=" + BootstrapKubeconfigPath, "--kubeconfig=" + kubeconfigPath}
	if _, err := os.Stat(filepath.Join(root, kubeletConfigPath)); err == nil {
		arguments = append(arguments, "--config="+kubeletConfigPath)
	}
	// The unit names the variables in this order: later flags win.
	for _, source := range []struct{ path, variable string }{
		{kubeadmFlagsPath, "KUBELET_KUBEADM_ARGS"},
		{extraArgsDebianPath, "KUBELET_EXTRA_ARGS"},
		{extraArgsRedHatPath, "KUBELET_EXTRA_ARGS"},
	} {
		values, err := readEnvironment(filepath.Join(root, source.path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, strings.Fields(values[source.variable])...)
	}
	return arguments, nil
}

// readEnvironment reads a systemd EnvironmentFile: NAME=value lines, comments and blank lines, optional quotes round
// the value, lines continued with a backslash.
func readEnvironment(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	values := map[string]string{}
	scanner := bufio.NewScanner(file)
	pending := ""
	for scanner.Scan() {
		line := pending + scanner.Text()
		if cut, continued := strings.CutSuffix(line, `\`); continued {
			pending = cut
			continue
		}
		pending = ""
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%s: %q is not NAME=value", path, line)
		}
		values[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"'`)
	}
	return values, scanner.Err()
}
