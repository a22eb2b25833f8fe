package heatstack

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// writerBench is writers on a fake cloud with a clock that moves only when everybody waits for it.
type writerBench struct {
	*fakeCloud
	t     *testing.T
	clock *clocktesting.FakeClock
	ws    *writers

	mu              sync.Mutex
	problems        []nodegroups.Problem
	verified, wrong int
	observed        map[string]*StackDetail
	facts           templateFacts // beside the group and the mode
}

func newBench(t *testing.T) *writerBench { return newBenchWith(t, writerOptions{}) }

func newBenchWith(t *testing.T, opts writerOptions) *writerBench {
	b := &writerBench{
		fakeCloud: newFakeCloud(), t: t, clock: clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0)),
		observed: map[string]*StackDetail{},
	}
	opts.Clock = b.clock
	b.ws = newWriters(b.fakeCloud, b.fakeCloud, writerHooks{
		observed: func(d *StackDetail) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.observed[d.ID] = d
			b.ws.Pending(d.ID, 0) // must not block
			b.ws.Removing(d.ID)
		},
		report: func(p nodegroups.Problem) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.problems = append(b.problems, p)
		},
		template: func(_ context.Context, ref stackRef) (templateFacts, error) {
			b.fakeCloud.mu.Lock()
			defer b.fakeCloud.mu.Unlock()
			facts := b.facts
			facts.Group, facts.RemovalMode = "nodes", b.stacks[ref.ID].mode
			return facts, nil
		},
		superseded: func(string) {},
		removed: func(_ string, verified, wrong int) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.verified += verified
			b.wrong += wrong
		},
	}, opts)
	t.Cleanup(b.ws.Close)
	return b
}

// do runs f while the clock goes on, and returns its error. during is called between the clock's steps.
func (b *writerBench) do(f func(context.Context) error, during ...func()) error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer close(done) // a requirement that fails there ends that goroutine, and not the test
		done <- f(ctx)
	}()
	for {
		select {
		case err, ok := <-done:
			require.True(b.t, ok, "what was done has ended without an answer")
			require.NoError(b.t, ctx.Err(), "nothing moves any more")
			return err
		case <-time.After(100 * time.Microsecond):
			for _, d := range during {
				d()
			}
			if b.clock.HasWaiters() {
				b.clock.Step(100 * time.Millisecond)
			}
		}
	}
}

// queued waits until so many intents have arrived, without letting time go by.
func (b *writerBench) queued(count int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		b.ws.mu.Lock()
		defer b.ws.mu.Unlock()
		n := 0
		for _, w := range b.ws.stacks {
			w.mu.Lock()
			n += w.unresolved()
			w.mu.Unlock()
		}
		return n == count
	}, 30*time.Second, time.Millisecond)
}

// idle lets the clock go on until no writer runs.
func (b *writerBench) idle() {
	b.t.Helper()
	require.NoError(b.t, b.do(func(ctx context.Context) error {
		for ctx.Err() == nil {
			isRunning := false
			b.ws.mu.Lock()
			for _, w := range b.ws.stacks {
				w.mu.Lock()
				isRunning = isRunning || w.running
				w.mu.Unlock()
			}
			b.ws.mu.Unlock()
			if !isRunning {
				return nil
			}
			time.Sleep(50 * time.Microsecond)
		}
		return ctx.Err()
	}))
}

// refresh shows the stack to the writers as a refresh would.
func (b *writerBench) refresh(s *fakeStack) {
	b.t.Helper()
	b.fakeCloud.mu.Lock()
	detail := b.detailLocked(s)
	var live []Server
	for _, row := range s.rows {
		if status, ok := b.servers[row.ServerID]; ok && status == "ACTIVE" {
			live = append(live, Server{ID: row.ServerID, Status: status})
		}
	}
	b.fakeCloud.mu.Unlock()
	b.ws.Observe(context.Background(), s.ref, detail, isSettled(detail.Status), live)
	b.idle()
}

// shownSize is the size parameter as the reading half was last told of it.
func (b *writerBench) shownSize(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.observed[id].Parameters["node_count"]
}

// pending is what is pending for somebody who knows the size that was shown last.
func (b *writerBench) pending(id string) int {
	size := 0
	b.mu.Lock()
	if detail := b.observed[id]; detail != nil {
		size, _ = parseSize(detail.Parameters["node_count"])
	}
	b.mu.Unlock()
	return b.ws.Pending(id, size)
}

func (b *writerBench) reasons() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, p := range b.problems {
		out = append(out, p.Reason)
	}
	return out
}

func (b *writerBench) grow(s *fakeStack, by int) error {
	b.t.Helper()
	return b.do(func(ctx context.Context) error { return b.ws.Grow(ctx, s.ref, by) })
}

func (b *writerBench) remove(s *fakeStack, indices ...int) error {
	b.t.Helper()
	var members []nodegroups.Member
	for _, i := range indices {
		members = append(members, b.member(s, i))
	}
	return b.do(func(ctx context.Context) error { return b.ws.Remove(ctx, s.ref, members) })
}
