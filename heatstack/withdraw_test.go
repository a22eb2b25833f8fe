package heatstack

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Growth that waits behind an update is taken back without waiting for it, and without an update of its own.
func TestQueuedGrowthIsWithdrawn(t *testing.T) {
	for name, tc := range map[string]struct {
		shrink  []int
		pending int // beside the 2 of the running update
		sent    []string
	}{
		"all of it":           {shrink: []int{3}, sent: []string{"a 6 <nil>"}},
		"the latest":          {shrink: []int{1}, pending: 2, sent: []string{"a 6 <nil>", "a 8 <nil>"}},
		"a part of the first": {shrink: []int{2}, pending: 1, sent: []string{"a 6 <nil>", "a 7 <nil>"}},
		"one after the other": {shrink: []int{1, 1}, pending: 1, sent: []string{"a 6 <nil>", "a 7 <nil>"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.add("a", 4)
			b.change(func() { b.classic = true })
			require.NoError(t, b.grow(s, 2))
			require.NoError(t, b.grow(s, 2), "queued behind the update")
			require.NoError(t, b.grow(s, 1), "queued as well")
			require.Equal(t, 5, b.pending("a"))
			for _, by := range tc.shrink {
				require.NoError(t, b.do(func(ctx context.Context) error { return b.ws.Shrink(ctx, s.ref, by) }))
			}
			assert.Equal(t, 2+tc.pending, b.pending("a"))
			assert.Len(t, b.sent(), 1)
			b.settle(s)
			b.refresh(s)
			b.idle()
			assert.Equal(t, tc.sent, b.sent())
		})
	}
}

func TestShrinkingTakesQueuedGrowthFirst(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	b.change(func() { b.classic = true })
	require.NoError(t, b.grow(s, 2))
	require.NoError(t, b.grow(s, 1), "queued behind the update")
	steps := 0
	err := b.do(func(ctx context.Context) error { return b.ws.Shrink(ctx, s.ref, 2) }, func() {
		if steps++; steps == 20 {
			b.settle(s)
		}
	})
	require.ErrorIs(t, err, errNothingToShrink, "the update has made all its members")
	b.refresh(s)
	b.idle()
	assert.Zero(t, b.pending("a"), "what was queued is withdrawn")
	assert.Equal(t, []string{"a 6 <nil>"}, b.sent())
	assert.Len(t, b.ids(s), 6)
}
