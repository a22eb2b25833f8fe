package heatstack

// withdrawQueued takes back growth that was accepted and not sent, at most by members, the latest first, and says how much. No server
// and no update of the stack is touched. What is in an update that is on its way stays.
func (w *writer) withdrawQueued(by int) (taken int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var queued []*intent
	for _, list := range [][]*intent{w.waiting, w.queue} {
		for _, i := range list {
			if i.queued && !i.committed && !i.resolved && !i.withdrawn {
				queued = append(queued, i)
			}
		}
	}
	for n := len(queued) - 1; n >= 0 && taken < by; n-- {
		i := queued[n]
		// A plan may have been made with it: what stays of it is another intent.
		i.withdrawn = true
		if rest := i.by - (by - taken); rest > 0 {
			smaller := newIntent(wantGrowth, i.arrived)
			smaller.by, smaller.queued, smaller.answered, smaller.waits = rest, true, true, i.waits
			w.queue = append(w.queue, smaller)
			taken = by
			break
		}
		taken += i.by
	}
	if taken > 0 {
		w.nudge()
	}
	return taken
}
