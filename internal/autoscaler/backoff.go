package autoscaler

import (
	"time"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"
	"k8s.io/autoscaler/cluster-autoscaler/utils/backoff"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// BackOffObserver is told for which node groups core pauses after a growth has failed. Implementations are safe for concurrent use
// and return at once.
type BackOffObserver interface {
	// BackedOff: the group is not grown before until. class is one of status' classes, code and message are the provider's.
	BackedOff(group string, until time.Time, class, code, message string)
	// BackOffEnded: it may grow again.
	BackOffEnded(group string)
}

// observedBackoff tells an observer of the pauses that core makes.
type observedBackoff struct {
	own      backoff.Backoff
	observer BackOffObserver
}

// newBackoff returns core's own pauses, with an observer; nil without one, for which core makes its own.
func newBackoff(opts *config.AutoscalingOptions, observer BackOffObserver) backoff.Backoff {
	if observer == nil {
		return nil
	}
	// As core does without ours (core/autoscaler.go, initializeDefaultOptions).
	own := backoff.NewIdBasedExponentialBackoff(opts.InitialNodeGroupBackoffDuration, opts.MaxNodeGroupBackoffDuration, opts.NodeGroupBackoffResetTimeout)
	return &observedBackoff{own, observer}
}

// Backoff begins or prolongs a pause.
func (b *observedBackoff) Backoff(group cloudprovider.NodeGroup, info *framework.NodeInfo, cause cloudprovider.InstanceErrorInfo, now time.Time) time.Time {
	until := b.own.Backoff(group, info, cause, now)
	class := status.ClassOther
	if cause.ErrorClass == cloudprovider.OutOfResourcesErrorClass {
		class = status.ClassOutOfResources
	}
	b.observer.BackedOff(group.Id(), until, class, cause.ErrorCode, cause.ErrorMessage)
	return until
}

// RemoveBackoff ends a pause.
func (b *observedBackoff) RemoveBackoff(group cloudprovider.NodeGroup, info *framework.NodeInfo) {
	b.own.RemoveBackoff(group, info)
	b.observer.BackOffEnded(group.Id())
}

// BackoffStatus says whether there is one.
func (b *observedBackoff) BackoffStatus(group cloudprovider.NodeGroup, info *framework.NodeInfo, now time.Time) backoff.Status {
	return b.own.BackoffStatus(group, info, now)
}

// RemoveStaleBackoffData forgets old ones.
func (b *observedBackoff) RemoveStaleBackoffData(now time.Time) { b.own.RemoveStaleBackoffData(now) }
