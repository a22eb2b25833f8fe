package simulator

import (
	"strings"
)

// buildFailure is a failure that a test has ordered.
type buildFailure struct {
	flavor string
	fault  string // the server goes to ERROR with this
	refuse string // Nova refuses the request with this
	left   int    // how often; negative: always
}

// FailBuilds lets the next n servers of a flavor (of every flavor if empty; for ever if n is negative) go to ERROR with
// this fault. The returned function ends it.
func (s *Simulator) FailBuilds(flavor, fault string, n int) (cancel func()) {
	return s.failServers(&buildFailure{flavor: flavor, fault: fault, left: n})
}

// RefuseServers lets Nova refuse the next n requests for servers of a flavor, with words such as
// "Quota exceeded, too many servers in group (HTTP 403)". The returned function ends it.
func (s *Simulator) RefuseServers(flavor, message string, n int) (cancel func()) {
	return s.failServers(&buildFailure{flavor: flavor, refuse: message, left: n})
}

func (s *Simulator) failServers(f *buildFailure) func() {
	s.lock()
	defer s.mu.Unlock()
	s.builds = append(s.builds, f)
	return func() {
		s.lock()
		defer s.mu.Unlock()
		f.left = 0
	}
}

// refusal is why Nova will not take a request for a server; empty if it will.
func (s *Simulator) refusal(f *Flavor) string {
	for _, b := range s.builds {
		if b.refuse != "" && b.left != 0 && (b.flavor == "" || b.flavor == f.Name) {
			b.left--
			return b.refuse
		}
	}
	return ""
}

// buildFailure is why a server cannot be built; empty if it can.
func (s *Simulator) buildFailure(f *Flavor) string {
	for _, b := range s.builds {
		if b.fault != "" && b.left != 0 && (b.flavor == "" || b.flavor == f.Name) {
			b.left--
			return b.fault
		}
	}
	if f.NoValidHost || f.Capacity > 0 && f.servers >= f.Capacity {
		return noValidHost
	}
	return ""
}

// refusalKind is the name of the exception with which Heat reports a refusal of Nova's.
func refusalKind(message string) string {
	switch {
	case strings.Contains(message, "HTTP 403"):
		return "Forbidden"
	case strings.Contains(message, "HTTP 404"):
		return "NotFound"
	case strings.Contains(message, "HTTP 409"):
		return "Conflict"
	case strings.Contains(message, "HTTP 400"):
		return "BadRequest"
	}
	return "ClientException"
}
