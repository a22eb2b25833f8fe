package simulator

import (
	"fmt"
	"maps"
	"sort"
	"time"
)

// Nova's words for a flavor that no host has room for.
const noValidHost = "No valid host was found. "

// server is a Nova server.
type server struct {
	id, name        string
	hostName        string // kept when the server is renamed
	number          int
	project         *Project
	user            *user
	status          string
	taskState       string
	vmState         string
	power           int
	metadata        map[string]string
	tags            []string
	flavor          *Flavor
	image           *Image // nil if it boots from a volume
	bootVolumeGiB   int
	volume          string
	userData        string
	keyName         string
	zone            string
	network         *Network
	address, mac    string
	created         time.Time
	updated         time.Time
	launched        time.Time
	terminated      time.Time
	fault           string
	faultAt         time.Time
	scheduled       bool // it got a host
	booked          bool // it counts against the quota
	owner           *resource
	base            string // of the links in its view
	notify          func()
	deathCause      Cause
	deathBy         string
	deathWasRunning bool
	actions         []instanceAction // oldest first
}

// change is an entry of a project's journal of server changes.
type change struct {
	at     time.Time
	server *server
}

// serverSpec is what a new server is to be.
type serverSpec struct {
	name, flavor, image, network, userData, keyName, zone string
	metadata                                              map[string]string
	tags                                                  []string
	bootVolumeGiB                                         int
}

// boot makes a server; a non-empty second result is Nova's refusal.
func (s *Simulator) boot(p *Project, u *user, spec serverSpec) (*server, string) {
	f := s.flavor(spec.flavor)
	if f == nil {
		return nil, fmt.Sprintf("Flavor %s could not be found. (HTTP 404) (Request-ID: %s)", spec.flavor, s.requestID())
	}
	if refusal := s.refusal(f); refusal != "" {
		return nil, fmt.Sprintf("%s (Request-ID: %s)", refusal, s.requestID())
	}
	if refusal := p.take(f); refusal != "" {
		return nil, fmt.Sprintf("%s (HTTP 403) (Request-ID: %s)", refusal, s.requestID())
	}
	s.serverSeq++
	p.nextAddr++
	srv := &server{
		id: s.uuid(), name: spec.name, hostName: hostName(spec.name), number: s.serverSeq, base: s.baseURL, project: p, user: u, status: "BUILD", taskState: "scheduling",
		vmState: "building", metadata: maps.Clone(spec.metadata), tags: spec.tags, flavor: f, image: s.image(spec.image),
		bootVolumeGiB: spec.bootVolumeGiB, userData: spec.userData, keyName: spec.keyName, zone: spec.zone,
		network: s.network(spec.network), created: s.now, booked: true,
		address: fmt.Sprintf("10.%d.%d.%d", p.nextAddr>>16&255, p.nextAddr>>8&255, p.nextAddr&255),
		mac:     fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", p.nextAddr>>16&255, p.nextAddr>>8&255, p.nextAddr&255),
	}
	if srv.metadata == nil {
		srv.metadata = map[string]string{}
	}
	if srv.bootVolumeGiB > 0 {
		srv.volume = s.uuid()
	}
	srv.record(s, "create", u)
	s.servers[srv.id] = srv
	p.servers = append(p.servers, srv)
	s.touch(srv)
	s.history.birth(s, srv)
	s.dispatch(ServerCreated, srv)
	if failure := s.buildFailure(f); failure != "" {
		s.after(s.timing.BuildError, func() { s.buildFailed(srv, failure) })
		return srv, ""
	}
	f.servers++
	srv.scheduled = true
	s.after(s.timing.Build/3, func() {
		if srv.status == "BUILD" && srv.taskState == "scheduling" {
			srv.taskState = "spawning"
			s.touch(srv)
		}
	})
	s.after(s.timing.Build, func() { s.onHost(func() { s.built(srv) }) })
	return srv, ""
}

// built lets a server become ACTIVE.
func (s *Simulator) built(srv *server) {
	if srv.status != "BUILD" || srv.taskState == "deleting" {
		return
	}
	srv.status, srv.taskState, srv.vmState, srv.power, srv.launched = "ACTIVE", "", "active", 1, s.now
	if srv.zone == "" {
		srv.zone = "nova"
	}
	s.touch(srv)
	s.dispatch(ServerActive, srv)
	if srv.notify != nil {
		srv.notify()
	}
}

// buildFailed lets a server go to ERROR.
func (s *Simulator) buildFailed(srv *server, fault string) {
	if srv.status != "BUILD" || srv.taskState == "deleting" {
		return
	}
	srv.status, srv.taskState, srv.vmState, srv.fault, srv.faultAt = "ERROR", "", "error", fault, s.now
	s.touch(srv)
	s.dispatch(ServerError, srv)
	if srv.notify != nil {
		srv.notify()
	}
}

// remove deletes a server, for this cause and in this one's name, and calls done when it is gone.
func (s *Simulator) remove(srv *server, cause Cause, by string, done func()) {
	finish := func() {
		if done != nil {
			done()
		}
	}
	if srv.status == "DELETED" {
		finish()
		return
	}
	if srv.taskState != "deleting" {
		srv.deathWasRunning = srv.status != "BUILD" && srv.status != "ERROR"
		srv.taskState, srv.deathCause, srv.deathBy = "deleting", cause, by
		s.touch(srv)
		s.history.death(s, srv)
		s.after(s.timing.Delete, func() { s.onHost(func() { s.removed(srv) }) })
	}
	// Two who delete the same server both wait until it is gone.
	s.after(s.timing.Delete, func() { s.onHost(finish) })
}

// removed takes a server out of everything but the list of changes.
func (s *Simulator) removed(srv *server) {
	if srv.status == "DELETED" {
		return
	}
	srv.status, srv.taskState, srv.vmState, srv.power, srv.terminated = "DELETED", "", "deleted", 0, s.now
	// Measured: a deleted server is listed without its metadata and its tags.
	srv.metadata, srv.tags = map[string]string{}, nil
	if srv.booked {
		srv.project.release(srv.flavor)
		srv.booked = false
	}
	if srv.scheduled {
		srv.flavor.servers--
		srv.scheduled = false
	}
	s.touch(srv)
	s.dispatch(ServerDeleted, srv)
	if srv.notify != nil {
		srv.notify()
	}
	s.compact(srv.project)
}

// touch notes that a server has changed.
func (s *Simulator) touch(srv *server) {
	srv.updated = s.now
	if s.telemetry != nil {
		s.measure()
		s.noticed(srv)
	}
	p := srv.project
	p.changes = append(p.changes, change{s.now, srv})
	if len(p.changes) > 4*len(p.servers)+64 {
		kept := make([]change, 0, len(p.servers))
		seen := make(map[*server]bool, len(p.servers))
		for i := len(p.changes) - 1; i >= 0; i-- {
			if c := p.changes[i]; !seen[c.server] {
				seen[c.server] = true
				kept = append(kept, c)
			}
		}
		for i, j := 0, len(kept)-1; i < j; i, j = i+1, j-1 {
			kept[i], kept[j] = kept[j], kept[i]
		}
		p.changes = kept
	}
}

// compact forgets deleted servers when they outnumber the living ones by far, as Nova's db archive does.
func (s *Simulator) compact(p *Project) {
	p.pruned++
	if p.pruned < 2000 || p.pruned < 4*p.used.Instances {
		return
	}
	p.pruned = 0
	horizon := s.now.Add(-24 * time.Hour)
	kept := p.servers[:0]
	for _, srv := range p.servers {
		if srv.status == "DELETED" && srv.terminated.Before(horizon) {
			delete(s.servers, srv.id)
			continue
		}
		kept = append(kept, srv)
	}
	clear(p.servers[len(kept):])
	p.servers = kept
}

// changedSince lists the servers that changed at or after a moment, deleted ones too, newest server first.
func (p *Project) changedSince(since time.Time) []*server {
	first := sort.Search(len(p.changes), func(i int) bool { return !p.changes[i].at.Before(since) })
	seen := map[*server]bool{}
	var list []*server
	for _, c := range p.changes[first:] {
		if !seen[c.server] {
			seen[c.server] = true
			list = append(list, c.server)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].number > list[j].number })
	return list
}

// living lists the servers that are not deleted, newest first.
func (p *Project) living() []*server {
	list := make([]*server, 0, len(p.servers))
	for i := len(p.servers) - 1; i >= 0; i-- {
		if p.servers[i].status != "DELETED" {
			list = append(list, p.servers[i])
		}
	}
	return list
}
