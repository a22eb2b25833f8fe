package simulator

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// accessRule allows one kind of request of an application credential.
type accessRule struct {
	Service string `json:"service"`
	Method  string `json:"method"`
	Path    string `json:"path"`
}

// accessTypes are the services' types and where they are served, as keystonemiddleware is told both.
var accessTypes = map[Service]struct{ kind, root string }{
	Heat: {"orchestration", "/orchestration"}, Nova: {"compute", "/compute"},
	Glance: {"image", "/image"}, Neutron: {"network", "/network"}, Gnocchi: {"metric", "/metric"},
}

// mayPass says whether the access rules of the token's application credential allow the request, as keystonemiddleware does it
// (auth_token/__init__.py, validate_allowed_request). It compares with the whole path, that of the service's own root included.
func (q *request) mayPass(t *token) bool {
	if q.service == Keystone {
		return true // it does not hold itself to access rules (seen on Zed)
	}
	return q.sim.allows(t, q.service, q.Method, accessTypes[q.service].root+q.URL.Path)
}

// allows says whether the access rules behind a token allow a request; those of no token allow all.
func (s *Simulator) allows(t *token, service Service, method, path string) bool {
	if t == nil || t.credential == nil || t.credential.rules == nil {
		return true
	}
	for _, r := range t.credential.rules {
		if r.Method == method && r.Service == accessTypes[service].kind && pathPattern(r.Path).MatchString(path) {
			s.used(t.credential.name, r)
			return true
		}
	}
	return false
}

// mayAskNova says whether Heat may make this request to Nova for the resource: it has the token of whoever updated the stack last.
// The failure is Nova's refusal as Heat words it.
func (r *resource) mayAskNova(method, path string) (failure string, ok bool) {
	s := r.st.sim
	if s.allows(r.st.root().caller, Nova, method, accessTypes[Nova].root+"/v2.1"+path) {
		return "", true
	}
	return r.failure("Unauthorized", "The request you have made requires authentication. (HTTP 401) (Request-ID: "+s.requestID()+")"), false
}

var pathToken = regexp.MustCompile(`\{[^}]*\}|\*\*|\*|[^{}*]`)

// pathPattern is _path_matches of keystonemiddleware: {name} and * are one part of a path, ** any number of them. What else it
// holds is a regular expression there, too, so that a dot is any character.
func pathPattern(path string) *regexp.Regexp {
	var b strings.Builder
	for _, t := range pathToken.FindAllString(path, -1) {
		switch {
		case t == "**":
			b.WriteString(".*")
		case t == "*", t[0] == '{':
			b.WriteString(`[^/]+`)
		default:
			b.WriteString(t)
		}
	}
	return regexp.MustCompile("^" + b.String() + "$")
}

// AccessRule is a rule of an application credential, as RulesUsed tells it.
type AccessRule struct{ Service, Method, Path string }

func (s *Simulator) used(credential string, r accessRule) {
	if s.rulesUsed == nil {
		s.rulesUsed = map[string]map[AccessRule]int{}
	}
	if s.rulesUsed[credential] == nil {
		s.rulesUsed[credential] = map[AccessRule]int{}
	}
	s.rulesUsed[credential][AccessRule(r)]++
}

// RulesUsed returns how often each access rule of the application credential of that name has let a request pass.
func (s *Simulator) RulesUsed(credential string) map[AccessRule]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.rulesUsed[credential])
}

// CredentialNames are the names of the application credentials whose access rules were used.
func (s *Simulator) CredentialNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.rulesUsed))
}
