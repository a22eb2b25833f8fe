// Package stage is what the programs stand on that measure a whole autoscaler: a real control plane, a simulated OpenStack, and the
// main function around a measurement.
package stage

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
)

// Number is one result. Digits are those behind the point.
type Number struct {
	Name   string
	Value  float64
	Digits int
	Unit   string
}

// String is the line that is printed for it.
func (n Number) String() string {
	return fmt.Sprintf("bench %s %.*f %s", n.Name, n.Digits, n.Value, n.Unit)
}

// Main parses the flags, sets the stage, measures until SIGINT or SIGTERM, clears the stage and prints the numbers, each on its line. Without
// all of that there are no numbers: it tells the error and ends the program with code 1. What is under way goes to standard error.
func Main(measure func(ctx context.Context, s *Stage) ([]Number, error)) {
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard) // else it writes files
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	numbers, err := onStage(ctx, measure)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, number := range numbers {
		fmt.Println(number)
	}
}

func onStage(ctx context.Context, measure func(ctx context.Context, s *Stage) ([]Number, error)) (numbers []Number, err error) {
	s := &Stage{}
	defer func() { err = errors.Join(err, s.clear(ctx)) }()
	if err := s.set(ctx); err != nil {
		return nil, err
	}
	if numbers, err = measure(ctx, s); err != nil {
		err = errors.Join(err, s.World.Diagnosis())
	}
	return numbers, err
}
