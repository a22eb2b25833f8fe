package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// applicationCredentials answers for /v3/users/{id}/application_credentials: users make and delete their own.
func (q *request) applicationCredentials() *response {
	s := q.sim
	if q.authenticate() != nil {
		return keystoneError(http.StatusUnauthorized, "The request you have made requires authentication.")
	}
	u := q.token.user
	if q.path[2] != u.id {
		return keystoneError(http.StatusForbidden, "You are not authorized to perform the requested action.")
	}
	if len(q.path) == 4 {
		switch q.Method {
		case http.MethodPost:
			return q.makeCredential(u)
		case http.MethodGet:
			list := []any{}
			for _, id := range sortedKeys(u.credentials) {
				list = append(list, u.credentials[id].view(""))
			}
			return jsonResponse(http.StatusOK, map[string]any{"application_credentials": list})
		}
		return keystoneError(http.StatusMethodNotAllowed, "The method is not allowed for the requested URL.")
	}
	c := u.credentials[q.path[4]]
	if c == nil {
		return keystoneError(http.StatusNotFound, "Could not find Application Credential: "+q.path[4]+".")
	}
	if q.Method == http.MethodDelete {
		delete(u.credentials, c.id)
		for id, t := range s.tokens {
			if t.credential == c {
				delete(s.tokens, id)
			}
		}
		return &response{status: http.StatusNoContent}
	}
	return jsonResponse(http.StatusOK, map[string]any{"application_credential": c.view("")})
}

// credentialBody is an application credential as a user asks for it.
type credentialBody struct {
	Name         string     `json:"name"`
	Description  string     `json:"description"`
	Secret       string     `json:"secret"`
	Unrestricted bool       `json:"unrestricted"`
	ExpiresAt    string     `json:"expires_at"`
	Roles        []roleBody `json:"roles"`
	// Rules is nil if none are given.
	Rules *[]accessRule `json:"access_rules"`
}

type roleBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (q *request) makeCredential(u *user) *response {
	var body struct {
		Credential credentialBody `json:"application_credential"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil || body.Credential.Name == "" {
		return keystoneError(http.StatusBadRequest, "'name' is a required property")
	}
	if t := q.token.credential; t != nil && !t.unrestricted {
		return keystoneError(http.StatusForbidden, "You are not authorized to perform the requested action: Using method 'application_credential' is not allowed for managing additional application credentials..")
	}
	asked := body.Credential
	for _, c := range u.credentials {
		if c.name == asked.Name {
			return keystoneError(http.StatusConflict, "Conflict occurred attempting to store application_credential - Duplicate entry found with name "+asked.Name+".")
		}
	}
	roles := q.token.roles()
	if len(asked.Roles) > 0 {
		has := roles
		roles = nil
		for _, r := range asked.Roles {
			name := first(r.Name, r.ID)
			if !slices.Contains(has, name) {
				return keystoneError(http.StatusNotFound, "Could not find role: "+name+".")
			}
			roles = append(roles, name)
		}
	}
	if asked.Rules != nil {
		for _, r := range *asked.Rules {
			if !strings.HasPrefix(r.Path, "/") || !slices.Contains([]string{"POST", "GET", "HEAD", "PATCH", "PUT", "DELETE"}, r.Method) {
				return keystoneError(http.StatusBadRequest, "Invalid input for field/attribute access_rules.")
			}
		}
	}
	var expires time.Time
	if asked.ExpiresAt != "" {
		var err error
		if expires, err = time.Parse("2006-01-02T15:04:05.999999", strings.TrimSuffix(asked.ExpiresAt, "Z")); err != nil {
			return keystoneError(http.StatusBadRequest, "The 'expires_at' must not be before now.")
		}
	}
	c := q.sim.newCredential(u, q.token.project, asked.Name, asked.Secret)
	c.description, c.unrestricted, c.roles, c.expires = asked.Description, asked.Unrestricted, roles, expires
	if asked.Rules != nil {
		c.rules = *asked.Rules
	}
	return jsonResponse(http.StatusCreated, map[string]any{"application_credential": c.view(c.secret)})
}

// newCredential makes an application credential with a secret of its own if none is given.
func (s *Simulator) newCredential(u *user, p *Project, name, secret string) *appCredential {
	c := &appCredential{id: s.hexID(), name: name, secret: secret, project: p.ID, user: u, roles: []string{"reader", "member"}}
	if c.secret == "" {
		c.secret = s.hexID()
	}
	u.credentials[c.id] = c
	return c
}

func (c *appCredential) expired(now time.Time) bool {
	return !c.expires.IsZero() && !c.expires.After(now)
}

// view is the credential as Keystone shows it; the secret only when it is made.
func (c *appCredential) view(secret string) map[string]any {
	roles := []any{}
	for _, r := range c.roles {
		roles = append(roles, map[string]any{"id": r, "name": r, "domain_id": nil})
	}
	v := map[string]any{"id": c.id, "name": c.name, "project_id": c.project, "description": c.description, "expires_at": nil,
		"unrestricted": c.unrestricted, "roles": roles}
	if !c.expires.IsZero() {
		v["expires_at"] = c.expires.UTC().Format("2006-01-02T15:04:05.000000")
	}
	if c.rules != nil {
		v["access_rules"] = c.rules
	}
	if secret != "" {
		v["secret"] = secret
	}
	return v
}

// inToken is what a token tells of the application credential that it was made with.
func (c *appCredential) inToken() map[string]any {
	v := map[string]any{"id": c.id, "name": c.name, "restricted": !c.unrestricted}
	if len(c.rules) > 0 {
		v["access_rules"] = c.rules
	}
	return v
}

// roles are the names of the token's roles.
func (t *token) roles() []string {
	if t.credential != nil {
		return t.credential.roles
	}
	roles := []string{"reader", "member"}
	if t.user.admin {
		roles = append(roles, "admin")
	}
	return roles
}
