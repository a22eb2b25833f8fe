package bootstrap

import (
	"context"
	"errors"
	"sync"

	certificates "k8s.io/api/certificates/v1"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// lane is one of several queues with workers of their own, so that a flood in one holds up nobody in another.
type lane string

const (
	expectedLane lane = "expected" // machines in the name of members that were just made
	servingLane  lane = "serving"  // nodes
	strangerLane lane = "strangers"
)

var workersOf = map[lane]int{expectedLane: expectedWorkers, servingLane: servingWorkers, strangerLane: strangerWorkers}

func newLanes(c clock.WithTicker) map[lane]workqueue.TypedRateLimitingInterface[string] {
	lanes := map[lane]workqueue.TypedRateLimitingInterface[string]{}
	for name := range workersOf {
		lanes[name] = workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, slowestRetry),
			workqueue.TypedRateLimitingQueueConfig[string]{Clock: c})
	}
	return lanes
}

// laneOf says where a request waits.
func (a *Approver) laneOf(r *request) lane {
	switch {
	case r.kind == serving:
		return servingLane
	case r.node != "" && a.isExpected(r.node):
		return expectedLane
	}
	return strangerLane
}

// wanted says whether requests of this kind are decided at all.
func (a *Approver) wanted(k kind) bool {
	return k == joining && a.opts.Joining || k == serving && a.opts.Serving
}

// enqueue takes in a request that was made or has changed.
func (a *Approver) enqueue(csr *certificates.CertificateSigningRequest) {
	if !pending(csr) {
		return
	}
	// Most requests of a cluster are foreign: they are told without being taken apart.
	if k, _ := classify(&csr.Spec); !a.wanted(k) {
		return
	}
	a.lanes[a.laneOf(parseRequest(csr))].Add(csr.Name)
}

// isExpected says whether a member that was lately made has this host name.
func (a *Approver) isExpected(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expect()
	return a.expected[name]
}

// expect makes the set of expected host names if the snapshot has changed. It needs the lock.
func (a *Approver) expect() {
	snapshot := a.opts.Snapshot()
	if snapshot == a.expectedOf {
		return
	}
	names := map[string]bool{}
	now := a.clock.Now()
	for _, g := range snapshot.Groups() {
		limit := lookback + a.opts.ProvisionTime
		if t := g.Config.Options.MaxNodeProvisionTime; t != nil {
			limit = lookback + *t
		}
		for _, m := range g.Members {
			if m.Name != "" && (m.State == nodegroups.Creating || m.State == nodegroups.Running) && now.Sub(m.Created) < limit {
				names[a.opts.HostName(m.Name)] = true
			}
		}
	}
	a.expectedOf, a.expected = snapshot, names
}

// sweep lets requests change lanes whose member has appeared in the snapshot since they came.
func (a *Approver) sweep() {
	a.mu.Lock()
	a.expect()
	before := a.swept
	a.swept = a.expected
	a.mu.Unlock()
	for name := range a.swept {
		if before[name] {
			continue
		}
		waiting, err := a.requests.ByIndex(byNode, name)
		if err != nil {
			continue
		}
		for _, o := range waiting {
			if csr, ok := o.(*certificates.CertificateSigningRequest); ok {
				a.enqueue(csr)
			}
		}
	}
}

// work starts the workers of all lanes and returns when ctx has ended and they too.
func (a *Approver) work(ctx context.Context) {
	var workers sync.WaitGroup
	for name, n := range workersOf {
		for range n {
			workers.Go(func() {
				for a.next(ctx, name) {
				}
			})
		}
	}
	<-ctx.Done()
	a.closeLanes()
	workers.Wait()
}

func (a *Approver) closeLanes() {
	for _, queue := range a.lanes {
		queue.ShutDown()
	}
}

// isOthers says whether another autoscaler of the cluster has minted the token that a request was made with.
func (a *Approver) isOthers(ctx context.Context, r *request) bool {
	ctx, cancel := context.WithTimeout(ctx, oneDecision)
	defer cancel()
	_, err := a.newInquiry().group(ctx, r.asker)
	return errors.Is(err, ErrOtherInstance)
}

// next decides one request. It returns false when the lane is closed.
func (a *Approver) next(ctx context.Context, in lane) bool {
	queue := a.lanes[in]
	name, closed := queue.Get()
	if closed {
		return false
	}
	defer queue.Done(name)
	if ctx.Err() != nil {
		return true
	}
	o, there, err := a.requests.GetByKey(name)
	csr, ok := o.(*certificates.CertificateSigningRequest)
	if err != nil || !there || !ok || !pending(csr) {
		queue.Forget(name)
		return true
	}
	r := parseRequest(csr)
	if in == strangerLane {
		if a.laneOf(r) == expectedLane {
			queue.Forget(name)
			a.lanes[expectedLane].Add(name)
			return true
		}
		// Another autoscaler's flood must not wait where our own machines do.
		if r.kind == joining && a.isOthers(ctx, r) {
			queue.Forget(name)
			return true
		}
		if _, known := a.recall.get("machine/" + r.node); !known && r.checkShape() == nil && a.strangers.Wait(ctx) != nil {
			return true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, oneDecision)
	defer cancel()
	ctx = klog.NewContext(ctx, klog.FromContext(ctx).WithValues("csr", name, "node", r.node))
	switch retry := a.handle(ctx, r); {
	case retry == never:
		queue.Forget(name)
	case retry > 0:
		queue.AddAfter(name, retry)
	default:
		queue.AddRateLimited(name)
	}
	return true
}
