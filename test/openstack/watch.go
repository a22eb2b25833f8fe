package simulator

import (
	"maps"
	"sync"
	"time"
)

// ServerEventType says what happened to a server.
type ServerEventType string

// What can happen to a server.
const (
	ServerCreated ServerEventType = "created" // Nova has accepted it, status BUILD
	ServerActive  ServerEventType = "active"  // it runs: a machine would boot now
	ServerError   ServerEventType = "error"   // it could not be built
	ServerStopped ServerEventType = "stopped" // it was shut down
	ServerDeleted ServerEventType = "deleted" // it is gone
)

// ServerEvent tells that something happened to a server.
type ServerEvent struct {
	Type   ServerEventType
	Server Server
}

// Server is a Nova server as the cloud itself knows it.
type Server struct {
	ID, Name, Project, ProjectID string
	// Status is Nova's: BUILD, ACTIVE, SHUTOFF, ERROR, SUSPENDED, DELETED. Deleting says that it is being deleted.
	Status   string
	Deleting bool
	Metadata map[string]string
	// UserData is decoded.
	UserData                string
	Flavor                  Flavor
	Image, Zone             string
	Address, MAC            string
	Stack, StackName, Index string // as in Birth
	Created                 time.Time
	Fault                   string
	// Actions are what was done with it, oldest first, such as "stop" or, if Nova did it by itself, "stop by nobody".
	Actions []string
}

func (srv *server) export() Server {
	stackID, stackName, index := srv.origin()
	out := Server{
		ID: srv.id, Name: srv.name, Project: srv.project.Name, ProjectID: srv.project.ID, Status: srv.status, Deleting: srv.taskState == "deleting",
		Metadata: maps.Clone(srv.metadata), UserData: srv.userData, Flavor: *srv.flavor, Zone: srv.zone, Address: srv.address, MAC: srv.mac,
		Stack: stackID, StackName: stackName, Index: index, Created: srv.created, Fault: srv.fault,
	}
	for _, a := range srv.actions {
		what := a.action
		if a.user == nil {
			what += " by nobody"
		}
		out.Actions = append(out.Actions, what)
	}
	if srv.image != nil {
		out.Image = srv.image.Name
	}
	return out
}

// Servers lists the servers of all projects that are not deleted, oldest first.
func (s *Simulator) Servers() []Server {
	s.lock()
	defer s.mu.Unlock()
	var list []Server
	for _, p := range s.projects {
		for _, srv := range p.servers {
			if srv.status != "DELETED" {
				list = append(list, srv.export())
			}
		}
	}
	return list
}

// Server returns one server, deleted ones too.
func (s *Simulator) Server(id string) (Server, bool) {
	s.lock()
	defer s.mu.Unlock()
	srv := s.servers[id]
	if srv == nil {
		return Server{}, false
	}
	return srv.export(), true
}

// Subscribe calls f for everything that happens to servers from now on, in order and one at a time, until the returned
// function is called. f may call any method of Simulator but Close.
func (s *Simulator) Subscribe(f func(ServerEvent)) (cancel func()) { return s.dispatcher.subscribe(f) }

func (s *Simulator) dispatch(kind ServerEventType, srv *server) {
	if s.dispatcher.idle() {
		return
	}
	s.dispatcher.add(ServerEvent{kind, srv.export()})
}

// dispatcher hands events to subscribers outside the simulator's lock.
type dispatcher struct {
	mu          sync.Mutex
	changed     *sync.Cond
	queue       []ServerEvent
	subscribers map[int]func(ServerEvent)
	next        int
	closed      bool
}

func newDispatcher() *dispatcher {
	d := &dispatcher{subscribers: map[int]func(ServerEvent){}}
	d.changed = sync.NewCond(&d.mu)
	return d
}

func (d *dispatcher) idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.subscribers) == 0
}

func (d *dispatcher) add(e ServerEvent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, e)
	d.changed.Signal()
}

func (d *dispatcher) subscribe(f func(ServerEvent)) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.next
	d.next++
	d.subscribers[id] = f
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.subscribers, id)
	}
}

func (d *dispatcher) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.changed.Signal()
}

func (d *dispatcher) run() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		for len(d.queue) == 0 && !d.closed {
			d.changed.Wait()
		}
		if d.closed {
			return
		}
		e := d.queue[0]
		d.queue = d.queue[1:]
		for id := range d.next {
			if f := d.subscribers[id]; f != nil {
				d.mu.Unlock()
				f(e)
				d.mu.Lock()
			}
		}
	}
}
