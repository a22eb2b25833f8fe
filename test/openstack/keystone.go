package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

const keystoneTime = "2006-01-02T15:04:05.000000Z"

// keystone answers for the identity service.
func keystone(q *request) *response {
	s := q.sim
	version := map[string]any{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []any{map[string]any{"rel": "self", "href": s.endpoint("/identity/v3/")}},
		"media-types": []any{map[string]any{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
	switch path := strings.Join(q.path, "/"); {
	case path == "":
		return jsonResponse(http.StatusMultipleChoices, map[string]any{"versions": map[string]any{"values": []any{version}}})
	case path == "v3":
		return jsonResponse(http.StatusOK, map[string]any{"version": version})
	case path == "v3/auth/tokens" && q.Method == http.MethodPost:
		return q.issueToken()
	case path == "v3/auth/tokens" && (q.Method == http.MethodGet || q.Method == http.MethodHead):
		if r := q.authenticate(); r != nil {
			return keystoneError(http.StatusUnauthorized, "The request you have made requires authentication.")
		}
		subject := s.tokens[q.Header.Get("X-Subject-Token")]
		if subject == nil || !subject.expires.After(s.now) {
			return keystoneError(http.StatusNotFound, "This is not a recognized Fernet token")
		}
		return s.tokenResponse(http.StatusOK, subject)
	case path == "v3/auth/tokens" && q.Method == http.MethodDelete:
		delete(s.tokens, q.Header.Get("X-Subject-Token"))
		return &response{status: http.StatusNoContent}
	}
	if len(q.path) >= 4 && q.path[0] == "v3" && q.path[1] == "users" && q.path[3] == "application_credentials" {
		return q.applicationCredentials()
	}
	switch {
	case len(q.path) == 4 && q.path[0] == "v3" && q.path[1] == "users" && q.path[3] == "password" && q.Method == http.MethodPost:
		// Nobody here knows the password that has to be told with the new one.
		return keystoneError(http.StatusUnauthorized, "The request you have made requires authentication.")
	case len(q.path) == 2 && q.path[0] == "v3" && q.path[1] == "projects":
		if q.authenticate() != nil {
			return keystoneError(http.StatusUnauthorized, "The request you have made requires authentication.")
		}
		return keystoneError(http.StatusForbidden, "You are not authorized to perform the requested action: identity:list_projects.")
	}
	return keystoneError(http.StatusNotFound, "The requested URL was not found on the server.")
}

func keystoneError(status int, message string) *response {
	return jsonResponse(status, map[string]any{"error": map[string]any{"code": status, "message": message, "title": http.StatusText(status)}})
}

// authRequest is the body of POST /v3/auth/tokens.
type authRequest struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password struct {
				User struct {
					ID       string `json:"id"`
					Name     string `json:"name"`
					Password string `json:"password"`
				} `json:"user"`
			} `json:"password"`
			Token struct {
				ID string `json:"id"`
			} `json:"token"`
			ApplicationCredential struct {
				ID     string `json:"id"`
				Name   string `json:"name"`
				Secret string `json:"secret"`
				User   struct {
					ID   string `json:"id"`
					Name string `json:"name"`
				} `json:"user"`
			} `json:"application_credential"`
		} `json:"identity"`
		Scope struct {
			Project struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"project"`
		} `json:"scope"`
	} `json:"auth"`
}

func (q *request) issueToken() *response {
	s := q.sim
	var body authRequest
	if err := json.Unmarshal(q.body, &body); err != nil || len(body.Auth.Identity.Methods) == 0 {
		return keystoneError(http.StatusBadRequest, "Expecting to find auth in request body.")
	}
	denied := keystoneError(http.StatusUnauthorized, "The request you have made requires authentication.")
	t := &token{id: "gAAAAAB" + s.letters(120), method: body.Auth.Identity.Methods[0], issued: s.now, expires: s.now.Add(s.opts.TokenLife)}
	scope := first(body.Auth.Scope.Project.ID, body.Auth.Scope.Project.Name)
	switch t.method {
	case "password":
		given := body.Auth.Identity.Password.User
		t.user = s.user(first(given.ID, given.Name))
		if t.user == nil || t.user.password != given.Password {
			return denied
		}
	case "application_credential":
		given := body.Auth.Identity.ApplicationCredential
		credential := s.credential(given.ID, given.Name, first(given.User.ID, given.User.Name))
		if credential == nil {
			return keystoneError(http.StatusNotFound, "Could not find Application Credential: "+first(given.ID, given.Name)+".")
		}
		if credential.secret != given.Secret || credential.expired(s.now) {
			return denied
		}
		t.user, t.credential, scope = credential.user, credential, credential.project
		if !credential.expires.IsZero() && credential.expires.Before(t.expires) {
			t.expires = credential.expires
		}
	case "token":
		old := s.tokens[body.Auth.Identity.Token.ID]
		if old == nil || !old.expires.After(s.now) {
			return denied
		}
		t.user, t.expires = old.user, old.expires
	default:
		return denied
	}
	if scope != "" {
		t.project = s.project(scope)
		if t.project == nil || !t.user.projects[t.project.ID] {
			return denied
		}
	}
	s.forgetOldTokens()
	s.tokens[t.id] = t
	return s.tokenResponse(http.StatusCreated, t)
}

// forgetOldTokens keeps the list of tokens short in long runs.
func (s *Simulator) forgetOldTokens() {
	if len(s.tokens) < 1000 {
		return
	}
	for id, t := range s.tokens {
		if !t.expires.After(s.now) {
			delete(s.tokens, id)
		}
	}
}

func (s *Simulator) credential(id, name, userName string) *appCredential {
	for _, u := range s.users {
		if c := u.credentials[id]; c != nil {
			return c
		}
		for _, c := range u.credentials {
			if id == "" && c.name == name && (u.name == userName || u.id == userName) {
				return c
			}
		}
	}
	return nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (s *Simulator) tokenResponse(status int, t *token) *response {
	domain := map[string]any{"id": "default", "name": "Default"}
	roles := []any{}
	for _, name := range t.roles() {
		roles = append(roles, map[string]any{"id": name, "name": name})
	}
	body := map[string]any{
		"methods": []string{t.method}, "audit_ids": []string{t.id[8:30]}, "is_domain": false,
		"user":       map[string]any{"domain": domain, "id": t.user.id, "name": t.user.name, "password_expires_at": nil},
		"issued_at":  t.issued.UTC().Format(keystoneTime),
		"expires_at": t.expires.UTC().Format(keystoneTime),
	}
	if t.project != nil {
		body["project"] = map[string]any{"domain": domain, "id": t.project.ID, "name": t.project.Name}
		body["roles"], body["catalog"] = roles, s.catalog(t.project)
	}
	if t.credential != nil {
		body["application_credential"] = t.credential.inToken()
	}
	r := jsonResponse(status, map[string]any{"token": body})
	r.header.Set("X-Subject-Token", t.id)
	r.header.Set("Vary", "X-Auth-Token")
	return r
}

// catalog lists the services with their endpoints for the three interfaces.
func (s *Simulator) catalog(p *Project) []any {
	var list []any
	for _, e := range []struct{ kind, name, path string }{
		{"identity", "keystone", "/identity/v3"},
		{"orchestration", "heat", "/orchestration/v1/" + p.ID},
		{"compute", "nova", "/compute/v2.1"},
		{"image", "glance", "/image"},
		{"network", "neutron", "/network"},
		{"metric", "gnocchi", "/metric"},
	} {
		var endpoints []any
		for _, face := range []string{"public", "internal", "admin"} {
			endpoints = append(endpoints, map[string]any{
				"id": e.name + "-" + face, "interface": face, "region": s.opts.Region, "region_id": s.opts.Region, "url": s.endpoint(e.path),
			})
		}
		list = append(list, map[string]any{"id": e.name, "type": e.kind, "name": e.name, "endpoints": endpoints})
	}
	return list
}
