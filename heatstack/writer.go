package heatstack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// writer changes one stack. Its goroutine runs while there is something to do. No lock is held over a call.
type writer struct {
	all *writers

	mu      sync.Mutex
	ref     stackRef
	running bool
	// wake has a value when there may be a reason to look at the stack again.
	wake chan struct{}
	// queue holds intents that have arrived and are not being dealt with, waiting those that are.
	queue, waiting []*intent
	// last is what we wrote last, nil if we don't know.
	last *order
	// isConvergent: Heat was seen to show an update's parameters while it was running, so that an update that does not show
	// is lost and not waiting to be shown.
	isConvergent bool
	// quietUntil is when an update that may have met another one in Heat is sure to have been carried out by all of Heat's workers: one of ours,
	// or one of somebody else's, whose time counts from when it was first seen.
	quietUntil time.Time
	// updated is the stack's updated_time at the last look.
	updated string
	// removals are those that were ordered and are not verified yet.
	removals []*removal
	// othersAtWork: since the stack was last seen at rest somebody else has begun an update. Ours may have superseded it, and members
	// that it has begun to remove go all the same.
	othersAtWork bool
	recovery     recovery
	// seen is the status and updated_time at the last sight; verified those at the last verification, which is not repeated
	// for the same before verifyNext.
	seen, verified string
	verifyNext     time.Time
	// failures counts reads of the cloud that failed, one after the other.
	failures int
	// chores are what a refresh has found to be due.
	chores chores
}

// enqueue adds an intent and starts the goroutine if it does not run.
func (w *writer) enqueue(i *intent) error {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	if w.all.closed {
		return errClosed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, i)
	w.start()
	return nil
}

// start runs the goroutine, or wakes it. It needs the locks of the writers and of the writer.
func (w *writer) start() {
	if w.running {
		w.nudge()
		return
	}
	w.running = true
	w.all.wg.Add(1)
	go func() {
		defer w.all.wg.Done()
		w.run(w.all.ctx)
	}()
}

// nudge wakes the goroutine if it waits.
func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run deals with intents and chores until there are none.
func (w *writer) run(ctx context.Context) {
	poll := pollFirst
	tries := 0
	for {
		w.gather(ctx)
		if ctx.Err() != nil {
			w.giveUp()
			return
		}
		intents, ended := w.take()
		if ended {
			return
		}
		if len(intents) == 0 {
			w.doChores(ctx)
			continue
		}
		sent, again := w.step(ctx, intents, tries)
		switch {
		case again: // the same intents at once, from a fresh look
			tries++
		case sent:
			tries, poll = 0, pollFirst
		}
		if again || !w.hasWaiting() {
			continue
		}
		w.sleep(ctx, poll)
		poll = min(poll*2, pollLast)
	}
}

// gather waits until no more intents drop in.
func (w *writer) gather(ctx context.Context) {
	w.mu.Lock()
	seen := len(w.queue)
	w.mu.Unlock()
	for round := 0; seen > 0 && round < gatherAtMost; round++ {
		timer := w.all.opts.Clock.NewTimer(w.all.opts.Gather)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return
		}
		w.mu.Lock()
		now := len(w.queue)
		w.mu.Unlock()
		if now == seen {
			return
		}
		seen = now
	}
}

// take moves the queue to the intents that are being dealt with and lets go of those that nobody waits for, or that have
// waited too long. If nothing at all is left to do it ends the goroutine.
func (w *writer) take() (intents []*intent, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.all.opts.Clock.Now()
	candidates := slices.Concat(w.waiting, w.queue)
	w.queue, w.waiting = nil, nil
	for _, i := range candidates {
		age := now.Sub(i.arrived)
		switch {
		case i.withdrawn, i.resolved:
		case i.queued && age > queuePatience, !i.queued && age > patience:
			i.resolve(fmt.Errorf("not done within %s: %w", age.Round(time.Second), waitsFor(i.waits)))
		default:
			w.waiting = append(w.waiting, i)
		}
	}
	if len(w.waiting) == 0 && !w.chores.any() {
		w.running = false
		return nil, true
	}
	return slices.Clone(w.waiting), false
}

// waitsFor is what an intent has waited for in vain.
func waitsFor(err error) error {
	if err == nil {
		return errors.New("the cloud gave no usable answer")
	}
	return err
}

// hasWaiting tells whether there is nothing new, only intents that wait.
func (w *writer) hasWaiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) == 0 && w.unresolved() > 0
}

// unresolved counts the intents that somebody waits for. It needs the lock.
func (w *writer) unresolved() int {
	n := 0
	for _, list := range [][]*intent{w.waiting, w.queue} {
		for _, i := range list {
			if !i.resolved && !i.withdrawn {
				n++
			}
		}
	}
	return n
}

// sleep waits for a while, or until somebody has news.
func (w *writer) sleep(ctx context.Context, d time.Duration) {
	timer := w.all.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-w.wake:
	case <-ctx.Done():
	}
}

// giveUp answers everybody at the end of the program.
func (w *writer) giveUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range slices.Concat(w.waiting, w.queue) {
		i.resolve(errClosed)
	}
	w.queue, w.waiting, w.running = nil, nil, false
}

// explain completes an error with the names of the group and the stack.
func (w *writer) explain(err error) error {
	if err == nil {
		return nil
	}
	w.mu.Lock()
	name, group := w.ref.Name, w.ref.Config.Name
	w.mu.Unlock()
	var problem nodegroups.Problem
	if errors.As(err, &problem) && problem.Stack == "" {
		named := problem
		named.Stack, named.Group = name, group
		return &explained{problem: named, err: err}
	}
	return fmt.Errorf("stack %s: %w", name, err)
}

// explained is an error whose problem has got its names.
type explained struct {
	problem nodegroups.Problem
	err     error
}

func (e *explained) Error() string   { return e.problem.Error() }
func (e *explained) Unwrap() []error { return []error{e.problem, e.err} }

// report passes a problem on with the names of the group and the stack.
func (w *writer) report(p nodegroups.Problem) {
	w.mu.Lock()
	p.Stack, p.Group = w.ref.Name, w.ref.Config.Name
	w.mu.Unlock()
	w.all.hooks.report(p)
}
