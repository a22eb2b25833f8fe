// Package process runs programs that must not outlive the test or demo that started them.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Group starts processes and ends them together. Each gets a process group of its own, which is killed with it, and is
// killed by the kernel when this process dies in whatever way. Safe for concurrent use.
type Group struct {
	logDir string
	starts chan func()
	closed chan struct{}

	mu        sync.Mutex
	processes map[*Process]struct{}
	ended     bool
}

// Process is a program that was started.
type Process struct {
	// Name is what the process is called in errors; its output is in the file LogPath.
	Name, LogPath string

	group   *Group
	command *exec.Cmd
	done    chan struct{}
	err     error // set before done is closed
}

// NewGroup makes a group whose processes write their output to files in logDir, which must exist.
func NewGroup(logDir string) *Group {
	g := &Group{logDir: logDir, starts: make(chan func()), closed: make(chan struct{}), processes: map[*Process]struct{}{}}
	go g.startOnOneThread()
	return g
}

// startOnOneThread runs the starts on a thread that lives as long as the group: the kernel sends the signal of
// PR_SET_PDEATHSIG when the *thread* that started the process ends (prctl(2)), which for other goroutines may be any time.
func (g *Group) startOnOneThread() {
	runtime.LockOSThread()
	for {
		select {
		case start := <-g.starts:
			start()
		case <-g.closed:
			return
		}
	}
}

// Options change how a process is started; the zero value is fine.
type Options struct {
	// Env is added to a minimal environment (PATH, HOME, TMPDIR).
	Env []string
	// Dir is the working directory, this process' own if empty.
	Dir string
}

// errEnded is the error of Start after Stop.
var errEnded = errors.New("the process group has been stopped")

// Start starts a program. name must be unique in the group, as the log file is called after it.
func (g *Group) Start(name string, options Options, program string, arguments ...string) (*Process, error) {
	logPath := filepath.Join(g.logDir, name+".log")
	output, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	// The child has its own copy of the descriptor.
	defer output.Close()
	// Not CommandContext: the process lives until Stop, beyond the call that started it.
	command := exec.Command(program, arguments...) //nolint:noctx // see above
	command.Dir, command.Env = options.Dir, append(environment(), options.Env...)
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &Process{Name: name, LogPath: logPath, group: g, command: command, done: make(chan struct{})}

	result := make(chan error, 1)
	select {
	case g.starts <- func() { result <- g.start(p) }:
	case <-g.closed:
		return nil, errEnded
	}
	if err := <-result; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// start holds the lock while it starts, so that Stop never misses a process.
func (g *Group) start(p *Process) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return errEnded
	}
	if err := p.command.Start(); err != nil {
		return err
	}
	g.processes[p] = struct{}{}
	go p.wait()
	return nil
}

func (p *Process) wait() {
	p.err = p.command.Wait()
	p.group.mu.Lock()
	delete(p.group.processes, p)
	p.group.mu.Unlock()
	close(p.done)
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the process' id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Err describes the end of a process that should still run, with the last lines of its output; nil while it runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended (%w); the end of its log:\n%s", p.Name, errors.Join(p.err, errUnexpectedEnd), Tail(p.LogPath, 2000))
	default:
		return nil
	}
}

var errUnexpectedEnd = errors.New("unexpectedly")

// Kill ends the process and its children at once, as pulling a plug would, and waits until they are gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Terminate asks the process to end and kills it after grace. It reports whether it ended by itself with exit code 0.
func (p *Process) Terminate(grace time.Duration) bool {
	p.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Kill()
	}
	return p.err == nil
}

// signal goes to the whole process group.
func (p *Process) signal(signal syscall.Signal) {
	select {
	case <-p.done: // its id may be somebody else's by now
	default:
		_ = syscall.Kill(-p.PID(), signal)
	}
}

// Stop kills everything and lets nothing new start. It may be called more than once.
func (g *Group) Stop() {
	g.mu.Lock()
	if !g.ended {
		g.ended = true
		close(g.closed)
	}
	running := make([]*Process, 0, len(g.processes))
	for p := range g.processes {
		running = append(running, p)
		p.signal(syscall.SIGKILL)
	}
	g.mu.Unlock()
	for _, p := range running {
		<-p.done
	}
}

// Run runs a program to its end and returns an error with its output if it fails. It ends with ctx, and is killed by the kernel when
// this process dies in whatever way.
func Run(ctx context.Context, options Options, program string, arguments ...string) ([]byte, error) {
	// See startOnOneThread: this thread lives until the program has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir, command.Env = options.Dir, append(environment(), options.Env...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	output, err := command.CombinedOutput()
	if err != nil {
		return output, fmt.Errorf("%s %v: %w\n%s", filepath.Base(program), arguments, errors.Join(err, ctx.Err()), output)
	}
	return output, nil
}

// environment is what programs get: nothing that could change how they behave. etcd, for one, reads ETCD_* variables,
// and the autoscaler OS_*.
func environment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

// Tail returns the last bytes of a file, from the start of a line on; what went wrong in words if it can't be read.
func Tail(path string, bytesWanted int64) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	offset := max(0, info.Size()-bytesWanted)
	text, err := io.ReadAll(io.NewSectionReader(file, offset, bytesWanted))
	if err != nil {
		return err.Error()
	}
	if offset > 0 {
		if _, rest, found := bytes.Cut(text, []byte("\n")); found {
			text = rest
		}
	}
	return string(text)
}
