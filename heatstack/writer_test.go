package heatstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestGrowSendsOnlyTheSize(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 2)
	require.NoError(t, b.grow(s, 3))
	assert.Equal(t, []string{"a 5 <nil>"}, b.sent())
	assert.Equal(t, "5", b.observed["a"].Parameters["node_count"], "the size is known when Grow returns")
	assert.Zero(t, b.ws.Pending("a"))
	b.settle(s)
	assert.Len(t, b.ids(s), 5)
}

func TestRemoveNamesTheIndexAndIsVerified(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 5)
	before := b.ids(s)
	require.NoError(t, b.remove(s, 1, 3))
	assert.Equal(t, []string{"a 3 [1 3]"}, b.sent())
	assert.Equal(t, map[string]bool{before[1]: true, before[3]: true}, b.ws.Removing("a"))

	require.NoError(t, b.do(func(ctx context.Context) error {
		return b.ws.Remove(ctx, s.ref, []nodegroups.Member{{ServerID: before[1], Index: "1"}})
	}), "repeated")
	assert.Len(t, b.sent(), 1, "what is being removed is not ordered again")

	b.refresh(s)
	assert.Zero(t, b.verified, "the update is still running")
	b.settle(s)
	b.refresh(s)
	assert.Equal(t, 2, b.verified)
	assert.Zero(t, b.wrong)
	assert.Empty(t, b.ws.Removing("a"))
	assert.Equal(t, []string{before[0], before[2], before[4]}, b.ids(s))
	b.refresh(s)
	assert.Equal(t, 2, b.verified, "once")
	assert.Empty(t, b.reasons())
}

func TestAHundredRemovalsAreFourUpdates(t *testing.T) {
	b := newBench(t)
	var stacks []*fakeStack
	for n := range 4 {
		stacks = append(stacks, b.add(fmt.Sprint(n), 30))
	}
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for n := range 100 {
		s := stacks[n%4]
		m := b.member(s, n/4)
		wg.Add(1)
		go func() { defer wg.Done(); errs <- b.ws.Remove(context.Background(), s.ref, []nodegroups.Member{m}) }()
	}
	b.queued(100) // the clock stands still until all are there
	require.NoError(t, b.do(func(context.Context) error {
		wg.Wait()
		return nil
	}))
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	assert.Len(t, b.sent(), 4)
	for _, s := range stacks {
		b.settle(s)
		b.refresh(s)
		assert.Len(t, b.ids(s), 5)
	}
	assert.Equal(t, 100, b.verified)
	assert.Zero(t, b.wrong)
}

func TestAServerThatMovedToAnotherIndexIsNotConfused(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	m := b.member(s, 1)
	b.change(func() { // Heat has replaced the server meanwhile
		delete(b.servers, m.ServerID)
		s.rows[1].ServerID = "new"
		b.servers["new"] = "ACTIVE"
	})
	require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}) }))
	assert.Empty(t, b.sent(), "the member is gone; the new server is not touched")
}

func TestAServerHeatDoesNotListIsReported(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	b.change(func() { b.servers["stray"] = "ACTIVE" })
	err := b.do(func(ctx context.Context) error {
		return b.ws.Remove(ctx, s.ref, []nodegroups.Member{b.member(s, 0), {ServerID: "stray", Index: "7"}})
	})
	require.ErrorContains(t, err, "not a member of the stack")
	assert.Equal(t, []string{"a 2 [0]"}, b.sent(), "the rest is done")
}

func TestRemovalDuringOurOwnGrowth(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	require.NoError(t, b.remove(s, 1))
	b.settle(s)
	require.NoError(t, b.grow(s, 2))
	require.NoError(t, b.remove(s, 3))
	require.NoError(t, b.remove(s, 0))
	assert.Equal(t, []string{"a 3 [1]", "a 5 <nil>", "a 4 [3]", "a 3 [0 3]"}, b.sent())
	b.settle(s)
	b.refresh(s)
	assert.Len(t, b.ids(s), 3)
	assert.Equal(t, 3, b.verified)
	assert.Zero(t, b.wrong)
}

func TestGrowthAndRemovalShareAnUpdate(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	m := b.member(s, 2)
	errs := make(chan error, 2)
	go func() { errs <- b.ws.Grow(context.Background(), s.ref, 3) }()
	go func() { errs <- b.ws.Remove(context.Background(), s.ref, []nodegroups.Member{m}) }()
	b.queued(2)
	require.NoError(t, b.do(func(context.Context) error { return errors.Join(<-errs, <-errs) }))
	assert.Equal(t, []string{"a 6 [2]"}, b.sent())
	b.settle(s)
	assert.Len(t, b.ids(s), 6)
	assert.NotContains(t, b.ids(s), m.ServerID)
}

func TestALostUpdateIsReportedAndSentAgain(t *testing.T) {
	for _, lost := range []int{1, 2} {
		b := newBench(t)
		s := b.add("a", 4)
		n := 0
		b.patchHook = func(s *fakeStack, _ map[string]any) (bool, error) {
			if n++; n <= lost {
				b.applyLocked(s, map[string]any{"node_count": 5 + n}) // another update at the same moment wins
				return true, nil
			}
			return false, nil
		}
		m := b.member(s, 0)
		require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}) },
			func() { b.settle(s) }))
		assert.Contains(t, b.reasons(), nodegroups.ReasonLostUpdate)
		assert.Equal(t, fmt.Sprintf("a %d [0]", 4+lost), b.sent()[len(b.sent())-1])
		b.settle(s)
		assert.Len(t, b.ids(s), 4+lost)
		assert.NotContains(t, b.ids(s), m.ServerID)
	}
}

func TestAConvergentEngineHidesNothing(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	require.NoError(t, b.grow(s, 1))
	b.settle(s)
	isLost := true
	b.patchHook = func(s *fakeStack, _ map[string]any) (bool, error) {
		if isLost {
			isLost = false
			s.status = "UPDATE_IN_PROGRESS" // another update without effect won
			return true, nil
		}
		return false, nil
	}
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, []string{"a 5 <nil>", "a 6 <nil>", "a 6 <nil>"}, b.sent())
	assert.Contains(t, b.reasons(), nodegroups.ReasonLostUpdate)
}

func TestAnUpdateThatIsLostAgainAndAgainIsAnError(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	b.patchHook = func(*fakeStack, map[string]any) (bool, error) { return true, nil }
	err := b.grow(s, 1)
	var p nodegroups.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, nodegroups.ReasonLostUpdate, p.Reason)
	assert.Equal(t, "stack-a", p.Stack)
	assert.Len(t, b.sent(), sendTries)
}

func TestAnUpdateWithoutAnAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		arrives bool
		err     error
		patches int
	}{
		"it had arrived":     {true, httpError(http.StatusGatewayTimeout), 1},
		"it had not":         {false, httpError(http.StatusBadGateway), 2},
		"the time was up":    {true, context.DeadlineExceeded, 1},
		"the line was cut":   {false, errors.New("connection reset"), 2},
		"too many requests":  {false, httpError(http.StatusTooManyRequests), 2},
		"the engine is busy": {false, httpError(http.StatusConflict), 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.add("a", 2)
			first := true
			b.patchHook = func(s *fakeStack, parameters map[string]any) (bool, error) {
				if !first {
					return false, nil
				}
				first = false
				if tc.arrives {
					b.applyLocked(s, parameters)
				}
				return true, tc.err
			}
			require.NoError(t, b.remove(s, 0))
			b.idle()
			assert.Len(t, b.sent(), tc.patches)
			b.settle(s)
			assert.Len(t, b.ids(s), 1)
		})
	}
}

func TestWhatHeatRefusesIsAnError(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 2)
	b.patchHook = func(*fakeStack, map[string]any) (bool, error) { return true, httpError(http.StatusForbidden) }
	err := b.grow(s, 1)
	require.True(t, hasStatus(err, http.StatusForbidden), "%v", err)
	assert.Len(t, b.sent(), 1)
	assert.Zero(t, b.ws.Pending("a"))
}

func TestOneBadReadIsNotTheEnd(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 2)
	b.change(func() { b.readErr = httpError(http.StatusServiceUnavailable) })
	require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Grow(ctx, s.ref, 1) }, func() {
		b.change(func() {
			if b.reads > 1 {
				b.readErr = nil
			}
		})
	}))
	b.change(func() { b.readErr = httpError(http.StatusServiceUnavailable) })
	require.Error(t, b.grow(s, 1))
	assert.Len(t, b.sent(), 1, "nothing is written to a stack that can't be read")
}

func TestAForeignUpdate(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	b.change(func() { b.applyLocked(s, map[string]any{"node_count": 5}) })
	require.NoError(t, b.grow(s, 1), "growth supersedes it")
	assert.Equal(t, []string{"a 6 <nil>"}, b.sent())
	b.settle(s)

	b.change(func() { b.applyLocked(s, map[string]any{"node_count": 7}) })
	ctx, cancel := context.WithCancel(context.Background())
	m := b.member(s, 0)
	err := b.do(func(context.Context) error { return b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}) }, func() {
		w := b.ws.of("a", nil)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, i := range w.waiting {
			if i.waits != nil {
				cancel()
			}
		}
	})
	cancel()
	var p nodegroups.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, nodegroups.ReasonForeignUpdate, p.Reason)
	require.ErrorIs(t, err, context.Canceled)
	b.settle(s)
	b.idle()
	assert.Len(t, b.sent(), 1, "a removal that was withdrawn is not sent")

	b.change(func() { b.applyLocked(s, map[string]any{"node_count": 7}) })
	steps := 0
	require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}) }, func() {
		if steps++; steps == 30 {
			b.settle(s)
		}
	}), "and one that waits is done when the stack is at rest")
	assert.Equal(t, "a 6 [0]", b.sent()[1])
}

func TestALostUpdateOfACallerThatHasGoneIsNotRepeated(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	ctx, cancel := context.WithCancel(context.Background())
	b.patchHook = func(*fakeStack, map[string]any) (bool, error) {
		cancel() // while the update is on its way
		return true, nil
	}
	m := b.member(s, 1)
	err := b.do(func(context.Context) error { return b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}) })
	require.ErrorIs(t, err, context.Canceled)
	b.idle()
	assert.Len(t, b.sent(), 1)
	assert.Empty(t, b.ws.Removing("a"))
}

func TestPatienceEnds(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	b.change(func() { s.status = "CHECK_IN_PROGRESS" })
	begin := b.clock.Now()
	err := b.grow(s, 1)
	require.ErrorContains(t, err, "CHECK_IN_PROGRESS")
	assert.GreaterOrEqual(t, b.clock.Since(begin), patience)
	assert.Empty(t, b.sent())
}

func TestTheClassicEngine(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	b.change(func() { b.classic = true })
	require.NoError(t, b.grow(s, 2))
	assert.Equal(t, "4", b.observed["a"].Parameters["node_count"], "it shows the old size")
	assert.Equal(t, 2, b.ws.Pending("a"))

	require.NoError(t, b.grow(s, 1), "queued behind the update")
	assert.Equal(t, 3, b.ws.Pending("a"))
	assert.Len(t, b.sent(), 1)

	m := b.member(s, 0)
	steps := 0
	require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}) }, func() {
		if steps++; steps == 20 {
			b.settle(s)
		}
	}))
	b.settle(s)
	b.refresh(s)
	b.settle(s)
	b.refresh(s)
	assert.Zero(t, b.ws.Pending("a"))
	assert.Len(t, b.ids(s), 6)
	assert.NotContains(t, b.ids(s), m.ServerID)
	assert.Equal(t, 1, b.verified)
	assert.Zero(t, b.wrong)
	assert.Empty(t, b.reasons())
}

func TestTheClassicEngineLosesAnUpdate(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	b.change(func() { b.classic = true })
	b.patchHook = func(s *fakeStack, _ map[string]any) (bool, error) {
		s.status = "UPDATE_IN_PROGRESS" // of somebody else, with the parameters as they are
		return true, nil
	}
	require.NoError(t, b.remove(s, 1))
	assert.Equal(t, -1, b.ws.Pending("a"))
	assert.Len(t, b.ws.Removing("a"), 1)
	b.settle(s)
	b.refresh(s)
	assert.Contains(t, b.reasons(), nodegroups.ReasonLostUpdate)
	assert.Zero(t, b.ws.Pending("a"))
	assert.Empty(t, b.ws.Removing("a"), "it was not removed")
	assert.Len(t, b.ids(s), 4)
}

func TestShrink(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	shrink := func(by int) error {
		return b.do(func(ctx context.Context) error { return b.ws.Shrink(ctx, s.ref, by) })
	}
	require.ErrorIs(t, shrink(1), errNothingToShrink)
	b.change(func() { s.status, s.count, s.shownCount = "UPDATE_FAILED", 5, 5 })
	require.ErrorIs(t, shrink(3), errNothingToShrink)
	require.NoError(t, shrink(2))
	assert.Equal(t, []string{"a 3 <nil>"}, b.sent())
	require.Error(t, shrink(0))
	require.Error(t, b.grow(s, 0))
}

func TestDryRunWritesNothing(t *testing.T) {
	b := newBenchWith(t, writerOptions{DryRun: true})
	s := b.add("a", 3)
	require.NoError(t, b.grow(s, 1))
	require.NoError(t, b.remove(s, 1))
	assert.Empty(t, b.sent())
	assert.Empty(t, b.ws.Removing("a"))
	b.change(func() { s.rows[1].Status, s.status = "CHECK_FAILED", "CHECK_FAILED" })
	require.Error(t, b.grow(s, 1))
	assert.Zero(t, b.checks)
}

func TestMissingParametersAndBadSizes(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	s.ref.Config.Parameters.Removal = "gone"
	var p nodegroups.Problem
	require.ErrorAs(t, b.grow(s, 1), &p)
	assert.Equal(t, nodegroups.ReasonMissingParameter, p.Reason)
	assert.Equal(t, "group-a", p.Group)
	s.ref.Config.Parameters.Removal, s.ref.Config.Parameters.Size = "nodes_to_remove", "nodes_to_remove"
	require.ErrorContains(t, b.grow(s, 1), "is no size")
	assert.Empty(t, b.sent())
}

func TestCloseGivesUpWhatWaits(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	done := make(chan error, 1)
	go func() { done <- b.ws.Grow(context.Background(), s.ref, 1) }()
	require.Eventually(t, b.clock.HasWaiters, 10*time.Second, time.Millisecond)
	b.ws.Close()
	require.ErrorIs(t, <-done, errClosed)
	require.ErrorIs(t, b.ws.Grow(context.Background(), s.ref, 1), errClosed)
	assert.Empty(t, b.sent())
}

func TestAnUnknownStackIsNothing(t *testing.T) {
	b := newBench(t)
	assert.Zero(t, b.ws.Pending("x"))
	assert.Empty(t, b.ws.Removing("x"))
}
