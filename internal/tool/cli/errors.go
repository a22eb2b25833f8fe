package cli

import (
	"errors"
	"fmt"
)

// Exit codes.
const (
	// ExitOK: the question was answered, or everything that was checked is well.
	ExitOK = 0
	// ExitFailed: something could not be read, or what was checked is not well.
	ExitFailed = 1
	// ExitUsage: the command line is wrong.
	ExitUsage = 2
)

// ExitError ends the tool with a code. Without Err nothing is printed: the result has been told already.
type ExitError struct {
	Code int
	Err  error
}

// Error implements error.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns what went wrong, nil if it has been told already.
func (e *ExitError) Unwrap() error { return e.Err }

// Usage makes err one about the command line.
func Usage(err error) error { return &ExitError{Code: ExitUsage, Err: err} }

// Usagef makes an error about the command line.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// ExitCode is the code with which the tool ends after err.
func ExitCode(err error) int {
	var exit *ExitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	}
	return ExitFailed
}
