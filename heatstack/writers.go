package heatstack

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// How long things take at most, and how often they are tried. Each has its reason.
const (
	// defaultGather is long against the time between two goroutines of one caller and short against Heat's seconds.
	defaultGather = 200 * time.Millisecond
	// gatherAtMost bounds the gathering when intents keep dropping in, in multiples of the idle time.
	gatherAtMost = 5
	// patience is how long an intent waits for a stack that is busy. cluster-autoscaler asks again in its next loops anyway.
	patience = 2 * time.Minute
	// queuePatience is how long a growth that was answered already stays queued behind an update: Heat's default timeout.
	queuePatience = time.Hour
	// pollFirst and pollLast bound the time between two looks at a busy stack. A refresh that sees it move wakes us earlier.
	pollFirst, pollLast = time.Second, 10 * time.Second
	// sendTries is how often one set of intents is sent, when Heat loses the update or does not answer.
	sendTries = 3
	// defaultWriteTimeout bounds one look-plan-send-read-back, whatever the transport's deadline per request is.
	defaultWriteTimeout = 3 * time.Minute
)

// errClosed: the autoscaler is ending.
var errClosed = errors.New("the writer is closed")

// writers change stacks: one writer for each, so that at most one update of a stack is on its way from us. Two that arrive
// at Heat together are both answered 202 and one of them is lost without trace.
type writers struct {
	heat  Heat
	nova  Nova
	hooks writerHooks
	opts  writerOptions
	// ctx ends with Close.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	stacks map[string]*writer
}

var _ stackWriter = (*writers)(nil)

// newWriters returns writers for stacks of the given cloud. Close ends their goroutines.
func newWriters(heat Heat, nova Nova, hooks writerHooks, opts writerOptions) *writers {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Gather <= 0 {
		opts.Gather = defaultGather
	}
	if opts.WriteTimeout <= 0 {
		opts.WriteTimeout = defaultWriteTimeout
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &writers{heat: heat, nova: nova, hooks: hooks, opts: opts, ctx: ctx, cancel: cancel, stacks: map[string]*writer{}}
}

// of returns the writer of a stack, and makes it if ref is given.
func (ws *writers) of(id string, ref *stackRef) *writer {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.stacks[id]
	if w == nil && ref != nil {
		w = &writer{all: ws, ref: *ref, wake: make(chan struct{}, 1)}
		ws.stacks[id] = w
	}
	return w
}

// Grow implements stackWriter.
func (ws *writers) Grow(ctx context.Context, ref stackRef, by int) error {
	if by <= 0 {
		return fmt.Errorf("stack %s: growth by %d", ref.Name, by)
	}
	i := newIntent(wantGrowth, ws.opts.Clock.Now())
	i.by = by
	return ws.order(ctx, ref, i)
}

// Shrink implements stackWriter.
func (ws *writers) Shrink(ctx context.Context, ref stackRef, by int) error {
	if by <= 0 {
		return fmt.Errorf("stack %s: shrinking by %d", ref.Name, by)
	}
	if w := ws.of(ref.ID, nil); w != nil {
		by -= w.withdrawQueued(by) // the update that it waits for need not end first
	}
	if by == 0 {
		return nil
	}
	i := newIntent(wantShrinking, ws.opts.Clock.Now())
	i.by = by
	return ws.order(ctx, ref, i)
}

// Remove implements stackWriter. Members whose removal has been ordered already cost nothing: cluster-autoscaler repeats
// itself in every loop.
func (ws *writers) Remove(ctx context.Context, ref stackRef, members []nodegroups.Member) error {
	return ws.takeOut(ctx, ref, wantRemoval, members)
}

// Replace implements stackWriter.
func (ws *writers) Replace(ctx context.Context, ref stackRef, members []nodegroups.Member) error {
	return ws.takeOut(ctx, ref, wantReplacement, members)
}

// takeOut orders that members go, unless that has been ordered already.
func (ws *writers) takeOut(ctx context.Context, ref stackRef, kind intentKind, members []nodegroups.Member) error {
	going := ws.Removing(ref.ID)
	i := newIntent(kind, ws.opts.Clock.Now())
	for _, m := range members {
		if m.ServerID == "" || !going[m.ServerID] {
			i.members = append(i.members, m)
		}
	}
	if len(i.members) == 0 {
		return nil
	}
	return ws.order(ctx, ref, i)
}

// order queues an intent and waits for what becomes of it.
func (ws *writers) order(ctx context.Context, ref stackRef, i *intent) error {
	w := ws.of(ref.ID, &ref)
	w.mu.Lock()
	w.ref = ref
	w.mu.Unlock()
	if err := w.enqueue(i); err != nil {
		return err
	}
	return w.explain(w.await(ctx, i))
}

// Pending implements stackWriter. With a classic engine, which shows old parameters until an update ends, it is negative
// while members that the size parameter still counts are being removed.
func (ws *writers) Pending(stackID string, size int) int {
	if w := ws.of(stackID, nil); w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.pending(size)
	}
	return 0
}

// Removing implements stackWriter.
func (ws *writers) Removing(stackID string) map[string]bool {
	out := map[string]bool{}
	if w := ws.of(stackID, nil); w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, r := range w.removals {
			for _, v := range r.victims {
				if v.ServerID != "" {
					out[v.ServerID] = true
				}
			}
		}
	}
	return out
}

// Close implements stackWriter. It waits until the goroutines have ended.
func (ws *writers) Close() {
	ws.mu.Lock()
	ws.closed = true
	ws.mu.Unlock()
	ws.cancel()
	ws.wg.Wait()
}
