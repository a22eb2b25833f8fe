package collect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func silent(group string) nodegroups.Problem {
	return nodegroups.Problem{Reason: nodegroups.ReasonNoLoadSignal, Severity: nodegroups.Warning, Group: group, Message: "no load", Remedy: "look"}
}

func TestAProblemThatHoldsIsToldOnceAndShownUntilItIsOver(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1))
	for range 30 { // five minutes of loops
		r.Report(silent("a"))
		r.clock.Step(10 * time.Second)
	}
	s := r.Status()
	require.Len(t, s.Decisions, 1)
	require.Zero(t, s.Decisions[0].Repeated)
	require.Equal(t, status.Problem{Code: "NoLoadSignal", Group: "a", Message: "no load", Remedy: "look"}, s.Problems[0])

	changed := silent("a")
	changed.Message = "still no load"
	r.clock.Step(reworded)
	r.Report(changed)
	s = r.Status()
	require.Len(t, s.Decisions, 2, "other words are news")
	require.Len(t, s.Problems, 1)
	require.Equal(t, "still no load", s.Problems[0].Message)

	r.clock.Step(holdsFor + time.Second)
	require.Empty(t, r.Status().Problems, "nobody reports it any more")
	r.Report(changed)
	require.Len(t, r.Status().Decisions, 2, "it came back within minutes: the line of before is counted")
	require.Equal(t, 1, r.Status().Decisions[0].Repeated)
}

func TestBlockingProblemsComeFirstAndNoneTwice(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("z", 1))
	r.stacks.SetProblems(
		nodegroups.Problem{Reason: nodegroups.ReasonMisspeltTag, Severity: nodegroups.Warning, Group: "a", Message: "typo"},
		nodegroups.Problem{Reason: nodegroups.ReasonStackFailed, Severity: nodegroups.Blocking, Group: "z", Message: "failed"},
	)
	r.refresh(t) // the manager reports them, too
	s := r.Status()
	require.Len(t, s.Problems, 2)
	require.Equal(t, "StackFailed", s.Problems[0].Code)
	require.True(t, s.Problems[0].Blocking)

	r.stacks.SetProblems()
	r.refresh(t)
	require.Empty(t, r.Status().Problems, "what the snapshot does not have any more is mended")
}

func TestWhatIsLookedForSeldomHoldsBetweenLooks(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1))
	blind := nodegroups.Problem{Reason: nodegroups.ReasonBlanketApproval, Severity: nodegroups.Warning, Message: "blind"}
	for range 10 {
		r.Report(blind)
		r.clock.Step(5 * time.Minute)
		require.Len(t, r.Status().Problems, 1)
	}
	require.Len(t, r.Status().Decisions, 1, "that it still holds is no news")
	require.Zero(t, r.Status().Decisions[0].Repeated)
	r.clock.Step(8 * time.Minute)
	require.Empty(t, r.Status().Problems)
}

func TestWhatHappenedDoesNotHold(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1))
	r.Report(nodegroups.Problem{Reason: nodegroups.ReasonMemberReplaced, Severity: nodegroups.Warning, Group: "a", Key: "server", Value: "id", Message: "it is broken (Error)", Remedy: "nothing"})
	s := r.Status()
	require.Empty(t, s.Problems)
	d := s.Decisions[0]
	require.Equal(t, status.Decision{At: d.At, Kind: status.DecisionReplace, Group: "a", Servers: []string{"id"}, Reason: "it is broken (Error)", Result: status.ResultOK}, d)

	for reason, want := range map[string][2]string{
		nodegroups.ReasonNodeDeleted:    {status.DecisionDeleteNode, status.ResultOK},
		nodegroups.ReasonRepairHeldBack: {status.DecisionReplace, status.ResultWaiting},
		nodegroups.ReasonRepairFailed:   {status.DecisionReplace, status.ResultFailed},
		nodegroups.ReasonWrongRemoval:   {status.DecisionProblem, status.ResultWrong},
		nodegroups.ReasonLateFailure:    {status.DecisionProblem, status.ResultFailed},
		nodegroups.ReasonStackFailed:    {status.DecisionProblem, status.ResultWaiting},
	} {
		d := decisionOf(&nodegroups.Problem{Reason: reason})
		require.Equal(t, want, [2]string{d.Kind, d.Result}, reason)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1))
	for i := range 3 * rememberedProblems {
		r.Report(silent(fmt.Sprint("group-", i)))
	}
	require.LessOrEqual(t, len(r.problems), rememberedProblems)
	ids := make([]string, 100)
	r.note(status.Decision{Kind: status.DecisionRemove, Servers: ids, Count: 100})
	require.Len(t, r.newest(t).Servers, status.MaxNamed)
	require.Len(t, r.Status().Decisions, status.MaxDecisions)
	for range 2 * status.MaxHistory {
		r.clock.Step(time.Minute)
		r.Refreshed(0, nil)
	}
	history := r.Status().NodeGroups[0].History
	require.Len(t, history, status.MaxHistory)
	require.Equal(t, r.clock.Now(), history[status.MaxHistory-1].At, "the oldest go")
	require.True(t, history[0].At.Before(history[1].At))
}
