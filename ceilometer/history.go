package ceilometer

import (
	"context"
	"time"
)

// Point is a load at a time.
type Point struct {
	// At is the end of the period that Value is the mean of.
	At time.Time
	// Value is the whole group's load in fully used machines: 2.4 is three machines at 80 %.
	Value float64
}

// HistorySource is a Source that also remembers. It is optional: what asks for it does without if a source has none.
type HistorySource interface {
	// History returns the load of the groups of the request over its window, by the groups' names and in the order of time, with
	// one call for all groups. What machines that are gone by now had to do is in it. A group without history is missing.
	History(ctx context.Context, request Request) (map[string][]Point, error)
}
