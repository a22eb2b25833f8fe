package heatstack

import (
	"context"
	"fmt"
	"sync"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// writerFake is a writing half that does what the test says.
type writerFake struct {
	hooks    writerHooks
	heat     Heat
	opts     writerOptions
	mu       sync.Mutex
	pending  map[string]int
	removing map[string]map[string]bool
	seen     map[string]sighting
	orders   []string
	do       func(ref stackRef) error
	closed   bool
}

type sighting struct {
	status  string
	settled bool
	live    int
}

func (w *writerFake) order(what string, ref stackRef) error {
	w.orders = append(w.orders, what+" "+ref.ID)
	if w.do != nil {
		return w.do(ref)
	}
	return nil
}

func (w *writerFake) Grow(_ context.Context, ref stackRef, by int) error {
	return w.order(fmt.Sprint("grow ", by), ref)
}

func (w *writerFake) Remove(_ context.Context, ref stackRef, members []nodegroups.Member) error {
	return w.order(fmt.Sprint("remove ", len(members)), ref)
}

func (w *writerFake) Replace(_ context.Context, ref stackRef, members []nodegroups.Member) error {
	return w.order(fmt.Sprint("replace ", len(members)), ref)
}

func (w *writerFake) Shrink(_ context.Context, ref stackRef, by int) error {
	return w.order(fmt.Sprint("shrink ", by), ref)
}

func (w *writerFake) Pending(id string, _ int) int { return w.pending[id] }

func (w *writerFake) Removing(id string) map[string]bool { return w.removing[id] }

func (w *writerFake) Observe(_ context.Context, ref stackRef, d *StackDetail, settled bool, live []Server) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[ref.ID] = sighting{d.Status, settled, len(live)}
}

func (w *writerFake) Close() { w.closed = true }
