package nodegroups_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestManagerShrink(t *testing.T) {
	in := fake.InGroup("workers", 3, 20)
	missing := func(n int) func(*nodegroups.Stack) {
		return func(s *nodegroups.Stack) {
			s.Target += n
			for k := range n {
				s.Members = append(s.Members, nodegroups.Member{
					StackID: s.ID, State: nodegroups.Creating, Placeholder: nodegroups.PlaceholderID(s.ID, k),
				})
			}
		}
	}
	stacks := []*nodegroups.Stack{
		fake.Stack("a", 1, in, missing(1)), fake.Stack("b", 1, in, missing(3)),
		fake.Stack("c", 1, in, missing(4), fake.BlockedBy(nodegroups.ReasonStackState)),
	}
	tests := map[string]struct {
		group  string
		by     int
		want   error
		orders []string
		target int
	}{
		"from one stack":   {"workers", 3, nil, []string{"Shrink b 3"}, 8},
		"from both":        {"workers", 4, nil, []string{"Shrink a 1", "Shrink b 3"}, 7},
		"more than there":  {"workers", 5, nodegroups.ErrNotMissing, nil, 11},
		"nothing":          {"workers", 0, nodegroups.ErrInvalidDelta, nil, 11},
		"unknown":          {"x", 1, nodegroups.ErrUnknownGroup, nil, 11},
		"refused by cloud": {"workers", 3, errCloud, []string{"Shrink b 3"}, 11},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, stacks...)
			if errors.Is(test.want, errCloud) {
				cloud.Fail("Shrink", "b", errCloud)
			}
			err := m.Shrink(context.Background(), test.group, test.by)
			if test.want == nil {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, append([]string{}, test.orders...), orders(cloud))
			assert.Equal(t, test.target, m.Snapshot().Group("workers").Target)
		})
	}
}
