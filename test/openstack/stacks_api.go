package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// Stack is a root stack as Heat itself knows it.
type Stack struct {
	ID, Name, Project string
	Tags              []string
	// Status is such as UPDATE_COMPLETE.
	Status, Reason string
	// Parameters are shown as Heat shows them, except that hidden ones are not hidden.
	Parameters map[string]string
	// Members are those of all the stack's groups, lowest index first.
	Members []Member
}

// Member is a member of a stack's resource group.
type Member struct {
	Group, Index string
	// Status is that of the member's server resource, such as CREATE_FAILED.
	Status, Reason, ServerID string
}

// CreateStack makes a stack as a user of the project would. An error is worded as Heat's.
func (s *Simulator) CreateStack(project string, spec StackSpec) (id string, err error) {
	s.lock()
	defer s.mu.Unlock()
	p := s.mustProject(project)
	spec.Parameters = normalise(spec.Parameters)
	st, problem := s.createStack(p, s.ownerOf(p), spec)
	if problem != nil {
		return "", problem
	}
	return st.id, nil
}

func (s *Simulator) ownerOf(p *Project) *user {
	for _, u := range s.users {
		if u.projects[p.ID] {
			return u
		}
	}
	panic(fmt.Sprintf("simulated OpenStack: nobody has access to project %q", p.Name))
}

// PatchStack updates a stack as a human would, at once.
func (s *Simulator) PatchStack(id string, parameters map[string]any) error {
	return s.humanUpdate(id, patch{existing: true, parameters: parameters, by: "human"})
}

// ReplaceTemplate gives a stack another template and keeps its parameters, as a human would.
func (s *Simulator) ReplaceTemplate(id string, template any, parameters map[string]any) error {
	return s.humanUpdate(id, patch{existing: true, template: template, parameters: parameters, by: "human"})
}

// SetTags changes a stack's tags. Unlike with Heat, nothing else is updated.
func (s *Simulator) SetTags(id string, tags ...string) {
	s.lock()
	defer s.mu.Unlock()
	if st := s.stacks[id]; st != nil {
		st.tags = slices.Clone(tags)
	}
}

func (s *Simulator) humanUpdate(id string, p patch) error {
	s.lock()
	defer s.mu.Unlock()
	st := s.stacks[id]
	if st == nil {
		return notFoundStack(id)
	}
	p.parameters = normalise(p.parameters)
	record := Update{At: s.now, Stack: st.id, StackName: st.name, By: p.by, Parameters: p.parameters, Status: http.StatusAccepted}
	problem := st.update(p)
	if problem != nil {
		record.Status = problem.code
	}
	s.history.updates = append(s.history.updates, record)
	if problem != nil {
		return problem
	}
	return nil
}

// Act starts check, suspend or resume on a stack, as a human would.
func (s *Simulator) Act(id, action string) error {
	s.lock()
	defer s.mu.Unlock()
	st := s.stacks[id]
	if st == nil {
		return notFoundStack(id)
	}
	if problem := st.act(action, "human"); problem != nil {
		return problem
	}
	return nil
}

// DeleteStack starts the deletion of a stack.
func (s *Simulator) DeleteStack(id string) {
	s.lock()
	defer s.mu.Unlock()
	if st := s.stacks[id]; st != nil {
		st.remove("human")
	}
}

// DeleteServer deletes a server in Nova, behind Heat's back.
func (s *Simulator) DeleteServer(id string) {
	s.lock()
	defer s.mu.Unlock()
	if srv := s.servers[id]; srv != nil {
		s.remove(srv, OutOfBand, "human", nil)
	}
}

// BreakServer lets a running server go to ERROR, as when its host dies.
func (s *Simulator) BreakServer(id, fault string) {
	s.lock()
	defer s.mu.Unlock()
	if srv := s.servers[id]; srv != nil && srv.status != "DELETED" {
		srv.status, srv.vmState, srv.taskState, srv.fault, srv.faultAt = "ERROR", "error", "", fault, s.now
		s.touch(srv)
		s.dispatch(ServerError, srv)
	}
}

// SetClassic says whether stacks made from now on use the classic engine.
func (s *Simulator) SetClassic(classic bool) {
	s.lock()
	defer s.mu.Unlock()
	s.classic = classic
}

// Stack returns one root stack.
func (s *Simulator) Stack(id string) (Stack, bool) {
	s.lock()
	defer s.mu.Unlock()
	st := s.stacks[id]
	if st == nil {
		return Stack{}, false
	}
	return st.export(), true
}

// Stacks lists all root stacks that are not deleted, oldest first.
func (s *Simulator) Stacks() []Stack {
	s.lock()
	defer s.mu.Unlock()
	var list []Stack
	for _, p := range s.projects {
		for _, st := range p.stackList {
			if st.deleted.IsZero() {
				list = append(list, st.export())
			}
		}
	}
	return list
}

// ResourceTypes lists the types of a stack's resources and of those nested in it, one entry for each resource.
func (s *Simulator) ResourceTypes(id string) []string {
	s.lock()
	defer s.mu.Unlock()
	var kinds []string
	var walk func(st *stack)
	walk = func(st *stack) {
		for _, r := range st.sorted() {
			kinds = append(kinds, r.kind)
			if r.nested != nil {
				walk(r.nested)
			}
		}
	}
	if st := s.stacks[id]; st != nil {
		walk(st)
	}
	return kinds
}

// Settled says whether no stack has an action under way and no server is being built or deleted.
func (s *Simulator) Settled() bool {
	s.lock()
	defer s.mu.Unlock()
	for _, st := range s.stacks {
		if st.inProgress() || st.current != nil && !st.current.over() {
			return false
		}
		for _, r := range st.resources {
			if st.parent != nil {
				break
			}
			if r.busy && r.nested != nil { // it may go on after the stack has failed
				return false
			}
		}
	}
	if s.late > 0 {
		return false
	}
	for _, p := range s.projects {
		for _, srv := range p.servers {
			if srv.status == "BUILD" || srv.status != "DELETED" && srv.taskState != "" {
				return false
			}
		}
	}
	return true
}

func (st *stack) export() Stack {
	out := Stack{ID: st.id, Name: st.name, Project: st.project.Name, Tags: slices.Clone(st.tags), Status: st.action + "_" + st.status, Reason: st.reason, Parameters: map[string]string{}}
	for name, p := range st.tmpl.params {
		open := *p
		open.hidden = false
		out.Parameters[name] = open.show(st.values[name])
	}
	for _, r := range st.sorted() {
		if r.nested != nil && r.isGroup() {
			for _, m := range r.nested.sorted() {
				out.Members = append(out.Members, m.member(r.name))
			}
		}
	}
	return out
}

// member describes a group's member; a nested stack is described by the server in it.
func (r *resource) member(group string) Member {
	m := Member{Group: group, Index: r.name, Status: r.state(), Reason: r.reason}
	if r.server != nil {
		m.ServerID = r.server.id
	}
	if r.nested != nil {
		for _, inner := range r.nested.sorted() {
			if inner.kind == serverType {
				found := inner.member(group)
				found.Index = r.name
				return found
			}
		}
	}
	return m
}

// normalise turns what a test wrote in Go into what comes out of a request's JSON.
func normalise(parameters map[string]any) map[string]any {
	out := map[string]any{}
	data, err := json.Marshal(parameters)
	if err == nil {
		err = decodeJSON(string(data), &out)
	}
	if err != nil {
		panic(fmt.Sprintf("simulated OpenStack: parameters: %v", err))
	}
	if out == nil {
		out = map[string]any{}
	}
	return out
}
