package play

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// place is where a reader puts a value of his own.
var place = regexp.MustCompile(`\b[A-Z][A-Z_]*[A-Z]\b`)

// endless are commands that go on until one ends them.
var endless = regexp.MustCompile(`( --watch| -w| -f)$`)

const (
	// glance is how long an endless command runs.
	glance = 5 * time.Second
	// pause is between two tries of Until.
	pause = time.Second
	// commandTimeout bounds every other command.
	commandTimeout = 10 * time.Minute
)

// Player runs plays. Env is the environment, Dir the folder in which commands run.
type Player struct {
	Dir string
	Env []string
	// Say is told each command, and how long it took.
	Say func(format string, arguments ...any)

	lets map[string]string
}

// Run runs a play to its end, or to the first command that does not do what it should. The error has what that has said.
func (p *Player) Run(ctx context.Context, play Play) error {
	p.lets = map[string]string{}
	for _, step := range play.Steps {
		start := time.Now()
		if err := p.step(ctx, step); err != nil {
			return fmt.Errorf("%s.play, line %d: %s: %w", play.Name, step.Line, step.Text, err)
		}
		p.Say("%s:%d %5.1fs %s", play.Name, step.Line, time.Since(start).Seconds(), step.Text)
	}
	return nil
}

func (p *Player) step(ctx context.Context, step Step) error {
	command := place.ReplaceAllStringFunc(step.Text, func(name string) string {
		if value, ok := p.lets[name]; ok {
			return value
		}
		return name
	})
	switch step.Kind {
	case Documented, Setup:
		said, err := p.bash(ctx, command)
		return withOutput(said, err)
	case Refused:
		if said, err := p.bash(ctx, command); err == nil {
			return withOutput(said, errors.New("it should have been refused"))
		}
		return nil
	case Let:
		said, err := p.bash(ctx, command)
		value := strings.TrimSpace(said)
		if err == nil && value == "" {
			err = errors.New("it has said nothing")
		}
		p.lets[step.Name] = value
		return withOutput(said, err)
	case Until:
		return p.until(ctx, command, step.Patience)
	}
	return nil
}

// until tries a command until it succeeds.
func (p *Player) until(ctx context.Context, command string, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		said, err := p.bash(ctx, command)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return withOutput(said, fmt.Errorf("in vain for %s: %w", patience, err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// bash runs a command and returns what it has said. An endless one is looked at for a moment.
func (p *Player) bash(ctx context.Context, command string) (string, error) {
	isEndless := endless.MatchString(command)
	limit := commandTimeout
	if isEndless {
		limit = glance
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	run := exec.CommandContext(bounded, "bash", "-euo", "pipefail", "-c", command) //nolint:gosec // what the documentation says
	run.Dir, run.Env = p.Dir, p.Env
	// A pipeline is ended as a whole.
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	run.Cancel = func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	run.WaitDelay = pause
	var said bytes.Buffer
	run.Stdout, run.Stderr = &said, &said
	err := run.Run()
	if isEndless && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		err = nil
	}
	return said.String(), err
}

func withOutput(said string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s", err, said)
}
