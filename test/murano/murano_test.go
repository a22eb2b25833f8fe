//go:build lab

package murano_test

import (
	"bytes"
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
	require.NotEmpty(t, *labFlag, "-lab: these tests need a real Murano, see test/lab/run murano")
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

// TestNodeGroup deploys deploy/murano/nodegroup. Its parts share one import: Murano's engine may wait for ever for itself when two
// projects have packages of one name and it works for both.
func TestNodeGroup(t *testing.T) {
	t.Parallel()
	m := open(t)
	m.importKind(nodeGroup)
	t.Run("leaves other stacks alone", func(t *testing.T) { leavesOthersAlone(m.in(t)) })
	t.Run("keeps its size", func(t *testing.T) {
		m := m.in(t)
		app := newApplication(nodeGroup.class, "workers", nodeGroup.given, nodeGroup.hidden)
		app.parameters()["flavor"] = "m1.none"
		e := m.newEnvironment("nodes", app)
		require.Equal(t, "deploy failure", e.deploy(nil))
		require.Contains(t, e.reasons(), "m1.none")
		// A mistake can be mended.
		autoscaler := keepsItsSize(e, nodeGroup, func(app application) { app.parameters()["flavor"] = "m1.tiny" })

		noticesSecrets(e)
		// The autoscaler can go on.
		workers := m.theStack("workers")
		autoscaler.patch(workers, map[string]any{"node_count": 2, "nodes_to_remove": []string{}})
		assert.Len(t, m.servers(workers), 2)
		e.delete()
		assert.Empty(t, m.stacks(""))
	})
}

// TestCluster deploys deploy/murano/cluster.
func TestCluster(t *testing.T) {
	t.Parallel()
	m := open(t)
	m.importKind(cluster)
	e := m.newEnvironment("cluster", newApplication(cluster.class, "workers", cluster.given, cluster.hidden))
	keepsItsSize(e, cluster, nil)
	for name, secret := range cluster.hidden {
		notLogged(t, name, secret.(string))
	}
	e.delete()
	assert.Empty(t, m.stacks(""))
}

// keepsItsSize deploys the environment after a change: its stack keeps the size that the autoscaler gives it, whatever is
// deployed again. It returns the autoscaler.
func keepsItsSize(e *environment, k kind, change func(application)) *murano {
	m, t := e.murano, e.t
	require.Equal(t, "ready", e.deploy(change), e.reasons())
	workers := m.theStack("workers")
	require.Equal(t, "CREATE_COMPLETE", workers.Status)
	require.Empty(t, m.servers(workers))
	outputs, ok := e.applications()[0]["templateOutputs"].(map[string]any)
	require.True(t, ok)
	require.NotEmpty(t, outputs)
	for name, output := range outputs {
		assert.IsTypef(t, "", output, "output %s", name)
	}

	// The autoscaler makes nodes, for which it says how they join, and removes one that is not the last.
	autoscaler := m.autoscaler()
	growth := map[string]any{"node_count": 2, "bootstrap_token": "abcdef.0123456789abcdef"}
	maps.Copy(growth, k.filled)
	autoscaler.patch(workers, growth)
	autoscaler.patch(workers, map[string]any{"node_count": 1, "nodes_to_remove": []string{"0"}})
	nodes, before := m.servers(workers), m.theStack("workers")
	require.Len(t, nodes, 1)
	require.Contains(t, nodes, "1")

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
	assert.Equal(t, "1", after["node_count"])
	assert.Equal(t, "0", after["nodes_to_remove"])
	for name, value := range k.filled {
		assert.Equal(t, value, after[name], name)
	}
	return autoscaler
}

// noticesSecrets: a hidden parameter that has changed is sent, once, and is not in Murano's logs.
func noticesSecrets(e *environment) {
	const secret = "s3cret.0123456789abcdef"
	m, t := e.murano, e.t
	before := m.theStack("workers")
	nodes := m.servers(before)
	require.Equal(t, "ready", e.deploy(func(app application) {
		app.hidden()["password_bootstrap_token"] = secret
	}), e.reasons())
	after := m.theStack("workers")
	assert.NotEqual(t, before.Updated, after.Updated)
	assert.Equal(t, nodes, m.servers(after))
	require.Equal(t, "ready", e.deploy(nil), e.reasons())
	assert.Equal(t, after, m.theStack("workers"))
	notLogged(t, "bootstrap_token", secret)
}

// notLogged says that a secret is not in the logs of Murano, as they are in the lab.
func notLogged(t *testing.T, name, secret string) {
	t.Helper()
	for _, log := range []string{"murano-api", "murano-engine"} {
		text, err := os.ReadFile(filepath.Join(*labFlag, "log", log+".log"))
		require.NoError(t, err)
		require.NotEmpty(t, text)
		if bytes.Contains(text, []byte(secret)) { // an assertion's message would be all of the log
			t.Errorf("the log of %s has %s", log, name)
		}
	}
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
