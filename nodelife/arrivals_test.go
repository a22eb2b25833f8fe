package nodelife

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// arrives adds a member whose server was made at some time, without a node.
func (r *rig) arrives(stack string, index int, made time.Time) string {
	server := fake.ServerID(stack, index)
	r.cloud.Change(stack, func(s *nodegroups.Stack) {
		m := s.Members[0]
		m.Index, m.ServerID, m.Name, m.Created = "9", server, "late", made
		s.Members, s.Target = append(s.Members, m), s.Target+1
	})
	return server
}

// becomes makes the node of a server, Ready or not since some time.
func (r *rig) becomes(server string, ready v1.ConditionStatus, since time.Time) {
	r.join(server)
	r.change(server, func(n *v1.Node) {
		n.Status.Conditions[0] = v1.NodeCondition{Type: v1.NodeReady, Status: ready, LastTransitionTime: metav1.NewTime(since)}
	})
}

func TestANewNodesWayToReadyIsMeasuredOnce(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	r.after(20 * time.Second)
	require.Empty(t, r.counts.ready, "nodes that were there before")
	made := r.clock.Now()
	server := r.arrives("a", 5, made)
	r.after(20 * time.Second)
	r.becomes(server, v1.ConditionFalse, made.Add(25*time.Second))
	r.after(20 * time.Second)
	require.Empty(t, r.counts.ready, "it is not Ready yet")
	r.becomes(server, v1.ConditionTrue, made.Add(52*time.Second))
	r.after(30 * time.Second)
	require.Equal(t, map[string][]time.Duration{"a": {52 * time.Second}}, r.counts.ready)
	r.becomes(server, v1.ConditionUnknown, made.Add(80*time.Second))
	r.after(10 * time.Second)
	r.becomes(server, v1.ConditionTrue, made.Add(100*time.Second))
	r.after(10 * time.Second)
	require.Len(t, r.counts.ready["a"], 1, "it was Ready before")
}

func TestAnOldMachineThatLosesItsNodeIsNotNew(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	server := r.arrives("a", 5, r.clock.Now().Add(-time.Hour))
	r.after(20 * time.Second)
	r.becomes(server, v1.ConditionTrue, r.clock.Now())
	r.after(20 * time.Second)
	require.Empty(t, r.counts.ready)
}

func TestClocksThatDifferDoNotGiveATimeBelowZero(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	made := r.clock.Now()
	server := r.arrives("a", 5, made)
	r.after(10 * time.Second)
	r.becomes(server, v1.ConditionTrue, made.Add(-2*time.Second))
	r.after(10 * time.Second)
	require.Equal(t, map[string][]time.Duration{"a": {0}}, r.counts.ready)
}
