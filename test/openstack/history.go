package simulator

import (
	"time"
)

// Cause says why a server was deleted.
type Cause string

// Causes of a server's death.
const (
	// NamedRemoval: its index was in a removal list.
	NamedRemoval Cause = "named removal"
	// CountLowered: nobody named it; the count was lowered and its index was the highest. This is how the wrong server dies.
	CountLowered Cause = "count lowered"
	// Replaced: Heat made another one in its place, because it was marked unhealthy, failed a check, or its definition changed.
	Replaced Cause = "replaced"
	// Retried: it could not be built and Heat tries again.
	Retried Cause = "retried"
	// RolledBack: an update failed and was rolled back.
	RolledBack Cause = "rolled back"
	// StackDeleted: the whole stack was deleted.
	StackDeleted Cause = "stack deleted"
	// OutOfBand: it was deleted in Nova, behind Heat's back.
	OutOfBand Cause = "deleted in Nova"
)

// Birth is a server's creation.
type Birth struct {
	At               time.Time
	ServerID, Name   string
	Project, Stack   string // project name; root stack's id, empty if Heat did not make the server
	StackName, Index string
}

// Death is a server's deletion, at the moment it was ordered.
type Death struct {
	At               time.Time
	ServerID, Name   string
	Project, Stack   string
	StackName, Index string
	Cause            Cause
	// By is who ordered it: the user's name for calls by HTTP, "human" for those through Simulator.
	By string
	// WasRunning: it had been ACTIVE. A server that never ran is no loss.
	WasRunning bool
	// Excluded is when Heat wrote down that its member's index is never to be used again; zero if it has not.
	Excluded time.Time
}

// Update is a PATCH of a stack, as it arrived.
type Update struct {
	At               time.Time
	Stack, StackName string
	By               string
	Parameters       map[string]any
	// Status is the answer's; Lost says that it was 202 and nothing came of it.
	Status int
	Lost   bool
}

type history struct {
	births   []Birth
	deaths   []Death
	updates  []Update
	excluded map[exclusion]time.Time
}

// exclusion is an index of a stack's group.
type exclusion struct{ stack, index string }

// exclude notes that an index is never to be used again.
func (h *history) exclude(s *Simulator, stack, index string) {
	if h.excluded == nil {
		h.excluded = map[exclusion]time.Time{}
	}
	h.excluded[exclusion{stack, index}] = s.now
}

func (h *history) birth(s *Simulator, srv *server) {
	stackID, stackName, index := srv.origin()
	h.births = append(h.births, Birth{At: s.now, ServerID: srv.id, Name: srv.name, Project: srv.project.Name, Stack: stackID, StackName: stackName, Index: index})
}

func (h *history) death(s *Simulator, srv *server) {
	stackID, stackName, index := srv.origin()
	h.deaths = append(h.deaths, Death{
		At: s.now, ServerID: srv.id, Name: srv.name, Project: srv.project.Name, Stack: stackID, StackName: stackName, Index: index,
		Cause: srv.deathCause, By: srv.deathBy, WasRunning: srv.deathWasRunning,
		Excluded: h.excluded[exclusion{stackID, index}],
	})
}

// origin says which root stack a server belongs to and which member of a group it is.
func (srv *server) origin() (stackID, stackName, index string) {
	if srv.owner == nil {
		return "", "", ""
	}
	root := srv.owner.st.root()
	return root.id, root.name, srv.owner.memberName()
}

// Births lists every server that was ever made, in order.
func (s *Simulator) Births() []Birth {
	s.lock()
	defer s.mu.Unlock()
	return append([]Birth(nil), s.history.births...)
}

// Deaths lists every server that was ever deleted, in order, with the cause: the truth that a client's claims are checked against.
func (s *Simulator) Deaths() []Death {
	s.lock()
	defer s.mu.Unlock()
	return append([]Death(nil), s.history.deaths...)
}

// Updates lists every PATCH that ever arrived, in order.
func (s *Simulator) Updates() []Update {
	s.lock()
	defer s.mu.Unlock()
	return append([]Update(nil), s.history.updates...)
}
