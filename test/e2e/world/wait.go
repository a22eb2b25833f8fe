package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const pollInterval = 100 * time.Millisecond

// Until polls until check returns nil. When the time is over, or ctx is, its error tells what was waited for and what was
// still missing. Something that has died meanwhile ends the wait, as nothing would come of it.
func (w *World) Until(ctx context.Context, timeout time.Duration, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var missing error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		// What a call says that ran out of time is less telling than what the one before it said.
		// client-go says so in its own words when the time would not suffice for a call's turn.
		late := ctx.Err() != nil || strings.Contains(err.Error(), "would exceed context deadline")
		if !late || missing == nil {
			missing = err
		}
		if dead := w.dead(); dead != nil {
			return fmt.Errorf("waited for %s: %w", what, dead)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waited %s for %s: %w", timeout, what, errors.Join(ctx.Err(), missing))
		}
	}
}

// Throughout polls for the time of d and returns the first error of check: for things that must not happen. Something that has died
// meanwhile is an error as well: nothing happens then, and that would prove nothing.
func (w *World) Throughout(ctx context.Context, d time.Duration, what string, check func(context.Context) error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if err := errors.Join(check(ctx), w.dead()); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-ticker.C:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("watched that %s: %w", what, ctx.Err())
		}
	}
}

// dead says which process that should run does not. Machines are left out: tests crash some on purpose.
func (w *World) dead() error {
	errs := []error{w.base.Cluster.Err()}
	for _, autoscaler := range []*Autoscaler{w.Autoscaler, w.stock} {
		if autoscaler != nil {
			errs = append(errs, autoscaler.process.Err())
		}
	}
	return errors.Join(errs...)
}
