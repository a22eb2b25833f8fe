package nodegroups_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestStatesHaveNames(t *testing.T) {
	for state, want := range map[nodegroups.State]string{
		nodegroups.Creating: "creating", nodegroups.Running: "running", nodegroups.Deleting: "deleting",
		nodegroups.Failed: "failed", nodegroups.Lost: "lost", 0: "unknown",
	} {
		assert.Equal(t, want, state.String())
	}
}

func TestMemberID(t *testing.T) {
	assert.Equal(t, "s", (&nodegroups.Member{ServerID: "s", Placeholder: "p"}).ID())
	assert.Equal(t, "p", (&nodegroups.Member{Placeholder: "p"}).ID())
}

func TestProblemAsError(t *testing.T) {
	p := nodegroups.Problem{Message: "it is bad"}
	assert.EqualError(t, p, "it is bad")
	p = nodegroups.Problem{Group: "g", Stack: "s", Node: "n", Key: "k", Value: "v", Message: "it is bad", Remedy: "mend it"}
	assert.EqualError(t, p, `node group "g": stack "s": node "n": k="v": it is bad; mend it`)
}

func TestReporterFunc(t *testing.T) {
	var got []nodegroups.Problem
	nodegroups.ReporterFunc(func(p nodegroups.Problem) { got = append(got, p) }).Report(nodegroups.Problem{Reason: "x"})
	assert.Equal(t, []nodegroups.Problem{{Reason: "x"}}, got)
}
