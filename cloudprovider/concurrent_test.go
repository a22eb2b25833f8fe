package cloudprovider

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// TestEverythingAtOnce is for the race detector: core asks from its loop, from its deletions and from the goroutine that
// lists instances, while we refresh.
func TestEverythingAtOnce(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 8), fake.Stack("b", 8, in(7, nodegroups.Failed)))
	group := r.nodeGroup(t, "a")
	var nodes []*v1.Node
	for i := range 8 {
		nodes = append(nodes, nodeOf("a", i, threeSlashes+fake.ServerID("a", i)))
	}
	nodes = append(nodes, nodeOf("b", 0, ""), nodeOf("cp", 0, threeSlashes+fake.ServerID("cp", 0)))
	var wait sync.WaitGroup
	for _, call := range []func(int){
		func(int) { require.NoError(t, r.Refresh()) },
		func(i int) {
			_, err := r.NodeGroupForNode(nodes[i%len(nodes)])
			require.NoError(t, err)
		},
		func(i int) { _, _ = r.HasInstance(nodes[i%len(nodes)]) },
		func(int) {
			for _, g := range r.NodeGroups() {
				_, err := g.Nodes()
				require.NoError(t, err)
				_, err = g.TargetSize()
				require.NoError(t, err)
				_, err = g.TemplateNodeInfo()
				require.NoError(t, err)
				_ = g.Debug()
			}
		},
		func(i int) { _ = group.DeleteNodes(nodes[i%8 : i%8+1]) },
		func(int) { _ = group.IncreaseSize(1) },
		func(int) { _ = group.DecreaseTargetSize(-1) },
		func(int) { r.cloud.Deliver("a") },
	} {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range 50 {
				call(i)
			}
		}()
	}
	wait.Wait()
	require.Empty(t, r.observed.panics)
}
