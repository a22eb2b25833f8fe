package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// benchPendingToPatch, benchFloorReaction and benchJoin run programs that need a whole control plane.
func benchPendingToPatch(ctx context.Context, print func(string, float64, string)) error {
	return passOn(ctx, "./test/bench/pendingtopatch", 1, print)
}

func benchFloorReaction(ctx context.Context, print func(string, float64, string)) error {
	return passOn(ctx, "./test/bench/floorreaction", 1, print)
}

func benchJoin(ctx context.Context, print func(string, float64, string)) error {
	return passOn(ctx, "./test/bench/join", 4, print)
}

var numberLine = regexp.MustCompile(`(?m)^bench (\S+) (\S+) (\S+)$`)

// passOn runs another program and passes its numbers on, of which there must be so many.
func passOn(ctx context.Context, program string, numbers int, print func(string, float64, string)) error {
	cmd := exec.CommandContext(ctx, "go", "run", "-trimpath", program) //nolint:gosec // one of ours
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go run %s: %w", program, err)
	}
	found := numberLine.FindAllStringSubmatch(string(out), -1)
	if len(found) != numbers {
		return fmt.Errorf("go run %s printed %d numbers instead of %d: %q", program, len(found), numbers, out)
	}
	for _, line := range found {
		value, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			return fmt.Errorf("go run %s: %w", program, err)
		}
		print(line[1], value, line[3])
	}
	return nil
}
