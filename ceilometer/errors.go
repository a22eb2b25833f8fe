package ceilometer

import "errors"

// More reasons why a signal is no opinion; those of a single Sample are beside it.
var (
	// ErrStale: the newest point is older than the policy allows.
	ErrStale = errors.New("telemetry is late")
	// ErrSource: the source could not be read at all.
	ErrSource = errors.New("telemetry can't be read")
	// ErrPending: nothing has been read yet.
	ErrPending = errors.New("telemetry has not been read yet")
)
