// Package machines plays the hypervisor: for every active server of a cloud it runs a machine (see test/kubernetes) that
// boots from the server's user_data, and it pulls the plug when the server is deleted.
package machines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// Server is a server as the hypervisor knows it.
type Server struct {
	ID, Name string
	// Active: Nova's status is ACTIVE, so the machine is switched on.
	Active bool
	// Off: the machine does not run, whatever it did before.
	Off bool
	// UserData is what the server was made with, decoded.
	UserData []byte
	Zone     string
	// ProjectID is the server's project; Metadata its metadata.
	ProjectID string
	Metadata  map[string]string
	// Address and MAC are those of the server's port; empty where the cloud does not tell.
	Address, MAC string
	// The flavor.
	VCPUs           int
	RAMMiB, DiskGiB int64
}

// Cloud lists the servers that exist, whatever their status. Deleted ones are not among them.
type Cloud interface {
	Servers(ctx context.Context) ([]Server, error)
}

// EventKind says what happened to a machine.
type EventKind string

// What happens to machines.
const (
	Started EventKind = "started" // it begins to boot
	Stopped EventKind = "stopped" // its server was deleted, or is off
	Crashed EventKind = "crashed" // it ended by itself: its user_data is wrong, or the harness is
)

// Event tells of a machine.
type Event struct {
	Kind     EventKind
	ServerID string
	Name     string
	// Err is set for Crashed.
	Err error
}

// Options of Machines. Binary and Dir are needed.
type Options struct {
	// Binary is test/kubernetes; Dir holds the machines' disks. Keep it short: sockets have to be below it.
	Binary, Dir string
	// BootDelay is the time from the server being active to its kubelet's start.
	BootDelay time.Duration
	// Poll is the time between two looks at the cloud, 250 ms if zero.
	Poll time.Duration
	// OnEvent is called from one goroutine; it may be nil.
	OnEvent func(Event)
	// SwitchOn starts a server's machine as a process; nil starts Binary's "machine", which plays one. dir is an empty folder
	// for the machine, removed when the server is gone, and name is unique among the group's processes.
	SwitchOn func(group *process.Group, server Server, name, dir string) (*process.Process, error)
}

// Machines runs one machine per server.
type Machines struct {
	group   *process.Group
	cloud   Cloud
	options Options

	mu       sync.Mutex
	machines map[string]*machine
	listErr  error
}

// machine is a server's machine; process is nil until it has been switched on.
type machine struct {
	server   Server
	activeAt time.Time
	process  *process.Process
	crashed  bool
}

const defaultPoll = 250 * time.Millisecond

// New makes Machines whose processes belong to the group.
func New(group *process.Group, cloud Cloud, options Options) *Machines {
	if options.Poll == 0 {
		options.Poll = defaultPoll
	}
	if options.OnEvent == nil {
		options.OnEvent = func(Event) {}
	}
	m := &Machines{group: group, cloud: cloud, options: options, machines: map[string]*machine{}}
	if m.options.SwitchOn == nil {
		m.options.SwitchOn = m.play
	}
	return m
}

// Run follows the cloud until ctx ends. While the cloud does not answer, the machines stay as they are.
func (m *Machines) Run(ctx context.Context) {
	ticker := time.NewTicker(m.options.Poll)
	defer ticker.Stop()
	for {
		servers, err := m.cloud.Servers(ctx)
		if err == nil {
			m.follow(servers)
		}
		m.mu.Lock()
		m.listErr = err
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Err says what is wrong with the machines now: those that crashed, and a cloud that cannot be listed.
func (m *Machines) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := []error{m.listErr}
	for _, machine := range m.machines {
		if machine.crashed {
			errs = append(errs, machine.process.Err())
		}
	}
	return errors.Join(errs...)
}

// Running counts the machines that are switched on, crashed ones included.
func (m *Machines) Running() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	running := 0
	for _, machine := range m.machines {
		if machine.process != nil {
			running++
		}
	}
	return running
}

// KubeletKubeconfig is the path of the kubeconfig that a server's kubelet has got by joining. It is not there before.
func (m *Machines) KubeletKubeconfig(serverID string) string {
	return filepath.Join(m.dir(Server{ID: serverID}), "root", "etc", "kubernetes", "kubelet.conf")
}

// follow makes the machines match the servers.
func (m *Machines) follow(servers []Server) {
	now := time.Now()
	exists := map[string]bool{}
	for _, server := range servers {
		exists[server.ID] = true
		known := m.machines[server.ID]
		if server.Off {
			exists[server.ID] = false // the plug is pulled; should it become active again it boots anew
			continue
		}
		if known == nil && server.Active {
			known = &machine{server: server, activeAt: now}
			m.mu.Lock()
			m.machines[server.ID] = known
			m.mu.Unlock()
		}
		if known != nil && known.process == nil && now.Sub(known.activeAt) >= m.options.BootDelay {
			m.switchOn(known)
		}
	}
	for id, machine := range m.machines {
		switch {
		case !exists[id]:
			m.switchOff(machine)
		case machine.process != nil && !machine.crashed && machine.process.Err() != nil:
			m.mu.Lock()
			machine.crashed = true
			m.mu.Unlock()
			m.tell(Crashed, machine.server, machine.process.Err())
		}
	}
}

func (m *Machines) tell(kind EventKind, server Server, err error) {
	m.options.OnEvent(Event{Kind: kind, ServerID: server.ID, Name: server.Name, Err: err})
}

func (m *Machines) switchOn(machine *machine) {
	started, err := m.start(machine.server)
	if err != nil {
		// The next look at the cloud tries again.
		m.tell(Crashed, machine.server, err)
		return
	}
	m.mu.Lock()
	machine.process = started
	m.mu.Unlock()
	m.tell(Started, machine.server, nil)
}

func (m *Machines) start(server Server) (*process.Process, error) {
	dir := m.dir(server)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return m.options.SwitchOn(m.group, server, fmt.Sprintf("machine-%s-%.8s", server.Name, server.ID), dir)
}

// play starts a machine whose hardware and containers are played.
func (m *Machines) play(group *process.Group, server Server, name, dir string) (*process.Process, error) {
	userData := filepath.Join(dir, "user_data")
	if err := os.WriteFile(userData, server.UserData, 0o600); err != nil {
		return nil, err
	}
	return group.Start(name, process.Options{}, m.options.Binary, "machine",
		"--user-data="+userData, "--state-dir="+dir,
		"--instance-id="+server.ID, "--hostname="+strings.ToLower(server.Name), "--availability-zone="+server.Zone,
		"--vcpus="+strconv.Itoa(server.VCPUs), "--ram-mib="+strconv.FormatInt(server.RAMMiB, 10), "--disk-gib="+strconv.FormatInt(server.DiskGiB, 10))
}

func (m *Machines) switchOff(machine *machine) {
	if machine.process != nil {
		machine.process.Kill()
		m.tell(Stopped, machine.server, nil)
	}
	m.mu.Lock()
	delete(m.machines, machine.server.ID)
	m.mu.Unlock()
	// What cannot be removed goes with the whole directory in the end.
	_ = os.RemoveAll(m.dir(machine.server))
}

// dir is named by the first part of the id only, to leave room for a socket's path.
func (m *Machines) dir(server Server) string {
	return filepath.Join(m.options.Dir, strings.SplitN(server.ID, "-", 2)[0])
}
