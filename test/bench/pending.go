package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// benchPendingToPatch runs test/bench/pendingtopatch, which needs a whole control plane, and passes its number on.
func benchPendingToPatch(ctx context.Context, print func(string, float64, string)) error {
	cmd := exec.CommandContext(ctx, "go", "run", "-trimpath", "./test/bench/pendingtopatch")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go run ./test/bench/pendingtopatch: %w", err)
	}
	found := regexp.MustCompile(`(?m)^bench pending_to_patch_s (\S+) s$`).FindSubmatch(out)
	if found == nil {
		return fmt.Errorf("go run ./test/bench/pendingtopatch printed no number: %q", out)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		return err
	}
	print("pending_to_patch_s", value, "s")
	return nil
}
