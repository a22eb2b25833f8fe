//go:build lab

package murano_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/murano/catalog"
)

// What docs/how-to/murano.md warns of: the same template as a package of Murano's format for Heat templates loses nodes. If this
// fails, Murano or Heat have become better than their reputation, and the warning can go.
func TestPlainHeatPackageLosesNodes(t *testing.T) {
	t.Parallel()
	m := open(t)
	template, err := catalog.ReadTemplate(repository + "/deploy/heat/nodegroup.yaml")
	require.NoError(t, err)
	const class = "com.example.PlainNodeGroup"
	manifest, err := yaml.Marshal(map[string]any{
		"Format": "Heat.HOT/1.0", "Type": "Application", "FullName": class, "Version": "1.0.0", "Name": "Plain node group",
	})
	require.NoError(t, err)
	text, _, _ := strings.Cut(string(template.Text), "\noutputs:") // only strings are allowed as outputs
	archive, err := catalog.Zip(map[string][]byte{"manifest.yaml": manifest, "template.yaml": []byte(text + "\n")})
	require.NoError(t, err)
	m.importPackage(archive)

	parameters := map[string]any{}
	for name, parameter := range template.Parameters {
		switch parameter.Type { // the contracts of this format reject what is not given
		case "json":
			parameters[name] = "{}"
		case "comma_delimited_list":
			parameters[name] = ""
		default:
			parameters[name] = parameter.Default
		}
	}
	maps.Copy(parameters, nodeGroup.given)
	maps.Copy(parameters, nodeGroup.filled)
	parameters["node_count"], parameters["bootstrap_token"] = 1, "abcdef.0123456789abcdef"
	e := m.newEnvironment("plain", newApplication(class, "workers", parameters, nil))
	require.Equal(t, "ready", e.deploy(nil), e.reasons())
	workers := m.theStack(e.id)
	m.patch(workers, map[string]any{"node_count": 2})
	require.Len(t, m.servers(workers), 2)

	require.Equal(t, "ready", e.deploy(nil), e.reasons())
	assert.Len(t, m.servers(workers), 1, "a node was removed that nobody had named")
	assert.Equal(t, "1", m.parameters(workers)["node_count"])
	e.delete()
	assert.Empty(t, m.stacks(""))
}
