package world

import (
	"context"
	"errors"
)

// RunTests runs a package's tests, a *testing.M, until they are done or ctx is: that is an error, and leaves it to the caller to stop what
// the tests have started.
func RunTests(ctx context.Context, tests interface{ Run() int }) (code int, err error) {
	finished := make(chan int, 1)
	go func() { finished <- tests.Run() }()
	select {
	case code := <-finished:
		return code, nil
	case <-ctx.Done():
		return 1, errors.New("interrupted")
	}
}
