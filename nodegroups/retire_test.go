package nodegroups_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// stopper is a Stopper whose machines go off when they are told to.
type stopper struct {
	mu      sync.Mutex
	stopped []string
	atMost  time.Duration
	off     map[string]chan struct{} // machines that take their time
}

func (s *stopper) Stop(ctx context.Context, member nodegroups.Member, atMost time.Duration) {
	s.mu.Lock()
	s.stopped = append(s.stopped, member.ServerID)
	s.atMost = atMost
	off := s.off[member.ServerID]
	s.mu.Unlock()
	if off != nil {
		select {
		case <-off:
		case <-ctx.Done():
		}
	}
}

func (s *stopper) time() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.atMost
}

func (s *stopper) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.stopped))
}

// gracefully lets a group's machines shut down for a minute.
func gracefully(s *nodegroups.Stack) {
	minute := time.Minute
	s.Config.Life.GracefulShutdownTime = &minute
}

func TestManagerRetireShutsDownFirst(t *testing.T) {
	slow := make(chan struct{})
	s := &stopper{off: map[string]chan struct{}{fake.ServerID("a", 0): slow}}
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Stopper: s}, fake.Stack("a", 4, fake.InGroup("a", 2, 9), gracefully))
	first := make(chan error)
	go func() { first <- m.Retire(context.Background(), "a", ids("a", 0, 1), false) }()
	require.Eventually(t, func() bool { return slices.Equal(orders(cloud), []string{"Remove a 1"}) }, time.Minute, time.Millisecond,
		"the second one's machine is off, and it does not wait for the first")
	assert.Equal(t, time.Minute, s.time())

	assert.ErrorIs(t, m.Remove(context.Background(), "a", ids("a", 2), false), nodegroups.ErrBelowMin, "the one that is shutting down is on its way out")
	assert.ErrorIs(t, m.Replace(context.Background(), "a", fake.ServerID("a", 0)), nodegroups.ErrBeingRemoved)
	assert.Equal(t, 3, m.Snapshot().Group("a").Target, "but it counts until its removal is ordered")
	close(slow)
	require.NoError(t, <-first)
	assert.Equal(t, 2, m.Snapshot().Group("a").Target)
	assert.Len(t, s.all(), 2)
}

func TestManagerRetireWithoutShutdown(t *testing.T) {
	s := &stopper{}
	for _, test := range []struct {
		opts    nodegroups.ManagerOptions
		changes []func(*nodegroups.Stack)
	}{
		{nodegroups.ManagerOptions{Stopper: s}, nil},
		{nodegroups.ManagerOptions{}, []func(*nodegroups.Stack){gracefully}},
	} {
		m, cloud, _ := newManager(t, test.opts, fake.Stack("a", 3, test.changes...))
		require.NoError(t, m.Retire(context.Background(), "a", ids("a", 0, 1), false))
		assert.Equal(t, []string{"Remove a 2"}, orders(cloud))
		assert.Empty(t, s.all())
		assert.ErrorIs(t, m.Retire(context.Background(), "b", ids("a", 0), false), nodegroups.ErrUnknownGroup)
	}
}

func TestManagerRetireOfMembersWithoutAMachine(t *testing.T) {
	s := &stopper{}
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Stopper: s}, fake.Stack("a", 2, gracefully, func(s *nodegroups.Stack) {
		s.Members[0].State, s.Members[0].Failure = nodegroups.Failed, &nodegroups.Failure{}
	}))
	require.NoError(t, m.Grow(context.Background(), "a", 1))
	require.NoError(t, m.Retire(context.Background(), "a", append(ids("a", 0, 1), nodegroups.PlaceholderID(fake.UUID("a"), 0)), false))
	assert.Equal(t, ids("a", 1), s.all(), "only what runs is shut down")
	assert.Equal(t, []string{"Grow a 1", "Remove a 1", "Remove a 1", "Shrink a 1"}, orders(cloud))
}

func TestManagerRetireKeepsTheMinimumBeforeItShutsDown(t *testing.T) {
	s := &stopper{}
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Stopper: s}, fake.Stack("a", 2, fake.InGroup("a", 2, 9), gracefully))
	assert.ErrorIs(t, m.Retire(context.Background(), "a", ids("a", 0), false), nodegroups.ErrBelowMin)
	assert.Empty(t, s.all(), "nothing was shut down for nothing")
	require.NoError(t, m.Retire(context.Background(), "a", ids("a", 0), true))
	assert.Equal(t, []string{"Remove a 1"}, orders(cloud))
}

// The end of the program in the middle: nothing is ordered that nobody waits for.
func TestManagerRetireGivesUpWithItsContext(t *testing.T) {
	s := &stopper{off: map[string]chan struct{}{fake.ServerID("a", 0): make(chan struct{})}}
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Stopper: s}, fake.Stack("a", 2, gracefully))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- m.Retire(ctx, "a", ids("a", 0), false) }()
	require.Eventually(t, func() bool { return len(s.all()) == 1 }, time.Minute, time.Millisecond)
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
	assert.Empty(t, orders(cloud))
	assert.NoError(t, m.Replace(context.Background(), "a", fake.ServerID("a", 0)), "it does not count as being removed any more")
}

func TestManagerRetireFromABlockedShard(t *testing.T) {
	s := &stopper{}
	in, blocked := fake.InGroup("workers", 0, 9), fake.BlockedBy(nodegroups.ReasonStackState)
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Stopper: s}, fake.Stack("a", 1, in, blocked, gracefully), fake.Stack("b", 1, in, gracefully))
	assert.ErrorIs(t, m.Retire(context.Background(), "workers", slices.Concat(ids("a", 0), ids("b", 0)), false), *fake.Stack("a", 1, in, blocked).Blocked)
	assert.Equal(t, ids("b", 0), s.all(), "what can't be removed is not shut down")
	assert.Equal(t, []string{"Remove b 1"}, orders(cloud))
}
