//go:build chart

package chart

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// valuePaths are the whole names of the values, with their defaults.
func valuePaths(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(dir + "/files/defaults.yaml")
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, yaml.UnmarshalStrict(text, &out))
	require.Greater(t, len(out), 100)
	return out
}

// Every value is one that a template looks at.
func TestEveryValueIsUsed(t *testing.T) {
	t.Parallel()
	var templates strings.Builder
	require.NoError(t, filepath.WalkDir(dir+"/templates", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		// Messages name values too.
		templates.Write(regexp.MustCompile(`"[^"\n]*"`).ReplaceAll(text, []byte(`""`)))
		return err
	}))
	for path := range valuePaths(t) {
		parts := strings.Split(path, ".")
		last := regexp.MustCompile(`\.` + regexp.QuoteMeta(parts[len(parts)-1]) + `\b`)
		require.Regexp(t, last, templates.String(), "no template has %s", path)
	}
}

// The schema knows every value, and no other.
func TestSchemaKnowsEveryValue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(dir + "/values.schema.json")
	require.NoError(t, err)
	type node struct {
		Properties           map[string]json.RawMessage `json:"properties"`
		AdditionalProperties any                        `json:"additionalProperties"`
	}
	values := valuePaths(t)
	isPrefix := func(path string) bool {
		for value := range values {
			if strings.HasPrefix(value, path+".") {
				return true
			}
		}
		return false
	}
	var found []string
	var walk func(prefix string, raw []byte)
	walk = func(prefix string, raw []byte) {
		var n node
		require.NoError(t, json.Unmarshal(raw, &n))
		require.Equal(t, false, n.AdditionalProperties, "what is misspelt in %q has to be refused", prefix)
		for key, child := range n.Properties {
			switch path := strings.TrimPrefix(prefix+"."+key, "."); {
			case path == "global": // helm's own
			case isPrefix(path):
				walk(path, child)
			default:
				found = append(found, path)
			}
		}
	}
	walk("", text)
	for _, path := range found {
		require.Contains(t, values, path)
	}
	for path := range values {
		require.True(t, slices.Contains(found, path), "the schema does not know %s", path)
	}
}

// All files of the chart that the provider reads come to it, and a change of one gives new pods. Credentials are read again by themselves.
func TestFilesHaveSums(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct{ values, set string }{
		"load": {"load", "load.config.defaults.load-target=70"}, "prices": {"load", "prices.config.default.perGiB=1"},
		"prometheus": {"load", "load.prometheus.config.basic_auth.password=new"},
		"ca":         {"application-credential", "openstack.caBundle=-----BEGIN CERTIFICATE-----"},
	} {
		sum := regexp.MustCompile(`checksum/` + name + `: [0-9a-f]{64}`)
		old := sum.FindString(render(t, "-f", valuesFile(change.values)))
		require.NotEmpty(t, old, name)
		require.NotEqual(t, old, sum.FindString(render(t, "-f", valuesFile(change.values), "--set", change.set)), name)
	}
}

// Proxies and the cloud's authority are told to every container, the descheduler's too.
func TestEveryContainerKnowsProxyAndAuthority(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"external", "embedded"} {
		out := render(t, "-f", valuesFile("application-credential"), "--set", "descheduler.enabled=true,mode="+mode)
		containers := 0
		for _, deployment := range deployments(t, out) {
			for _, container := range deployment.Spec.Template.Spec.Containers {
				containers++
				environment := map[string]string{}
				for _, variable := range container.Env {
					environment[variable.Name] = variable.Value
				}
				require.Equal(t, "http://proxy.example.org:3128", environment["HTTPS_PROXY"], container.Name)
				require.Contains(t, environment["NO_PROXY"], "$(KUBERNETES_SERVICE_HOST),.example.org", container.Name)
				require.Equal(t, "/etc/ssl/certs:/etc/openstack-ca", environment["SSL_CERT_DIR"], container.Name)
				mounted := false
				for _, mount := range container.VolumeMounts {
					mounted = mounted || mount.Name == "ca" && mount.MountPath == "/etc/openstack-ca"
				}
				require.True(t, mounted, container.Name)
			}
		}
		require.Equal(t, map[string]int{"external": 3, "embedded": 2}[mode], containers)
	}
}
