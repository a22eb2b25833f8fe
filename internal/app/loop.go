package app

import (
	"context"
	"time"

	"k8s.io/autoscaler/cluster-autoscaler/loop"
	coremetrics "k8s.io/autoscaler/cluster-autoscaler/metrics"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/autoscaler"
)

// looper runs core's loop until it is told to stop.
type looper struct {
	autoscaler *autoscaler.Autoscaler
	health     *coremetrics.HealthCheck
	interval   time.Duration
	// trigger begins a loop early; nil without --frequent-loops-enabled.
	trigger *loop.LoopTrigger
	// pending is closed when the trigger that was asked last has fired. It outlives a wait that a timer ended: what it
	// noticed must not get lost.
	pending chan struct{}
}

// run runs one loop after the other until ctx ends. A loop that has begun is finished.
func (l *looper) run(ctx context.Context) {
	previous, last := time.Now(), time.Now()
	for ctx.Err() == nil {
		loop.RunAutoscalerOnce(l.autoscaler, l.health, last)
		// The trigger does not wait if anything was done since the last loop but one began.
		l.wait(ctx, previous)
		previous, last = last, time.Now()
	}
}

// wait returns when the next loop is due, or ctx has ended.
func (l *looper) wait(ctx context.Context, previous time.Time) {
	timer := time.NewTimer(l.autoscaler.Eagerness.Wait(time.Now(), l.interval))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-l.triggered(previous):
		l.pending = nil
	}
}

// triggered returns a channel that is closed when the trigger fires; nil, which never is ready, without one.
func (l *looper) triggered(previous time.Time) <-chan struct{} {
	if l.trigger == nil {
		return nil
	}
	if l.pending == nil {
		fired := make(chan struct{})
		l.pending = fired
		go func() {
			defer close(fired)
			l.trigger.Wait(previous)
		}()
	}
	return l.pending
}
