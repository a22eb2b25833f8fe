package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// stackRequest is the body of POST, PUT and PATCH.
type stackRequest struct {
	Name            string            `json:"stack_name"`
	Template        any               `json:"template"`
	Files           map[string]string `json:"files"`
	Environment     any               `json:"environment"`
	Parameters      map[string]any    `json:"parameters"`
	Clear           []string          `json:"clear_parameters"`
	Tags            *string           `json:"tags"`
	DisableRollback *bool             `json:"disable_rollback"`
	Timeout         json.Number       `json:"timeout_mins"`
}

func (q *request) decodeStack() (body stackRequest, registry map[string]string, problem *apiError) {
	if err := decodeJSON(string(q.body), &body); err != nil && len(q.body) > 0 {
		return body, nil, &apiError{400, "HTTPBadRequest", "The server could not comply with the request since it is either malformed or otherwise incorrect."}
	}
	environment := map[string]any{}
	switch e := body.Environment.(type) {
	case string:
		if err := decode(e, &environment); err != nil {
			return body, nil, &apiError{400, "HTTPBadRequest", err.Error()}
		}
	case map[string]any:
		environment = e
	}
	if body.Parameters == nil {
		body.Parameters = map[string]any{}
	}
	for k, v := range object(environment["parameters"]) {
		if _, given := body.Parameters[k]; !given {
			body.Parameters[k] = v
		}
	}
	registry = map[string]string{}
	for k, v := range object(environment["resource_registry"]) {
		if to, ok := v.(string); ok {
			registry[k] = to
		}
	}
	return body, registry, nil
}

func splitTags(v *string) []string {
	if v == nil || *v == "" {
		return nil
	}
	return strings.Split(*v, ",")
}

// untrusted is what Heat makes of Keystone's refusal to let an application credential make a trust: without one of the
// same user's, made with a password, Heat cannot work on the stack.
func untrusted() *response { return heatError(&apiError{500, "RemoteError", ""}) }

func (q *request) createStack() *response {
	if q.token.credential != nil {
		return untrusted()
	}
	body, registry, problem := q.decodeStack()
	if problem != nil {
		return heatError(problem)
	}
	timeout, err := body.Timeout.Int64()
	if err != nil {
		timeout = 0
	}
	st, problem := q.sim.createStack(q.token.project, q.token.user, StackSpec{
		Name: body.Name, Template: body.Template, Files: body.Files, Parameters: body.Parameters, Tags: splitTags(body.Tags),
		EnableRollback: body.DisableRollback != nil && !*body.DisableRollback, TimeoutMinutes: int(timeout), Registry: registry,
	})
	if problem != nil {
		return heatError(problem)
	}
	r := jsonResponse(http.StatusCreated, map[string]any{"stack": map[string]any{"id": st.id, "links": []any{link("self", st.url())}}})
	r.header.Set("Location", st.url())
	return r
}

// oneStack answers GET, PATCH, PUT and DELETE of a stack.
func (q *request) oneStack(st *stack) *response {
	switch q.Method {
	case http.MethodGet:
		return jsonResponse(http.StatusOK, map[string]any{"stack": st.detail(q.URL.Query().Get("resolve_outputs") != "False" && q.URL.Query().Get("resolve_outputs") != "false")})
	case http.MethodPatch, http.MethodPut:
		return q.patchStack(st)
	case http.MethodDelete:
		st.caller = q.token
		st.remove(q.token.user.name)
		return &response{status: http.StatusNoContent}
	}
	return heatError(&apiError{404, "HTTPNotFound", "The resource could not be found."})
}

// patchStack updates a stack. Between reading and writing the lock is given up, as Heat has none either.
func (q *request) patchStack(st *stack) *response {
	s := q.sim
	body, registry, problem := q.decodeStack()
	if problem != nil {
		return heatError(problem)
	}
	timeout, err := body.Timeout.Int64()
	if err != nil {
		timeout = 0
	}
	p := patch{
		existing: q.Method == http.MethodPatch, template: body.Template, files: body.Files, registry: registry, parameters: body.Parameters,
		clear: body.Clear, tags: splitTags(body.Tags), tagsGiven: body.Tags != nil, disableRollback: body.DisableRollback,
		timeoutMinutes: int(timeout), by: q.token.user.name,
	}
	if q.token.credential != nil && st.trustor != q.token.user {
		return untrusted()
	}
	writes := st.writes
	var hook func()
	if hooks := s.beforeSave[st.id]; len(hooks) > 0 {
		hook, s.beforeSave[st.id] = hooks[0], hooks[1:]
	}
	if hook != nil || s.opts.PatchTime > 0 {
		s.unlocked(func() {
			if hook != nil {
				hook()
			}
			time.Sleep(s.opts.PatchTime)
		})
	}
	lost := st.writes != writes && !st.classic
	if s.loseNext[st.id] > 0 {
		s.loseNext[st.id]--
		lost = true
	}
	record := Update{At: s.now, Stack: st.id, StackName: st.name, By: p.by, Parameters: p.parameters, Status: http.StatusAccepted, Lost: lost}
	if !lost {
		if problem := st.update(p); problem != nil {
			record.Status = problem.code
			s.history.updates = append(s.history.updates, record)
			return heatError(problem)
		}
		st.trustor, st.caller = q.token.user, q.token
	}
	s.history.updates = append(s.history.updates, record)
	return acceptedResponse(q.Header.Get("Accept"))
}

// LoseUpdates lets Heat answer the next n PATCHes of a stack with 202 and do nothing, as happens to the loser of two
// at the same moment.
func (s *Simulator) LoseUpdates(stackID string, n int) {
	s.lock()
	defer s.mu.Unlock()
	s.loseNext[stackID] = n
}

// DuringNextPatch calls f in the middle of the next PATCH of the stack by HTTP: after Heat has read the stack, before it
// writes it. If f updates the stack, say by PatchStack, the PATCH is answered 202 and lost. Calls queue up.
func (s *Simulator) DuringNextPatch(stackID string, f func()) {
	s.lock()
	defer s.mu.Unlock()
	s.beforeSave[stackID] = append(s.beforeSave[stackID], f)
}
