package templates_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/yaml"

	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const folder = "../../deploy/heat/"

// read is a file of deploy/heat.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(folder + name)
	require.NoError(t, err)
	return string(text)
}

// params are a stack's parameters.
type params map[string]any

// with is p with some parameters changed.
func (p params) with(more params) params {
	all := maps.Clone(p)
	maps.Copy(all, more)
	return all
}

// machine is what every node group has to say of its nodes; joining is what a node needs to join.
var (
	machine = params{"flavor": "m1.small", "image": "node-image", "network": "nodes"}
	joining = params{
		"api_server": "https://10.0.0.10:6443", "cluster_ca": "Y2EK", "bootstrap_token": "abcdef.0123456789abcdef",
	}
)

// cloud is a simulated cloud whose time runs only while settle waits.
type cloud struct {
	*simulator.Simulator
	t     *testing.T
	clock *clocktesting.FakeClock
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))
	c := &cloud{simulator.New(simulator.Options{Clock: clock}), t, clock}
	t.Cleanup(c.Close)
	return c
}

// try makes a stack from a template of deploy/heat.
func (c *cloud) try(template string, p params) (string, error) {
	c.t.Helper()
	files := map[string]string{"node-with-port.yaml": read(c.t, "node-with-port.yaml")}
	return c.CreateStack("demo", simulator.StackSpec{Name: "workers", Template: read(c.t, template), Files: files, Parameters: p})
}

// launch makes a stack that has to become complete.
func (c *cloud) launch(template string, p params) string {
	c.t.Helper()
	id, err := c.try(template, p)
	require.NoError(c.t, err)
	c.settle("CREATE_COMPLETE", id)
	return id
}

// patch changes parameters, which has to succeed.
func (c *cloud) patch(id string, p params) {
	c.t.Helper()
	require.NoError(c.t, c.PatchStack(id, p))
	c.settle("UPDATE_COMPLETE", id)
}

func (c *cloud) settle(status, id string) {
	c.t.Helper()
	for !c.Settled() {
		next, ok := c.NextEvent()
		require.True(c.t, ok, "something is under way and nothing will happen")
		c.clock.Step(max(next, time.Millisecond))
	}
	stack, ok := c.Stack(id)
	require.True(c.t, ok)
	require.Equal(c.t, status, stack.Status, stack.Reason)
}

// node is the only server of the cloud.
func (c *cloud) node() simulator.Server {
	c.t.Helper()
	servers := c.Servers()
	require.Len(c.t, servers, 1)
	return servers[0]
}

// cloudConfig is what cloud-init reads of a node's user_data.
type cloudConfig struct {
	WriteFiles []struct {
		Path        string `json:"path"`
		Content     string `json:"content"`
		Encoding    string `json:"encoding"`
		Permissions string `json:"permissions"`
	} `json:"write_files"`
	RunCmd [][]string `json:"runcmd"`
	// Packages and the rest are not used.
}

// maxUserData is what Nova takes: 65535 bytes in base64 (nova/api/openstack/compute/schemas/servers.py, user_data).
const maxUserData = 65535 / 4 * 3

// bootsWith reads user_data as cloud-init does.
func bootsWith(t *testing.T, userData string) cloudConfig {
	t.Helper()
	require.Less(t, len(userData), maxUserData, "Nova refuses user_data of this size")
	header := "## template: jinja\n#cloud-config\n"
	require.True(t, strings.HasPrefix(userData, header), "user_data begins with %.60q", userData)
	var config cloudConfig
	require.NoError(t, yaml.UnmarshalStrict([]byte(strings.TrimPrefix(userData, header)), &config))
	return config
}

// file is the content of a file that the node gets; the test fails without.
func (c cloudConfig) file(t *testing.T, path string) string {
	t.Helper()
	found := ""
	for _, f := range c.WriteFiles {
		if f.Path == path {
			require.Empty(t, found, "%s is written twice", path)
			found = f.Content
		}
	}
	require.NotEmpty(t, found, "no %s in %v", path, c.paths())
	return found
}

func (c cloudConfig) paths() []string {
	paths := make([]string, 0, len(c.WriteFiles))
	for _, f := range c.WriteFiles {
		paths = append(paths, f.Path)
	}
	return paths
}

// commands are the lines that cloud-init runs in the end.
func (c cloudConfig) commands() []string {
	lines := make([]string, 0, len(c.RunCmd))
	for _, words := range c.RunCmd {
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

// parse reads YAML of a file on the node into maps.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &out), text)
	return out
}

// at follows keys and indices into parsed YAML, and says what is there as text.
func at(v any, path ...any) string {
	for _, step := range path {
		switch c := v.(type) {
		case map[string]any:
			v = c[fmt.Sprint(step)]
		case []any:
			i, ok := step.(int)
			if !ok || i >= len(c) {
				return "nothing"
			}
			v = c[i]
		default:
			return "nothing"
		}
	}
	return fmt.Sprint(v)
}
