package app

import (
	"context"
	"time"

	"k8s.io/utils/clock"
)

// notCalledFor is after how much more than a scan interval without a call a stock cluster-autoscaler is taken for one that does
// not lead: it asks at the beginning of each of its loops, and a loop takes its time.
const notCalledFor = 2 * time.Minute

// whileCalled runs work from a call on until there was none for idle, again and again until ctx ends. So of several replicas of
// this program the one works whose cluster-autoscaler leads. Two may do for a while after a change of leaders: everything that
// is done here may be done twice. A nil clock is the real one.
func whileCalled(ctx context.Context, called <-chan struct{}, idle time.Duration, c clock.WithTicker, work func(context.Context)) {
	if c == nil {
		c = clock.RealClock{}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-called:
		}
		working, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			work(working)
		}()
		waitForSilence(ctx, called, idle, c)
		cancel()
		<-done
	}
}

// waitForSilence returns when there was no call for idle, or ctx has ended.
func waitForSilence(ctx context.Context, called <-chan struct{}, idle time.Duration, c clock.WithTicker) {
	timer := c.NewTimer(idle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C():
			return
		case <-called:
			timer.Reset(idle)
		}
	}
}
