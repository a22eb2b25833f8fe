package heatstack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// intentKind says what an intent wants.
type intentKind int

const (
	wantGrowth intentKind = iota + 1
	wantRemoval
	// wantReplacement is a removal that leaves the size as it is.
	wantReplacement
	wantShrinking
	// wantRetry is the writer's own: an update that changes nothing, so that Heat tries failed members again.
	wantRetry
)

// intent is something that a caller wants done to a stack. All fields but done need the writer's lock.
type intent struct {
	kind    intentKind
	by      int
	members []nodegroups.Member // of a removal or replacement: those that are not dealt with yet
	arrived time.Time
	// committed: it is in an update that is on its way, and cannot be withdrawn.
	committed bool
	// withdrawn: its caller has gone. abandoned: its caller went while it was in an update; should that turn out not to have
	// been carried out it is withdrawn, because nobody expects it to happen any more.
	withdrawn, abandoned bool
	// answered: its caller has its answer.
	answered bool
	// queued: a growth that was accepted and could not be sent yet. It counts as ordered.
	queued bool
	// resolved: it is dealt with.
	resolved bool
	// second: a removal or replacement that is ordered again, because the first order had no effect.
	second bool
	// refused collects what went wrong with parts of it; waits is what it waits for now.
	refused []error
	waits   error
	done    chan error
}

func newIntent(kind intentKind, now time.Time) *intent {
	return &intent{kind: kind, arrived: now, done: make(chan error, 1)}
}

// names tells whether the intent is about members that have to go.
func (i *intent) names() bool { return i.kind == wantRemoval || i.kind == wantReplacement }

// answer tells the caller, once.
func (i *intent) answer(err error) {
	if !i.answered {
		i.answered = true
		i.done <- err
	}
}

// await waits for the answer. A caller that gives up takes back what was not sent yet.
func (w *writer) await(ctx context.Context, i *intent) error {
	select {
	case err := <-i.done:
		return err
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i.answered {
		return <-i.done
	}
	if i.committed {
		i.abandoned = true
		return fmt.Errorf("the update was sent and its outcome is not known yet: %w", ctx.Err())
	}
	i.withdrawn = true
	if i.waits != nil {
		return fmt.Errorf("%w: %w", i.waits, ctx.Err())
	}
	return ctx.Err()
}

// wishesOf are the intents as a plan wants them, with the positions of each intent's wishes.
func wishesOf(intents []*intent, maximum int) wishes {
	w := wishes{Max: maximum}
	for _, i := range intents {
		switch i.kind {
		case wantGrowth:
			w.Grow = append(w.Grow, i.by)
		case wantShrinking:
			w.Shrink = append(w.Shrink, i.by)
		case wantRemoval:
			w.Remove = append(w.Remove, i.members...)
		case wantReplacement:
			w.Replace = append(w.Replace, i.members...)
		case wantRetry:
			w.Retry = true
		}
	}
	return w
}

// decisionsOn are a plan's decisions on one intent, given that those on earlier intents of its kind have been taken off.
func (p *plan) decisionsOn(i *intent) []decision {
	cut := func(list *[]decision, n int) []decision {
		out := (*list)[:n]
		*list = (*list)[n:]
		return out
	}
	switch i.kind {
	case wantGrowth:
		return cut(&p.Grow, 1)
	case wantShrinking:
		return cut(&p.Shrink, 1)
	case wantRemoval:
		return cut(&p.Remove, len(i.members))
	case wantReplacement:
		return cut(&p.Replace, len(i.members))
	case wantRetry:
		return []decision{p.Retry}
	}
	return nil
}

// resolve ends an intent with err, or with everything that was refused of it, or with nil.
func (i *intent) resolve(err error) {
	i.resolved = true
	i.answer(errors.Join(append(i.refused, err)...))
}
