package cloudprovider

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// shutdowns is a Stopper that notes what it is told, and how much time there is.
type shutdowns struct {
	ids  []string
	left time.Duration
}

func (s *shutdowns) Stop(ctx context.Context, member nodegroups.Member, _ time.Duration) {
	s.ids = append(s.ids, member.ServerID)
	deadline, _ := ctx.Deadline()
	s.left = time.Until(deadline)
}

// Nodes are shut down before their members are removed; what core only made up is not: core waits for that in its loop.
func TestOnlyNodesAreShutDown(t *testing.T) {
	s := &shutdowns{}
	minute := time.Minute
	p, err := New(context.Background(), nodegroups.NewManager(fake.NewStacks(fake.Stack("a", 4, func(s *nodegroups.Stack) {
		s.Config.Life.GracefulShutdownTime = &minute
	})), nil, nodegroups.ManagerOptions{Stopper: s}), Options{Template: templateOf})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Cleanup()) })
	require.NoError(t, p.Refresh())
	g := p.NodeGroups()[0]
	node := func(index int, fakeReason string) []*v1.Node {
		n := nodeOf("a", index, threeSlashes+fake.ServerID("a", index))
		if fakeReason != "" {
			n.Annotations = map[string]string{cloudprovider.FakeNodeReasonAnnotation: fakeReason}
		}
		return []*v1.Node{n}
	}
	require.NoError(t, g.DeleteNodes(node(0, cloudprovider.FakeNodeUnregistered)))
	require.NoError(t, g.DeleteNodes(node(1, cloudprovider.FakeNodeCreateError)))
	require.Empty(t, s.ids)
	require.NoError(t, g.DeleteNodes(node(2, "")))
	require.Equal(t, []string{fake.ServerID("a", 2)}, s.ids)
	require.Greater(t, s.left, DefaultWriteTimeout, "the shutdown has a time of its own")
	size, err := g.TargetSize()
	require.NoError(t, err)
	require.Equal(t, 1, size)
}
