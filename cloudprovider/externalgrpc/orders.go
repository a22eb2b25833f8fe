package externalgrpc

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// orders are those that have been answered before they ended, or are about to be. Core asks for the target size right after an
// order, and would order the same again if it did not find it there.
type orders struct {
	running sync.WaitGroup

	mu sync.Mutex
	// growing is the size that each group will have when its growths under way have ended; absent if there is none.
	growing map[string]growth
	// leaving counts, by group and provider id, the removals under way.
	leaving map[string]map[string]int
	// shrinking are the groups from which members that have never come are being withdrawn.
	shrinking map[string]bool
}

// growth is what is under way for a group.
type growth struct{ orders, size int }

func newOrders() *orders {
	return &orders{growing: map[string]growth{}, leaving: map[string]map[string]int{}, shrinking: map[string]bool{}}
}

// foresee is the size of a group as it will be when what is under way has ended.
func (o *orders) foresee(g cloudprovider.NodeGroup, size int) int {
	o.mu.Lock()
	grow, growing := o.growing[g.Id()]
	leaving := make(map[string]bool, len(o.leaving[g.Id()]))
	for id := range o.leaving[g.Id()] {
		leaving[id] = true
	}
	o.mu.Unlock()
	if growing {
		size = max(size, grow.size)
	}
	if len(leaving) == 0 {
		return size
	}
	instances, err := g.Nodes()
	if err != nil {
		return size // too high for a moment: core then leaves the group alone
	}
	for i := range instances {
		// A member that is being deleted does not count any more.
		if leaving[instances[i].Id] && (instances[i].Status == nil || instances[i].Status.State != cloudprovider.InstanceDeleting) {
			size--
		}
	}
	return max(size, 0)
}

// grow notes a growth that begins; the returned function ends it.
func (o *orders) grow(g cloudprovider.NodeGroup, delta int) (func(), error) {
	size, err := g.TargetSize()
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.growing[g.Id()]
	o.growing[g.Id()] = growth{now.orders + 1, max(now.size, size) + delta}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		now := o.growing[g.Id()]
		if now.orders--; now.orders == 0 {
			delete(o.growing, g.Id())
			return
		}
		o.growing[g.Id()] = now
	}, nil
}

// leave notes nodes that are being removed; the returned function ends it.
func (o *orders) leave(group string, nodes []*v1.Node) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	leaving := o.leaving[group]
	if leaving == nil {
		leaving = map[string]int{}
		o.leaving[group] = leaving
	}
	for _, n := range nodes {
		leaving[n.Spec.ProviderID]++
	}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, n := range nodes {
			if leaving[n.Spec.ProviderID]--; leaving[n.Spec.ProviderID] == 0 {
				delete(leaving, n.Spec.ProviderID)
			}
		}
		if len(leaving) == 0 {
			delete(o.leaving, group)
		}
	}
}

// shrink notes a withdrawal that begins; done ends it. It is not ok while another one is under way: core orders the same again as long
// as it sees the old size, and would get twice what it wants.
func (o *orders) shrink(group string) (done func(), ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shrinking[group] {
		return nil, false
	}
	o.shrinking[group] = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.shrinking, group)
	}, true
}

// carryOut runs an order, which ends on its own time, and returns its outcome if there is one before the caller would have to
// wait too long. A failure after that is reported; done is called when the order has ended, in any case.
func (s *Server) carryOut(ctx context.Context, what, group string, done func(), order func() error) error {
	ended := make(chan error, 1)
	answered := make(chan struct{})
	s.orders.running.Go(func() {
		err := guarded(order)
		done() // before it is answered: who is told of a failure may ask for the size at once
		ended <- err
		if <-answered; err != nil && len(ended) > 0 { // nobody took it
			s.reportLate(what, group, err)
		}
	})
	defer close(answered)
	timer := s.opts.Clock.NewTimer(s.patience(ctx))
	defer timer.Stop()
	select {
	case err := <-ended:
		return asStatus(err)
	case <-timer.C():
		s.logger.V(1).Info("The order goes on after it has been answered", "order", what, "nodeGroup", group)
		return nil
	}
}

// patience is how long a call may wait: less than its caller does.
func (s *Server) patience(ctx context.Context) time.Duration {
	patience := s.opts.AnswerWithin
	if deadline, ok := ctx.Deadline(); ok {
		// gRPC's deadlines are in real time.
		if left := time.Until(deadline); left < patience*5/4 {
			patience = left * 4 / 5
		}
	}
	return max(patience, 0)
}

// guarded turns a panic into an error: outside of a call, nothing else would catch it.
func guarded(order func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("a mistake in this program: %v", caught)
		}
	}()
	return order()
}

func (s *Server) reportLate(what, group string, err error) {
	s.logger.Error(err, "An order failed after it had been answered", "order", what, "nodeGroup", group)
	s.opts.Reporter.Report(nodegroups.Problem{
		Reason: nodegroups.ReasonLateFailure, Severity: nodegroups.Warning, Group: group,
		Message: fmt.Sprintf("%s failed after cluster-autoscaler had stopped waiting for it: %v", what, err),
		Remedy:  "nothing, if the next loop orders it again; see the other Events of the node group for the cause",
	})
}
