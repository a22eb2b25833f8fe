package boot

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Instance is what the cloud's metadata service tells a machine about itself.
type Instance struct {
	// ID is the server's UUID.
	ID string
	// Hostname is the server's name as Nova makes it a host name.
	Hostname string
	// Zone and Region say where the server is; empty where the cloud does not tell.
	Zone, Region string
}

// CloudConfig is the part of cloud-init's configuration that node templates use. What is not here is left out on purpose:
// a template that needs it should fail a test rather than be half obeyed.
type CloudConfig struct {
	WriteFiles []writeFile `json:"write_files"`
	// RunCmd is not run, but for kubeadm join. It is read to see whether the kubelet is started at all.
	RunCmd []any `json:"runcmd"`
}

type writeFile struct {
	Path        string `json:"path"`
	Content     string `json:"content"`
	Encoding    string `json:"encoding"`
	Permissions string `json:"permissions"`
	Append      bool   `json:"append"`
}

const (
	jinjaHeader       = "## template: jinja"
	cloudConfigHeader = "#cloud-config"
)

// ErrNotCloudConfig says that the user_data is nothing a node can boot from.
var ErrNotCloudConfig = errors.New("user_data is not a cloud-config")

// ParseUserData reads user_data as cloud-init does: an optional first line that makes it a jinja template, then the
// header line of a cloud-config.
func ParseUserData(userData []byte, instance Instance) (*CloudConfig, error) {
	text := string(userData)
	if header, rest, _ := strings.Cut(text, "\n"); strings.TrimSpace(header) == jinjaHeader {
		var err error
		if text, err = fillIn(rest, instance); err != nil {
			return nil, err
		}
	}
	if header, _, _ := strings.Cut(text, "\n"); strings.TrimSpace(header) != cloudConfigHeader {
		return nil, fmt.Errorf("%w: its first line is %q", ErrNotCloudConfig, header)
	}
	config := &CloudConfig{}
	if err := yaml.Unmarshal([]byte(text), config); err != nil {
		return nil, fmt.Errorf("user_data: %w", err)
	}
	return config, nil
}

var jinjaVariable = regexp.MustCompile(`\{\{\s*([\w.]+)\s*\}\}`)

// fillIn replaces cloud-init's standard variables (https://cloudinit.readthedocs.io: instance metadata, "v1"). A variable
// that is not known is an error: cloud-init would leave a marker in the file, and the node would not come up.
func fillIn(template string, instance Instance) (string, error) {
	values := map[string]string{
		"v1.instance_id":       instance.ID,
		"v1.local_hostname":    instance.Hostname,
		"v1.availability_zone": instance.Zone,
		"v1.region":            instance.Region,
	}
	var unknown []error
	filled := jinjaVariable.ReplaceAllStringFunc(template, func(match string) string {
		name := jinjaVariable.FindStringSubmatch(match)[1]
		value, known := values[name]
		if !known {
			unknown = append(unknown, fmt.Errorf("user_data: unknown variable %q", name))
		}
		return value
	})
	return filled, errors.Join(unknown...)
}

// StartsKubelet says whether a runcmd line starts or enables the kubelet's service, or has kubeadm do it.
func (c *CloudConfig) StartsKubelet() bool {
	if c.joinConfigurationPath() != "" {
		return true
	}
	for _, command := range c.RunCmd {
		line := fmt.Sprint(command)
		if strings.Contains(line, "systemctl") && strings.Contains(line, "kubelet") {
			return true
		}
	}
	return false
}

// WriteTo writes the files below root, which stands for the machine's "/", and then does what kubeadm join would do there if the
// machine is to run it.
func (c *CloudConfig) WriteTo(root string) error {
	for _, file := range c.WriteFiles {
		if err := file.writeTo(root); err != nil {
			return fmt.Errorf("write_files %q: %w", file.Path, err)
		}
	}
	return c.join(root)
}

func (f writeFile) writeTo(root string) error {
	if !filepath.IsAbs(f.Path) {
		return errors.New("the path is not absolute")
	}
	content := []byte(f.Content)
	switch f.Encoding {
	case "", "text/plain":
	case "b64", "base64":
		var err error
		if content, err = base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(content), nil))); err != nil {
			return err
		}
	default:
		return fmt.Errorf("encoding %q is not known here", f.Encoding)
	}
	mode := uint64(0o644)
	if f.Permissions != "" {
		var err error
		if mode, err = strconv.ParseUint(f.Permissions, 8, 32); err != nil {
			return fmt.Errorf("permissions: %w", err)
		}
	}
	path := filepath.Join(root, f.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if f.Append {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	out, err := os.OpenFile(path, flags, os.FileMode(mode)&os.ModePerm)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	return errors.Join(err, out.Close())
}
