// Package murano_test deploys the packages of deploy/murano with a real Murano, see test/lab: imports them, deploys, scales as
// the autoscaler does, deploys again.
package murano_test

import (
	"context"
	"flag"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/murano/catalog"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
)

var labFlag = flag.String("lab", "", "state folder of a lab that LAB_WITH=murano test/lab/up has brought up")

const (
	// patience is how long a deployment or an update may take; twenty seconds on an idle machine.
	patience = 4 * time.Minute
	// repository is its root, from here.
	repository = "../.."
)

// open signs in to a project of its own in the lab; at the end of the test nothing may be left in it.
func open(t *testing.T) *murano {
	t.Helper()
	if *labFlag == "" {
		t.Skip("needs a real Murano: test/lab/run murano")
	}
	// What is cleaned up at the end of a test must not be cut short by the end of its context. Every wait has its own limit.
	ctx := context.WithoutCancel(t.Context())
	cloud, err := lab.Open(*labFlag)
	require.NoError(t, err)
	project := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	who, err := cloud.NewProject(ctx, project)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, cloud.RemoveProject(ctx, project)) })
	client, err := api.Login(ctx, cloud.AuthURL(), who)
	require.NoError(t, err)
	require.NotEmpty(t, client.Endpoint(applicationCatalog), "the lab has no Murano: LAB_WITH=murano test/lab/up")
	return &murano{t: t, ctx: ctx, Client: client}
}

// kind is a package and how it is used here.
type kind struct {
	// name is that of its folder and of its template.
	name, class string
	// given is what a user fills in, without which nothing works; hidden is the part of it that nobody may see.
	given, hidden map[string]any
	// filled is what the autoscaler adds for new nodes, besides the token.
	filled map[string]any
}

var nodeGroup = kind{
	name: "nodegroup", class: "io.github.cluster_autoscaler_openstack.NodeGroup",
	given: map[string]any{
		"flavor": "m1.tiny", "image": "node-image", "network": "nodes",
		"node_group_annotations": `{"node-group-min-size": "0", "node-group-max-size": "10"}`,
	},
	hidden: map[string]any{},
	filled: map[string]any{"api_server": "https://10.0.0.10:6443", "cluster_ca": "Y2VydGlmaWNhdGU="},
}

var cluster = kind{
	name: "cluster", class: "io.github.cluster_autoscaler_openstack.Cluster",
	given: map[string]any{
		"auth_url": "https://keystone.example.com:5000/v3", "autoscaler_image": "registry.example.com/autoscaler:1",
		"external_network": "public", "control_plane_flavor": "m1.medium", "control_plane_image": "node-image",
		"flavor": "m1.tiny", "image": "node-image",
	},
	hidden: map[string]any{
		"password_application_credential_id":     "0123456789abcdef0123456789abcdef",
		"password_application_credential_secret": "application-cr3dential",
	},
	filled: map[string]any{"cluster_ca": "Y2VydGlmaWNhdGU="},
}

// importKind imports a package as it is shipped, and looks at what the catalog makes of it.
func (m *murano) importKind(k kind) {
	m.t.Helper()
	files, err := catalog.Build(catalog.Source{
		Folder: repository + "/deploy/murano/" + k.name, Template: repository + "/deploy/heat/" + k.name + ".yaml",
	})
	require.NoError(m.t, err)
	archive, err := catalog.Zip(files)
	require.NoError(m.t, err)
	id := m.importPackage(archive)
	assert.Equal(m.t, archive, m.send(http.MethodGet, "/catalog/packages/"+id+"/download", "", "", nil))
	assert.Equal(m.t, files["logo.png"], m.send(http.MethodGet, "/catalog/packages/"+id+"/logo", "", "", nil))
	assert.Contains(m.t, string(m.send(http.MethodGet, "/catalog/packages/"+id+"/ui", "", "", nil)), "hiddenParameters")
}

// TestNodeGroup deploys deploy/murano/nodegroup. Its parts share one import: Murano's engine may wait for ever for itself when two
// projects have packages of one name and it works for both.
func TestNodeGroup(t *testing.T) {
	t.Parallel()
	m := open(t)
	m.importKind(nodeGroup)
	t.Run("leaves other stacks alone", func(t *testing.T) { leavesOthersAlone(m.in(t)) })
	t.Run("keeps its size", func(t *testing.T) { keepsItsSize(m.in(t), nodeGroup) })
}

// TestCluster deploys deploy/murano/cluster.
func TestCluster(t *testing.T) {
	t.Parallel()
	m := open(t)
	m.importKind(cluster)
	keepsItsSize(m, cluster)
}

// keepsItsSize: the package's stack keeps the size that the autoscaler has given it, whatever is deployed again.
func keepsItsSize(m *murano, k kind) {
	t := m.t
	mistaken := newApplication(k.class, "workers", k.given, k.hidden)
	mistaken.parameters()["flavor"] = "m1.none"
	e := m.newEnvironment("cluster", mistaken)
	require.Equal(t, "deploy failure", e.deploy(nil))
	require.Contains(t, e.reasons(), "m1.none")
	require.Equal(t, "ready", e.deploy(func(app application) { app.parameters()["flavor"] = "m1.tiny" }), e.reasons())
	workers := m.theStack("workers")
	require.Equal(t, "CREATE_COMPLETE", workers.Status)
	require.Empty(t, m.servers(workers))
	outputs, ok := e.applications()[0]["templateOutputs"].(map[string]any)
	require.True(t, ok)
	require.NotEmpty(t, outputs)
	for name, output := range outputs {
		assert.IsTypef(t, "", output, "output %s", name)
	}

	// The autoscaler makes three nodes, for which it says how they join, and removes the one in the middle.
	autoscaler := m.autoscaler()
	growth := map[string]any{"node_count": 3, "bootstrap_token": "abcdef.0123456789abcdef"}
	maps.Copy(growth, k.filled)
	autoscaler.patch(workers, growth)
	autoscaler.patch(workers, map[string]any{"node_count": 2, "nodes_to_remove": []string{"1"}})
	nodes, before := m.servers(workers), m.theStack("workers")
	require.Len(t, nodes, 2)

	// Deployed again without a change, Heat is not even asked.
	require.Equal(t, "ready", e.deploy(nil), e.reasons())
	assert.Equal(t, before, m.theStack("workers"))
	assert.Equal(t, nodes, m.servers(workers))

	// Deployed again with a change, the change is made, and no node comes or goes.
	require.Equal(t, "ready", e.deploy(func(app application) {
		app.parameters()["kubelet_extra_args"] = "--v=4"
	}), e.reasons())
	after := m.parameters(workers)
	assert.Equal(t, nodes, m.servers(workers))
	assert.NotEqual(t, before.Updated, m.theStack("workers").Updated)
	assert.Equal(t, "--v=4", after["kubelet_extra_args"])
	assert.Equal(t, "2", after["node_count"])
	assert.Equal(t, "1", after["nodes_to_remove"])
	for name, value := range k.filled {
		assert.Equal(t, value, after[name], name)
	}

	// A hidden parameter is noticed as well, and is not in Murano's log.
	const secret = "s3cret.0123456789abcdef"
	before = m.theStack("workers")
	require.Equal(t, "ready", e.deploy(func(app application) {
		app.hidden()["password_bootstrap_token"] = secret
	}), e.reasons())
	assert.NotEqual(t, before.Updated, m.theStack("workers").Updated)
	assert.Equal(t, nodes, m.servers(workers))
	for _, log := range []string{"murano-api", "murano-engine"} {
		text, err := os.ReadFile(filepath.Join(*labFlag, "log", log+".log"))
		require.NoError(t, err)
		assert.False(t, strings.Contains(string(text), secret), log) // such a message would be all of the log
		for name, value := range k.hidden {
			assert.Falsef(t, strings.Contains(string(text), value.(string)), "%s in the log of %s", name, log)
		}
		assert.True(t, strings.Contains(string(text), "murano"), "it is the right log")
	}
	before = m.theStack("workers")
	require.Equal(t, "ready", e.deploy(nil), e.reasons())
	assert.Equal(t, before, m.theStack("workers"))

	// The autoscaler can go on.
	autoscaler.patch(workers, map[string]any{"node_count": 3, "nodes_to_remove": []string{}})
	assert.Len(t, m.servers(workers), 3)

	e.delete()
	assert.Empty(t, m.stacks(""))
}

// leavesOthersAlone: a stack that the application has not made is neither overwritten nor deleted, whatever its name.
func leavesOthersAlone(m *murano) {
	t := m.t
	template := map[string]any{
		"heat_template_version": "2018-08-31",
		"resources":             map[string]any{"secret": map[string]any{"type": "OS::Heat::RandomString"}},
	}
	m.heat(http.MethodPost, "/stacks", map[string]any{"stack_name": "workers", "template": template}, nil, http.StatusCreated)
	others := m.theStack("workers")
	m.complete(others)
	before := m.theStack("workers")

	e := m.newEnvironment("cluster", newApplication(nodeGroup.class, "workers", nodeGroup.given, nil))
	assert.Equal(t, "deploy failure", e.deploy(nil))
	assert.Contains(t, e.reasons(), "The project has a stack named workers already")
	assert.Equal(t, before, m.theStack("workers"))
	e.delete()
	assert.Equal(t, before, m.theStack("workers"))
	m.heat(http.MethodDelete, others.path(), nil, nil, http.StatusNoContent)
	m.wait("the stack to go", func() bool { return len(m.stacks("")) == 0 })
}

// What docs/murano.md warns of: the same template as a package of Murano's format for Heat templates loses nodes. If this
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
	m.patch(workers, map[string]any{"node_count": 3})
	require.Len(t, m.servers(workers), 3)

	require.Equal(t, "ready", e.deploy(nil), e.reasons())
	assert.Len(t, m.servers(workers), 1, "two nodes were removed that nobody had named")
	assert.Equal(t, "1", m.parameters(workers)["node_count"])
	e.delete()
	assert.Empty(t, m.stacks(""))
}
