package heatstack

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func (b *writerBench) replace(s *fakeStack, indices ...int) error {
	members := make([]nodegroups.Member, 0, len(indices))
	for _, i := range indices {
		members = append(members, b.member(s, i))
	}
	return b.do(func(ctx context.Context) error { return b.ws.Replace(ctx, s.ref, members) })
}

func TestReplaceKeepsTheSizeAndIsVerified(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	before := b.ids(s)
	require.NoError(t, b.replace(s, 1))
	assert.Equal(t, []string{"a 4 [1]"}, b.sent())
	assert.Equal(t, "4", b.shownSize("a"))
	assert.Equal(t, map[string]bool{before[1]: true}, b.ws.Removing("a"))
	require.NoError(t, b.replace(s, 1), "repeated")
	assert.Len(t, b.sent(), 1, "what is being replaced is not ordered again")
	b.settle(s)
	b.refresh(s)
	after := b.ids(s)
	assert.Len(t, after, 4)
	assert.Equal(t, []string{before[0], before[2], before[3]}, after[:3], "and a new one")
	assert.Equal(t, 1, b.verified)
	assert.Zero(t, b.wrong)
}

func TestReplacementAndRemovalShareAnUpdate(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 4)
	replaced, removed := b.member(s, 0), b.member(s, 2)
	errs := make(chan error, 2)
	go func() { errs <- b.ws.Replace(context.Background(), s.ref, []nodegroups.Member{replaced}) }()
	go func() { errs <- b.ws.Remove(context.Background(), s.ref, []nodegroups.Member{removed}) }()
	b.queued(2)
	require.NoError(t, b.do(func(context.Context) error { return errors.Join(<-errs, <-errs) }))
	assert.Equal(t, []string{"a 3 [0 2]"}, b.sent())
	b.settle(s)
	b.refresh(s)
	assert.Len(t, b.ids(s), 3)
	assert.Equal(t, 2, b.verified)
}

// A replacement without effect is ordered once more, and still as a replacement.
func TestAReplacementWithoutEffectIsRepeatedAtTheSameSize(t *testing.T) {
	b := newBench(t)
	s := b.add("a", 3)
	victim := b.member(s, 1)
	require.NoError(t, b.replace(s, 1))
	b.change(func() { // Heat says that it is through, and the member lives
		s.list, s.shownList = nil, nil
		s.status = "UPDATE_COMPLETE"
		s.updated++
	})
	require.NoError(t, b.do(func(context.Context) error {
		b.refresh(s)
		return nil
	}))
	require.Equal(t, []string{"a 3 [1]", "a 3 [1]"}, b.sent())
	b.settle(s)
	b.refresh(s)
	assert.Len(t, b.ids(s), 3)
	assert.NotContains(t, b.ids(s), victim.ServerID)
}

func TestAReplacementInADryRunIsNotSent(t *testing.T) {
	b := newBenchWith(t, writerOptions{DryRun: true})
	s := b.add("a", 3)
	require.NoError(t, b.replace(s, 1))
	assert.Empty(t, b.sent())
}
