package ceilometer

import "time"

// want is a size that is wanted from a time on, until the next want.
type want struct {
	at   time.Time
	size int
}

// wants are what was wanted lately, in the order of time. A want counts until the next one: what was wanted before a gap counts as
// wanted all through it, so that a single point after the gap lowers nothing.
type wants []want

// add notes a want and forgets what ended before now-window.
func (w wants) add(now time.Time, size int, window time.Duration) wants {
	w = append(w, want{now, size})
	first := 0
	for first+1 < len(w) && !w[first+1].at.After(now.Add(-window)) {
		first++
	}
	// Equal wants in a row are one, which began with the first of them. The slice stays short however often it is asked.
	if n := len(w); n-first >= 2 && w[n-2].size == size {
		w = w[:n-1]
	}
	return append(w[:0], w[first:]...)
}

// span returns the least and the greatest size that was wanted within the window before now.
func (w wants) span(now time.Time, window time.Duration) (least, most int) {
	from := now.Add(-window)
	for i := len(w) - 1; i >= 0; i-- {
		if i == len(w)-1 {
			least, most = w[i].size, w[i].size
		}
		least, most = min(least, w[i].size), max(most, w[i].size)
		if !w[i].at.After(from) {
			break // it covers the beginning of the window; older ones ended before
		}
	}
	return least, most
}

// stabilize returns the size after before: it rises to what was wanted all through the window up, and falls to the greatest that
// was wanted in the window down, as HPA's do.
func (w wants) stabilize(now time.Time, before int, up, down time.Duration) int {
	least, _ := w.span(now, up)
	_, most := w.span(now, down)
	switch {
	case before < least:
		return least
	case before > most:
		return most
	}
	return before
}
