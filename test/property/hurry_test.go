package property

import (
	"context"
	"time"
)

// hurry gives a stack three orders in a row: a growth, one that overtakes it, mostly near its end, and a removal.
func (w *world) hurry() {
	all := w.stacks()
	if len(all) == 0 {
		return // nothing has been read yet
	}
	s := all[w.rng.IntN(len(all))]
	if s.Target > 9 {
		return
	}
	for range 2 {
		w.note("grow %s by 1", s.Name)
		w.call([]func(context.Context) (string, error){func(ctx context.Context) (string, error) { return "grow", w.cloud.Grow(ctx, s.ID, 1) }})
		w.pass(time.Duration(w.rng.IntN(16)) * 500 * time.Millisecond)
	}
	var calls []func(context.Context) (string, error)
	for _, victims := range w.victims(s) {
		w.note("remove %s", describe(victims))
		calls = append(calls, func(ctx context.Context) (string, error) {
			return "remove " + describe(victims), w.cloud.Remove(ctx, s.ID, victims)
		})
	}
	w.call(calls)
}
