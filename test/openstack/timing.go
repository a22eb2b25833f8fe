package simulator

import "time"

// Timing says how long things take, in virtual time. DefaultTiming is close to a small real cloud on an idle machine.
type Timing struct {
	// Visit is what Heat spends on every member of a stack during an update, whether it changes or not. New members are
	// made after all existing ones have been visited.
	Visit time.Duration
	// Nested is the delay between an update of a stack and the update of the stack nested in it.
	Nested time.Duration
	// Group is the delay between the acceptance of an update and the moment the engine takes in the removal list.
	// An update that supersedes another one within it makes the first one's removal list vanish.
	Group time.Duration
	// Supersede is the same delay when the group is busy with an earlier update, which has to be cancelled first.
	Supersede time.Duration
	// Retry is the longest pause of a worker of Heat's between two of its three tries to get hold of a group that an earlier update
	// holds; then it cancels that update. A try that succeeds carries the worker's update out, even if that has been done by then.
	// 0: it waits for Supersede without trying, and nothing is carried out twice unless CarryOutTwice orders it.
	Retry time.Duration
	// Poll is how late Heat notices that something it waits for has happened.
	Poll time.Duration
	// Request is the time of one call of Heat to Nova or Neutron.
	Request time.Duration
	// Build is the time from a server's creation to ACTIVE; BuildError to ERROR when it fails.
	Build, BuildError time.Duration
	// Delete is the time from a server's deletion to DELETED.
	Delete time.Duration
	// Stop is the time from a server's stop or start to the end of it.
	Stop time.Duration
	// RetryFirst is Heat's pause before it makes a failed server again; it doubles every time. Retries is how often.
	RetryFirst time.Duration
	Retries    int
	// Check is the time of Heat's check, suspend and resume actions.
	Check time.Duration
}

// DefaultTiming is what was measured on a real cloud, rounded.
func DefaultTiming() Timing {
	return Timing{
		Visit: 1100 * time.Millisecond, Nested: time.Second, Group: 0, Supersede: 3 * time.Second,
		Poll: 500 * time.Millisecond, Request: 400 * time.Millisecond,
		Build: 3 * time.Second, BuildError: 1300 * time.Millisecond, Delete: time.Second, Stop: time.Second,
		RetryFirst: 2500 * time.Millisecond, Retries: 5, Check: 1200 * time.Millisecond,
	}
}

// FastTiming keeps the order of everything and makes all of it short, for tests in real time.
func FastTiming() Timing { return DefaultTiming().Faster(50) }

// Faster is the timing of a cloud that is so many times faster. Unlike Options.Speed it leaves the cloud's clock alone, which has
// to agree with those of others if they compare times.
func (t Timing) Faster(times int) Timing {
	for _, d := range []*time.Duration{&t.Visit, &t.Nested, &t.Supersede, &t.Retry, &t.Poll, &t.Request, &t.Build, &t.BuildError, &t.Delete, &t.Stop, &t.RetryFirst, &t.Check} {
		*d /= time.Duration(times)
	}
	return t
}
