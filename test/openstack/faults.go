package simulator

import (
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Service is the name of one of the simulated services.
type Service string

// The simulated services.
const (
	Keystone Service = "keystone"
	Heat     Service = "heat"
	Nova     Service = "nova"
	Glance   Service = "glance"
	Neutron  Service = "neutron"
	Gnocchi  Service = "gnocchi"
)

// Fault is something that goes wrong with requests. The zero value matches every request and does nothing to it.
type Fault struct {
	// Service, Method and Path say which requests; empty matches all. Path is a regular expression for the path and the
	// query, such as `/stacks/[^/]+/[^/?]+\?`.
	Service Service
	Method  string
	Path    string
	// Skip lets so many matching requests pass first. Times is how many then fail; 0 is for ever.
	Skip, Times int

	// Latency is waited before anything else, on the simulator's clock.
	Latency time.Duration
	// Status and Body are the answer, instead of the real one. RetryAfter, in seconds, is added if positive.
	Status     int
	Body       string
	Header     http.Header
	RetryAfter int
	// Done carries the request out all the same, and only the answer is lost or replaced.
	Done bool
	// Drop closes the connection without an answer. Truncate sends only so many bytes of the answer's body and then closes it.
	Drop     bool
	Truncate int
	// Hang keeps the request until the client gives up or the simulator is closed.
	Hang bool
}

type activeFault struct {
	Fault
	path      *regexp.Regexp
	seen, hit int
	removed   bool
}

type faultSet []*activeFault

// Inject lets requests fail as f says until they have failed f.Times times or the returned function is called.
// It panics if f.Path is no regular expression: a mistake in a test.
func (s *Simulator) Inject(f Fault) (cancel func()) {
	active := &activeFault{Fault: f, path: regexp.MustCompile(f.Path)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, active)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		active.removed = true
	}
}

// ClearFaults ends everything that Inject, FailBuilds, RefuseServers, LoseUpdates and CarryOutTwice have ordered.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.builds, s.loseNext, s.twice = nil, nil, map[string]int{}, map[string]int{}
}

// match finds the fault for a request. The caller holds the lock.
func (set faultSet) match(service Service, r *http.Request) *Fault {
	for _, f := range set {
		if f.removed || f.Times > 0 && f.hit >= f.Times {
			continue
		}
		if f.Service != "" && f.Service != service || f.Method != "" && f.Method != r.Method || !f.path.MatchString(r.URL.RequestURI()) {
			continue
		}
		f.seen++
		if f.seen <= f.Skip {
			continue
		}
		f.hit++
		found := f.Fault
		return &found
	}
	return nil
}

// answer writes the fault's own answer.
func (f *Fault) answer(w http.ResponseWriter) {
	for k, v := range f.Header {
		w.Header()[k] = v
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}
