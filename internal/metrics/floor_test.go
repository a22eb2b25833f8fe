package metrics_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// fixedFloors are floors that only the test changes.
type fixedFloors map[string]nodegroups.Floor

func (f *fixedFloors) Update(context.Context, []*nodegroups.Group) map[string]nodegroups.Floor {
	return *f
}

func TestTheFloorIsTheOneThatActs(t *testing.T) {
	floors := fixedFloors{"a": {Size: 50}, "gone": {Size: 3}}
	cloud := fake.NewStacks(fake.Stack("a", 3, fake.InGroup("a", 1, 9)), fake.Stack("b", 1))
	manager := nodegroups.NewManager(cloud, nil, nodegroups.ManagerOptions{Floors: &floors})
	m := metrics.New(manager.Snapshot, nil)
	require.NoError(t, manager.Refresh(context.Background()))
	require.Equal(t, []string{"node_group_floor{node_group=a} 9"}, scrape(t, m, "node_group_floor"), "between the limits; none for b")
	floors = nil
	require.NoError(t, manager.Refresh(context.Background()))
	require.Empty(t, scrape(t, m, "node_group_floor"))
}
