package simulator

import (
	"encoding/json"
	"net/http"
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

func (q *request) makeCredential(u *user) *response {
	var body struct {
		Credential struct {
			Name   string `json:"name"`
			Secret string `json:"secret"`
		} `json:"application_credential"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil || body.Credential.Name == "" {
		return keystoneError(http.StatusBadRequest, "'name' is a required property")
	}
	if q.token.credential != nil {
		return keystoneError(http.StatusForbidden, "Using method 'application_credential' is not allowed for managing additional application credentials.")
	}
	c := q.sim.newCredential(u, q.token.project, body.Credential.Name, body.Credential.Secret)
	return jsonResponse(http.StatusCreated, map[string]any{"application_credential": c.view(c.secret)})
}

// newCredential makes an application credential with a secret of its own if none is given.
func (s *Simulator) newCredential(u *user, p *Project, name, secret string) *appCredential {
	c := &appCredential{id: s.hexID(), name: name, secret: secret, project: p.ID, user: u}
	if c.secret == "" {
		c.secret = s.hexID()
	}
	u.credentials[c.id] = c
	return c
}

// view is the credential as Keystone shows it; the secret only when it is made.
func (c *appCredential) view(secret string) map[string]any {
	v := map[string]any{"id": c.id, "name": c.name, "project_id": c.project, "description": nil, "expires_at": nil, "unrestricted": false,
		"roles": []any{map[string]any{"id": "member", "name": "member"}}}
	if secret != "" {
		v["secret"] = secret
	}
	return v
}
