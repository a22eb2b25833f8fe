package known

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestAStackOfUnknownSizeHasNone(t *testing.T) {
	require.Nil(t, stack(nodegroupstest.Stack("a", 2, nodegroupstest.OfUnknownSize)).TargetSize)
	require.Equal(t, 2, *stack(nodegroupstest.Stack("a", 2)).TargetSize)
}

func TestGroup(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	problem := &nodegroups.Problem{Reason: "ForeignUpdate", Severity: nodegroups.Blocking, Group: "a", Stack: "a-1", Key: "k", Value: "v", Message: "m", Remedy: "r"}
	g := &nodegroups.Group{
		Name: "a", MinSize: 1, MaxSize: 5, Target: 3, Zone: "nova", Flavor: &nodegroups.Flavor{Name: "m1.small"}, Blocked: problem,
		Stacks: []*nodegroups.Stack{{ID: "id-1", Name: "a-1", Region: "r", Status: "UPDATE_COMPLETE", Reason: "done", Known: true, Target: 3, Read: created, GrowthBlocked: problem}},
		Members: []*nodegroups.Member{
			{StackID: "id-1", Index: "0", ServerID: "s-0", Name: "a-0", Status: "ACTIVE", State: nodegroups.Running, Zone: "nova", Flavor: "m1.small", Created: created},
			{StackID: "id-1", Index: "1", State: nodegroups.Failed, Failure: &nodegroups.Failure{Class: nodegroups.OutOfResources, Code: "NoValidHost", Message: "none"}},
			{StackID: "id-1", State: nodegroups.Creating},
			{StackID: "id-1", Index: "3", State: nodegroups.Failed, Failure: &nodegroups.Failure{Code: "Other"}},
		},
	}
	same := &status.Problem{Code: "ForeignUpdate", Blocking: true, Group: "a", Stack: "a-1", Key: "k", Value: "v", Message: "m", Remedy: "r"}
	target := 3
	got := Group(nodegroups.NewSnapshot([]*nodegroups.Group{g}, nil), g)
	got.Annotations = nil
	require.Equal(t, status.NodeGroup{
		Name: "a", MinSize: 1, MaxSize: 5, TargetSize: 3, Zone: "nova", Flavor: "m1.small", Blocked: same, Counts: status.Counts{Creating: 1, Running: 1, Failed: 2},
		Stacks: []status.Stack{{ID: "id-1", Name: "a-1", Region: "r", Status: "UPDATE_COMPLETE", Reason: "done", TargetSize: &target, Read: &created, GrowthBlocked: same}},
		Members: []status.Member{
			{Stack: "a-1", Index: "0", Server: "s-0", ServerName: "a-0", ServerStatus: "ACTIVE", State: "running", Zone: "nova", Flavor: "m1.small", Created: &created},
			{Stack: "a-1", Index: "1", State: "failed", FailureClass: status.ClassOutOfResources, FailureCode: "NoValidHost", FailureMessage: "none"},
			{Stack: "a-1", State: "creating"},
			{Stack: "a-1", Index: "3", State: "failed", FailureClass: status.ClassOther, FailureCode: "Other"},
		},
	}, got)
	require.Nil(t, Problem(nil))
	require.Nil(t, Time(time.Time{}))
}
