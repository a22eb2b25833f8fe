package simulator

import "fmt"

// ServerSpec describes a server that somebody makes by hand.
type ServerSpec struct {
	Name, Flavor string
	Metadata     map[string]string
}

// AddServer makes a server that Heat knows nothing of, as anybody in the project may, and returns its id.
func (s *Simulator) AddServer(project string, spec ServerSpec) string {
	s.lock()
	defer s.mu.Unlock()
	p := s.project(project)
	if p == nil {
		panic(fmt.Sprintf("simulated OpenStack: no project %q", project))
	}
	srv, refusal := s.boot(p, &user{name: "somebody"}, serverSpec{name: spec.Name, flavor: spec.Flavor, metadata: spec.Metadata})
	if srv == nil {
		panic("simulated OpenStack: " + refusal)
	}
	return srv.id
}
