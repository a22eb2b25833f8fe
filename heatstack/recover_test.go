package heatstack

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// pass lets time go by, with a refresh at each step.
func (b *writerBench) pass(s *fakeStack, total, step time.Duration) {
	b.t.Helper()
	for range total / step {
		b.clock.Step(step)
		b.refresh(s)
	}
}

func TestAFailedStackIsRetriedAFewTimes(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	fail := func() {
		s.status, s.reason, s.count, s.shownCount = "UPDATE_FAILED", "Quota exceeded", 5, 5
		s.updated++
	}
	b.change(fail)
	b.refresh(s)
	b.pass(s, 50*time.Second, 10*time.Second)
	assert.Empty(t, b.sent(), "cluster-autoscaler has a minute to take failed members away")
	for range 40 {
		b.pass(s, 30*time.Second, 10*time.Second)
		b.change(func() {
			if isBusy(s.status) { // the retry fails as well
				s.status = "UPDATE_FAILED"
			}
		})
	}
	assert.Equal(t, []string{"a 5 <nil>", "a 5 <nil>", "a 5 <nil>"}, b.sent())
	assert.Contains(t, b.reasons(), nodegroups.ReasonStackFailed)

	require.NoError(t, b.grow(s, 1), "a failed stack can be scaled all the same")
	b.change(func() { s.status = "UPDATE_FAILED" })
	b.refresh(s)
	b.pass(s, 70*time.Second, 10*time.Second)
	assert.Len(t, b.sent(), 5, "and is retried anew")
	b.settle(s)
	b.refresh(s)
	assert.Len(t, b.ids(s), 6)
}

func TestAnUpdateThatHeatCancelledIsRepeatedSoon(t *testing.T) {
	for name, tc := range map[string]struct {
		isOurs bool
		reason string
		sent   int
	}{
		"ours":                {true, "Resource UPDATE failed: resources.nodes: Stack UPDATE cancelled", 3},
		"ours, for a reason":  {true, "Resource UPDATE failed: resources.nodes: Quota exceeded", 2},
		"of somebody else":    {false, "Resource UPDATE failed: resources.nodes: Stack UPDATE cancelled", 2},
		"cancelled by a user": {true, "Stack UPDATE cancelled by user", 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.add("a", 3)
			require.NoError(t, b.grow(s, 1))
			require.NoError(t, b.grow(s, 1))
			b.change(func() {
				s.status, s.reason = "UPDATE_FAILED", tc.reason
				if !tc.isOurs {
					s.updated++
				}
			})
			b.refresh(s)
			b.pass(s, overtakenFor-5*time.Second, 5*time.Second)
			assert.Len(t, b.sent(), 2)
			b.pass(s, 15*time.Second, 5*time.Second)
			b.idle()
			assert.Len(t, b.sent(), tc.sent)
		})
	}
}

func TestAFailedMemberIsRemovedByName(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 5)
	b.change(func() {
		s.status = "UPDATE_FAILED"
		s.rows[3].Status, s.rows[3].ServerID = "CREATE_FAILED", ""
		s.rows[4].Status = "CREATE_FAILED"
		b.servers[s.rows[4].ServerID] = "ERROR"
	})
	before := b.ids(s)
	require.NoError(t, b.do(func(ctx context.Context) error {
		return b.ws.Remove(ctx, s.ref, []nodegroups.Member{{Index: "3", Placeholder: "p"}, {ServerID: before[4]}})
	}))
	assert.Equal(t, []string{"a 3 [3 4]"}, b.sent())
	b.settle(s)
	b.refresh(s)
	assert.Equal(t, before[:3], b.ids(s))
	assert.Zero(t, b.wrong)
}

func TestALivingMemberInCheckFailedStopsUpdates(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	b.change(func() { s.status, s.rows[1].Status = "CHECK_FAILED", "CHECK_FAILED" })
	err := b.grow(s, 1)
	var p nodegroups.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, nodegroups.ReasonUnhealthyMember, p.Reason)
	assert.Empty(t, b.sent())
	assert.Equal(t, 1, b.checks, "one check may find it in order")

	require.NoError(t, b.remove(s, 1), "it can be removed itself")
	b.settle(s)
	b.refresh(s)

	b.clock.Step(checkEvery)
	b.change(func() {
		s.status, s.rows[2].Status = "CHECK_FAILED", "CHECK_FAILED"
		b.checkHook = func(s *fakeStack) {
			s.status, s.rows[2].Status = "CHECK_COMPLETE", "CHECK_COMPLETE"
		}
	})
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, 2, b.checks)
}

func TestAStackThatMustNotBeRetriedIsReported(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	b.change(func() { s.status, s.rows[1].Status = "CHECK_FAILED", "CHECK_FAILED" })
	b.refresh(s)
	b.pass(s, 20*time.Minute, 30*time.Second)
	assert.Empty(t, b.sent())
	assert.Equal(t, 1, b.checks)
	assert.Contains(t, b.reasons(), nodegroups.ReasonUnhealthyMember)
	assert.Contains(t, b.reasons(), nodegroups.ReasonStackFailed)
}

// Heat's check fails for every server that is not ACTIVE, and so for one whose resize has failed, which runs on.
func TestAServerInErrorThatHasRunStopsUpdates(t *testing.T) {
	for _, hasRun := range []bool{true, false} {
		b := newBench(t)
		s := b.add("a", 3)
		b.change(func() {
			s.status, s.rows[1].Status = "CHECK_FAILED", "CHECK_FAILED"
			b.servers[s.rows[1].ServerID], b.launched = "ERROR", hasRun
		})
		err := b.grow(s, 1)
		var p nodegroups.Problem
		assert.Equal(t, hasRun, errors.As(err, &p) && p.Reason == nodegroups.ReasonUnhealthyMember, "%v", err)
		assert.Equal(t, hasRun, len(b.sent()) == 0)
	}
}

func TestADeadMemberInCheckFailedStopsNothing(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	b.change(func() {
		s.status, s.rows[1].Status = "CHECK_FAILED", "CHECK_FAILED"
		delete(b.servers, s.rows[1].ServerID)
	})
	require.NoError(t, b.grow(s, 1))
	assert.Zero(t, b.checks)
	b.change(func() { b.servers[s.rows[1].ServerID] = "ERROR" })
	require.NoError(t, b.grow(s, 1))
}

func TestALostMemberIsRemoved(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	ids := b.ids(s)
	b.change(func() { delete(b.servers, ids[1]) })
	b.refresh(s)
	assert.Empty(t, b.sent(), "a new server may not be in the list yet")
	b.pass(s, 70*time.Second, 10*time.Second)
	assert.Equal(t, []string{"a 3 [1]"}, b.sent())
	assert.Contains(t, b.reasons(), nodegroups.ReasonMemberLost)
	b.settle(s)
	b.pass(s, time.Hour, time.Minute)
	assert.Len(t, b.sent(), 1)
	assert.Equal(t, []string{ids[0], ids[2], ids[3]}, b.ids(s))
	assert.Zero(t, b.wrong)
}

func TestALostMemberIsMadeAnewAtTheMinimum(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	s.ref.Config.MinSize = 2
	ids := b.ids(s)
	b.change(func() { delete(b.servers, ids[0]); delete(b.servers, ids[1]) })
	b.refresh(s)
	b.pass(s, 70*time.Second, 10*time.Second)
	assert.Equal(t, []string{"1"}, sortedStrings(b.marked)[len(b.marked)-1:])
	require.NotEmpty(t, b.sent())
	for range 20 {
		b.settle(s)
		b.pass(s, time.Minute, 10*time.Second)
	}
	assert.Len(t, b.ids(s), 2)
	b.change(func() { assert.Len(t, b.servers, 2) })
}

func TestAMemberThatHeatForgotIsMade(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	b.change(func() { delete(b.servers, s.rows[1].ServerID); delete(s.rows, 1) })
	b.refresh(s)
	b.pass(s, 70*time.Second, 10*time.Second)
	assert.Equal(t, []string{"a 3 <nil>"}, b.sent())
	b.settle(s)
	assert.Len(t, b.ids(s), 3)
}

func TestManyLostMembersNeedHeatsWord(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 5)
	ids := b.ids(s)
	b.change(func() { clear(b.servers) })
	b.refresh(s)
	b.pass(s, 70*time.Second, 10*time.Second)
	assert.Empty(t, b.sent(), "Nova may be wrong")
	assert.Equal(t, 1, b.checks)
	b.change(func() {
		for _, row := range s.rows {
			row.Status = "CHECK_FAILED"
		}
		s.status = "CHECK_FAILED"
	})
	b.refresh(s)
	b.pass(s, 5*time.Minute, 10*time.Second)
	require.NotEmpty(t, b.sent())
	b.settle(s)
	b.refresh(s)
	assert.NotSubset(t, b.ids(s), ids)
	b.change(func() { assert.Len(t, b.servers, s.count) })
}

func TestNovaMustSayThatAServerIsGone(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	ref, detail := s.ref, b.detailLocked(s)
	for range 10 { // a list without the servers
		b.ws.Observe(context.Background(), ref, detail, true, nil)
		b.idle()
		b.clock.Step(time.Minute)
	}
	assert.Empty(t, b.sent())
	assert.Zero(t, b.checks)
	assert.Empty(t, b.reasons())
}

func TestAServerThatNobodyNamedRaisesTheAlarm(t *testing.T) {
	for name, tc := range map[string]struct {
		foreign, byHand bool
		wrong           int
	}{
		"Heat took it":           {wrong: 1},
		"somebody else did":      {foreign: true},
		"it was deleted in Nova": {byHand: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.add("a", 4)
			ids := b.ids(s)
			require.NoError(t, b.remove(s, 0))
			b.settle(s)
			b.change(func() {
				delete(b.servers, ids[3])
				if !tc.byHand {
					delete(s.rows, 3)
				}
				if tc.foreign {
					s.updated++
				}
			})
			b.refresh(s)
			assert.Equal(t, 1, b.verified)
			assert.Equal(t, tc.wrong, b.wrong)
			if tc.wrong > 0 {
				assert.Contains(t, b.reasons(), nodegroups.ReasonWrongRemoval)
			} else {
				assert.NotContains(t, b.reasons(), nodegroups.ReasonWrongRemoval)
			}
		})
	}
}

// A member that somebody else's update has begun to remove goes, even if ours have superseded it meanwhile.
func TestWhatOthersHaveBegunRaisesNoAlarm(t *testing.T) {
	for _, hasOther := range []bool{true, false} {
		b := newBench(t)
		s := b.add("a", 3)
		require.NoError(t, b.grow(s, 1))
		b.settle(s)
		ids := b.ids(s)
		if hasOther {
			b.change(func() { s.status, s.updated = "UPDATE_IN_PROGRESS", s.updated+1 })
		}
		require.NoError(t, b.grow(s, 1))
		b.fails(s, 4)
		require.NoError(t, b.remove(s, 4))
		b.settle(s)
		b.change(func() {
			delete(b.servers, ids[3])
			delete(s.rows, 3)
		})
		b.refresh(s)
		assert.Equal(t, 1, b.verified)
		assert.Equal(t, hasOther, b.wrong == 0)
	}
}

func TestAVictimThatStayedIsNamedAgain(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	m := b.member(s, 2)
	require.NoError(t, b.remove(s, 2))
	b.change(func() { // the update ends without having done it, and somebody sets the parameters back
		s.status, s.count, s.shownCount, s.list, s.shownList = "UPDATE_COMPLETE", 4, 4, nil, nil
	})
	b.refresh(s)
	assert.Equal(t, []string{"a 3 [2]", "a 3 [2]"}, b.sent())
	b.settle(s)
	b.refresh(s)
	assert.NotContains(t, b.ids(s), m.ServerID)
	assert.Equal(t, 1, b.verified)
	assert.Empty(t, b.ws.Removing("a"))
}

func TestAFailedRemovalStaysOrdered(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	m := b.member(s, 2)
	require.NoError(t, b.remove(s, 2))
	b.change(func() { s.status, s.rows[2].Status, s.removed[2] = "UPDATE_FAILED", "DELETE_FAILED", true })
	b.refresh(s)
	assert.Equal(t, map[string]bool{m.ServerID: true}, b.ws.Removing("a"))
	b.pass(s, 2*time.Minute, 10*time.Second)
	assert.Len(t, b.sent(), 2, "retried")
	b.settle(s)
	b.refresh(s)
	assert.Equal(t, 1, b.verified)
	assert.Len(t, b.ids(s), 3)
}

func TestAStackThatIsGone(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 2)
	b.change(func() { delete(b.stacks, "a"); b.stacks["b"] = s })
	b.ws.hooks.template = func(context.Context, stackRef) (templateFacts, error) { return templateFacts{}, nil }
	require.True(t, isNotFound(b.grow(s, 1)))
	b.change(func() { b.stacks["a"] = s; s.status = "DELETE_IN_PROGRESS" })
	var p nodegroups.Problem
	require.ErrorAs(t, b.grow(s, 1), &p)
	assert.Equal(t, nodegroups.ReasonStackState, p.Reason)
	assert.Empty(t, b.sent())
}

func sortedStrings(in []string) []string {
	set := indexSet{}
	for _, name := range in {
		i, _ := strconv.Atoi(name)
		set[i] = true
	}
	return set.names()
}
