package heatstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

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

// Whoever gives an order without an answer to another stack instead, or again, may get both.
func TestAnOrderWithoutAnAnswerIsNoRefusal(t *testing.T) {
	for name, unread := range map[string]bool{"it can't be read back": true, "it does not show": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.add("a", 2)
			b.patchHook = func(*fakeStack, map[string]any) (bool, error) {
				if unread {
					b.readErr = httpError(http.StatusServiceUnavailable)
				}
				return true, httpError(http.StatusGatewayTimeout)
			}
			err := b.grow(s, 1)
			require.ErrorIs(t, err, nodegroups.ErrOutcomeUnknown)
			assert.True(t, hasStatus(err, http.StatusGatewayTimeout), "%v", err)
		})
	}
}

// An update that was not answered arrives half a minute later, behind what we would have sent meanwhile.
func TestAnUpdateThatArrivesLate(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 5)
	ids := b.ids(s)
	var late map[string]any
	var at time.Time
	b.patchHook = func(_ *fakeStack, parameters map[string]any) (bool, error) {
		if late != nil {
			return false, nil
		}
		late, at = parameters, b.clock.Now().Add(30*time.Second)
		return true, httpError(http.StatusGatewayTimeout)
	}
	arrive := func() {
		b.change(func() {
			if late != nil && !at.IsZero() && !b.clock.Now().Before(at) {
				b.applyLocked(s, late)
				b.settleLocked(s)
				at = time.Time{}
			}
		})
	}
	m := b.member(s, 2)
	grown := make(chan error, 1)
	require.NoError(t, b.do(func(ctx context.Context) error {
		go func() {
			for len(b.sent()) == 0 && ctx.Err() == nil {
				time.Sleep(50 * time.Microsecond)
			}
			grown <- b.ws.Grow(ctx, s.ref, 3)
		}()
		return errors.Join(b.ws.Remove(ctx, s.ref, []nodegroups.Member{m}), <-grown)
	}, arrive))
	b.settle(s)
	b.clock.Step(time.Minute)
	arrive()
	assert.Len(t, b.ids(s), 7)
	for n, id := range ids {
		assert.Equal(t, n != 2, slices.Contains(b.ids(s), id), "member %d", n)
	}
}

func TestWhatHeatRefusesIsAnError(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 2)
	b.patchHook = func(*fakeStack, map[string]any) (bool, error) { return true, httpError(http.StatusForbidden) }
	err := b.grow(s, 1)
	require.True(t, hasStatus(err, http.StatusForbidden), "%v", err)
	assert.Len(t, b.sent(), 1)
	assert.NotErrorIs(t, err, nodegroups.ErrOutcomeUnknown)
	assert.Zero(t, b.pending("a"))
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
	s := b.add("a", 3)
	require.NoError(t, b.grow(s, 1), "from now on it is known that a running update's parameters show")
	b.settle(s)
	b.change(func() {
		b.patches = nil
		b.applyLocked(s, map[string]any{"node_count": 5})
	})
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

// A classic engine shows the old size until an update has ended. Somebody else's, or one of ours before a restart, may end
// between our look and our update, which would take away what it has made.
func TestGrowthWaitsForASizeThatMayBeHidden(t *testing.T) {
	for _, isOwnSize := range []bool{false, true} {
		b := newBench(t)
		s := b.add("a", 4)
		b.change(func() { b.classic = true })
		if isOwnSize {
			require.NoError(t, b.grow(s, 1))
			b.settle(s)
			b.refresh(s)
		}
		before := len(b.sent())
		b.change(func() { b.applyLocked(s, map[string]any{"node_count": 8}) })
		b.patchHook = func(s *fakeStack, _ map[string]any) (bool, error) {
			if isBusy(s.status) {
				b.settleLocked(s)
			}
			return false, nil
		}
		require.NoError(t, b.grow(s, 1), "it is queued")
		assert.Equal(t, 1, b.pending("a"))
		assert.Len(t, b.sent(), before)
		b.settle(s)
		b.idle()
		require.Len(t, b.sent(), before+1)
		assert.Equal(t, "a 9 <nil>", b.sent()[before])
	}
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
	assert.Equal(t, "4", b.shownSize("a"), "it shows the old size")
	assert.Equal(t, 2, b.pending("a"))
	assert.Zero(t, b.ws.Pending("a", 6), "somebody has read the new size already")

	require.NoError(t, b.grow(s, 1), "queued behind the update")
	assert.Equal(t, 1, b.ws.Pending("a", 6))
	assert.Equal(t, 3, b.pending("a"))
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
	assert.Zero(t, b.pending("a"))
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
	assert.Equal(t, -1, b.pending("a"))
	assert.Len(t, b.ws.Removing("a"), 1)
	b.settle(s)
	b.refresh(s)
	assert.Contains(t, b.reasons(), nodegroups.ReasonLostUpdate)
	assert.Zero(t, b.pending("a"))
	assert.Empty(t, b.ws.Removing("a"), "it was not removed")
	assert.Len(t, b.ids(s), 4)
}
