package play

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Kind says what a step is.
type Kind int

// Kinds of steps.
const (
	// Documented is a command of the documentation. In a play it stands after "$".
	Documented Kind = iota + 1
	// Refused is one that has to fail, as the documentation says: "$!".
	Refused
	// Setup is a command of the test's own: "+".
	Setup
	// Until is one that is tried until it succeeds: "? 60s COMMAND".
	Until
	// Let gives a place for the reader's own value, such as STACK, the output of a command: "let STACK = COMMAND".
	Let
)

// Step is a line of a play.
type Step struct {
	Kind Kind
	// Text is the command, Name what Let gives a value.
	Text, Name string
	// Patience is how long Until tries.
	Patience time.Duration
	// Line is where it stands.
	Line int
}

// Play is a file with steps.
type Play struct {
	Name  string
	Steps []Step
	// NeedsOpenStack: its commands ask a cloud with the command "openstack".
	NeedsOpenStack bool
}

// Read reads the plays of a folder, in the order of their names.
func Read(dir string) ([]Play, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.play"))
	if err != nil {
		return nil, err
	}
	var plays []Play
	for _, path := range paths {
		text, err := os.ReadFile(path) //nolint:gosec // a file of the repository
		if err != nil {
			return nil, err
		}
		play, err := parse(strings.TrimSuffix(filepath.Base(path), ".play"), string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		plays = append(plays, play)
	}
	return plays, nil
}

// parse reads a play. A line that begins with a tab goes on with the one before it.
func parse(name, text string) (Play, error) {
	play := Play{Name: name}
	text = strings.ReplaceAll(text, "\n\t", "\x00")
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		at := number
		number += strings.Count(line, "\x00")
		line = strings.ReplaceAll(line, "\x00", "\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if line == "needs openstack" {
			play.NeedsOpenStack = true
			continue
		}
		step, err := parseStep(line)
		if err != nil {
			return play, fmt.Errorf("line %d: %w", at, err)
		}
		step.Line = at
		play.Steps = append(play.Steps, step)
	}
	return play, nil
}

func parseStep(line string) (Step, error) {
	mark, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return Step{}, fmt.Errorf("%q has no command", line)
	}
	switch mark {
	case "$":
		return Step{Kind: Documented, Text: Normal(rest)}, nil
	case "$!":
		return Step{Kind: Refused, Text: Normal(rest)}, nil
	case "+":
		return Step{Kind: Setup, Text: rest}, nil
	case "let":
		name, command, ok := strings.Cut(rest, "=")
		if name = strings.TrimSpace(name); !ok || !place.MatchString(name) {
			return Step{}, fmt.Errorf("%q: write let NAME = COMMAND", line)
		}
		return Step{Kind: Let, Name: name, Text: strings.TrimSpace(command)}, nil
	case "?":
		patience, command, _ := strings.Cut(rest, " ")
		d, err := time.ParseDuration(patience)
		if err != nil || command == "" {
			return Step{}, fmt.Errorf("%q: write ? 60s COMMAND", line)
		}
		return Step{Kind: Until, Patience: d, Text: command}, nil
	}
	return Step{}, errors.New("begin the line with $, $!, +, ? or let")
}
