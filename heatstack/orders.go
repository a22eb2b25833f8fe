package heatstack

import (
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// order is an update of ours that Heat has accepted.
type order struct {
	count int
	list  []string
	// listOurs: the list was written by one of our plans, or is empty.
	listOurs bool
	// unconfirmed: the parameters do not show it yet; the ones before are count and list before.
	unconfirmed bool
	beforeCount int
	beforeList  []string
	// updated is the stack's updated_time as this update set it: another value is another update.
	updated string
}

// shows tells whether these parameters are the ordered ones.
func (o *order) shows(count int, list []string) bool {
	return o.count == count && sameEntries(o.list, list)
}

// showsBefore tells whether these parameters are the ones before the order.
func (o *order) showsBefore(count int, list []string) bool {
	return o.beforeCount == count && sameEntries(o.beforeList, list)
}

// removal is an update that names members, to be verified when the stack is at rest.
type removal struct {
	// victims have to go, keep must not. Nothing is kept once somebody else has updated the stack.
	victims, keep []victim
	// order is the update that ordered it.
	order *order
	// second: it was ordered before, without effect.
	second bool
}

// pending is growth that was accepted and that the size parameter, which was read as size, does not show. It needs the lock.
//
// A refresh may read what we have ordered before the writer has looked again: then it must not be counted twice, or a removal would
// hide a growth that waits behind it, and cluster-autoscaler would order that again.
func (w *writer) pending(size int) int {
	n := 0
	for _, list := range [][]*intent{w.waiting, w.queue} {
		for _, i := range list {
			if i.queued && !i.resolved && !i.withdrawn {
				n += i.by
			}
		}
	}
	if w.last != nil && w.last.unconfirmed && size == w.last.beforeCount {
		n += w.last.count - w.last.beforeCount
	}
	return n
}

// reconcile compares what we ordered with what Heat shows, and says whether an accepted order turned out to be lost.
func (w *writer) reconcile(detail *StackDetail, count int, list []string) (isLost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.last
	if o == nil || !o.unconfirmed {
		return false
	}
	switch {
	case o.shows(count, list):
		o.unconfirmed = false
		return false
	case o.showsBefore(count, list) && strings.HasSuffix(detail.Status, "_IN_PROGRESS"):
		return false
	}
	w.forget(o)
	return true
}

// forget drops an order that was lost, with the removals in it. It needs the lock.
func (w *writer) forget(o *order) {
	var kept []*removal
	for _, r := range w.removals {
		if r.order != o {
			kept = append(kept, r)
		}
	}
	w.removals, w.last = kept, nil
}

// lostUpdate is the problem of an update that Heat has accepted and forgotten.
func lostUpdate() nodegroups.Problem {
	return problemError(nodegroups.ReasonLostUpdate, "Heat accepted an update and the stack's parameters do not show it: another update came at the same time",
		"nothing if it is rare; if it goes on, find out who else updates the stack")
}
