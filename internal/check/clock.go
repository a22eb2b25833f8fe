package check

import (
	"context"
	"time"
)

// How far two clocks may be apart. Points of telemetry are believed up to a minute ahead; a bootstrap token lives for minutes.
const (
	skewWarn = 5 * time.Second
	skewFail = time.Minute
)

// checkClock compares Keystone's clock, by the time at which it says to have issued our token, with this machine's before and after.
func checkClock(_ context.Context, w *World, f *findings) {
	facts := w.Session.Facts()
	if facts.Issued.IsZero() || facts.Asked.IsZero() {
		f.skip("Keystone's clock", "", "Keystone does not say when it issued the token")
		return
	}
	// Zero between both.
	var skew time.Duration
	switch {
	case facts.Issued.Before(facts.Asked.Truncate(time.Second)):
		skew = facts.Asked.Sub(facts.Issued)
	case facts.Issued.After(facts.Answered):
		skew = facts.Issued.Sub(facts.Answered)
	}
	remedy := "set the clocks right (chrony, ntp), on this machine or the cloud's"
	found := "it is off by " + skew.Round(time.Second/10).String()
	switch {
	case skew >= skewFail:
		f.fail("Keystone's clock", remedy, "%s: tokens, certificates and points of telemetry are judged wrongly", found)
	case skew >= skewWarn:
		f.warn("Keystone's clock", remedy, "%s", found)
	default:
		f.ok("Keystone's clock", "%s", found)
	}
}
