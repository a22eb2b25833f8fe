package heatstack

import (
	"context"
	"errors"
	"fmt"
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
	assert.Equal(t, "5", b.shownSize("a"), "the size is known when Grow returns")
	assert.Zero(t, b.pending("a"))
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
	b.fails(s, 5)
	require.NoError(t, b.remove(s, 5), "what the running update can't make does not wait for it")
	before := []string{"a 3 [1]", "a 5 <nil>", "a 4 [5]"}
	assert.Equal(t, before, b.sent())
	sent := b.clock.Now()
	members, looks, rested := []nodegroups.Member{b.member(s, 3)}, b.readings(), false
	require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Remove(ctx, s.ref, members) }, func() {
		if !rested && b.readings() > looks+20 { // it has looked several times
			assert.Equal(t, before, b.sent(), "a server that was made waits for the update")
			b.settle(s)
			rested = true
		}
	}))
	assert.Equal(t, append(before, "a 3 [3]"), b.sent())
	assert.GreaterOrEqual(t, b.clock.Since(sent), overtakenFor, "and for whatever of Heat's still deals with the one that was overtaken")
	b.settle(s)
	b.refresh(s)
	assert.Len(t, b.ids(s), 3)
	assert.Equal(t, 3, b.verified)
	assert.Zero(t, b.wrong)
}

// An update that overtook another one may be carried out twice.
func TestRemovalAfterAGrowthThatOvertookAnother(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	require.NoError(t, b.grow(s, 1))
	require.NoError(t, b.grow(s, 1))
	b.settle(s)
	sent := b.clock.Now()
	require.NoError(t, b.remove(s, 0))
	assert.Equal(t, []string{"a 4 <nil>", "a 5 <nil>", "a 4 [0]"}, b.sent())
	assert.GreaterOrEqual(t, b.clock.Since(sent), overtakenFor-time.Second)

	b.settle(s)
	require.NoError(t, b.grow(s, 1)) // at rest: it overtakes nothing
	b.settle(s)
	b.clock.Step(overtakenFor)
	sent = b.clock.Now()
	require.NoError(t, b.remove(s, 1))
	assert.Less(t, b.clock.Since(sent), overtakenFor/2)
}

// Of an update that failed because it was cancelled, something may go on: the next one may overtake it.
func TestRemovalAfterAGrowthThatFollowedAFailure(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	b.change(func() {
		s.status, s.reason = "UPDATE_FAILED", "Resource UPDATE failed: resources.nodes: "+cancelledByHeat
	})
	require.NoError(t, b.grow(s, 1))
	b.settle(s)
	sent := b.clock.Now()
	require.NoError(t, b.remove(s, 0))
	assert.Equal(t, []string{"a 4 <nil>", "a 3 [0]"}, b.sent())
	assert.GreaterOrEqual(t, b.clock.Since(sent), overtakenFor-time.Second)
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
	require.Eventually(t, b.clock.HasWaiters, time.Minute, time.Millisecond)
	b.ws.Close()
	require.ErrorIs(t, <-done, errClosed)
	require.ErrorIs(t, b.ws.Grow(context.Background(), s.ref, 1), errClosed)
	assert.Empty(t, b.sent())
}

func TestAnUnknownStackIsNothing(t *testing.T) {
	b := newBench(t)
	assert.Zero(t, b.pending("x"))
	assert.Empty(t, b.ws.Removing("x"))
}
