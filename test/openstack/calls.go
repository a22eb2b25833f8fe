package simulator

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
)

// Call is a kind of request: a service, a method and a path without ids and query.
type Call struct {
	Service Service
	Method  string
	// Path is such as /stacks/{name}/{id}/resources or /servers/detail.
	Path string
}

type callCounter map[Call]int

var (
	idInPath   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|^[0-9a-f]{32}$`)
	versionTag = regexp.MustCompile(`^/(v[0-9.]+)(/[0-9a-f]{32})?`)
)

// kindOfCall drops what varies from a request's path, which begins with the service's version.
func kindOfCall(service Service, r *http.Request, path string) Call {
	if service == Heat || service == Nova || service == Keystone || service == Gnocchi {
		path = versionTag.ReplaceAllString(path, "")
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		switch {
		case idInPath.MatchString(p):
			parts[i] = "{id}"
		case service == Heat && i == 1:
			parts[i] = "{name}"
		case service == Heat && i > 0 && parts[i-1] == "resources":
			parts[i] = "{resource}"
		case service == Heat && i > 0 && parts[i-1] == "outputs":
			parts[i] = "{output}"
		}
	}
	return Call{service, r.Method, "/" + strings.Join(parts, "/")}
}

// Calls returns how many requests of each kind have arrived since the last ResetCalls, failed ones too.
func (s *Simulator) Calls() map[Call]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// CountCalls adds up the requests of a service, of all methods and services for empty ones.
func (s *Simulator) CountCalls(service Service, method string) int {
	n := 0
	for call, count := range s.Calls() {
		if (service == "" || call.Service == service) && (method == "" || call.Method == method) {
			n += count
		}
	}
	return n
}

// ResetCalls begins to count anew.
func (s *Simulator) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = callCounter{}
}
