package autoscaler

import (
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/processors/pods"
)

// youngFor is for how long core leaves pods alone after they were created, in case more are about to come
// (unschedulablePodTimeBuffer in core/static_autoscaler.go).
const youngFor = 2 * time.Second

// Eagerness notices when a loop put off a scale-up because all pending pods were too young. Core would look again after
// a whole scan interval, although the pods are old enough after two seconds. It is a pods.ScaleUpEnforcer, which core
// asks, with the pending pods, when it is about to do nothing.
type Eagerness struct {
	pods.ScaleUpEnforcer
	oldEnough atomic.Int64 // when the oldest pending pod has the age, as nanoseconds since 1970
}

func newEagerness() *Eagerness { return &Eagerness{} }

// ShouldForceScaleUp answers what the wrapped enforcer answers.
func (e *Eagerness) ShouldForceScaleUp(pending []*v1.Pod) bool {
	var oldest time.Time
	for _, p := range pending {
		if created := p.CreationTimestamp.Time; oldest.IsZero() || created.Before(oldest) {
			oldest = created
		}
	}
	if !oldest.IsZero() {
		e.oldEnough.Store(oldest.Add(youngFor).UnixNano())
	}
	return e.ScaleUpEnforcer.ShouldForceScaleUp(pending)
}

// Wait returns how long to wait for the next loop: interval, or less if pods will be old enough before that.
func (e *Eagerness) Wait(now time.Time, interval time.Duration) time.Duration {
	// Creation times have whole seconds only: a pod may be up to a second younger than it looks, never older.
	left := time.Unix(0, e.oldEnough.Load()).Sub(now) + time.Millisecond
	if left > 0 && left < interval {
		return left
	}
	return interval
}
