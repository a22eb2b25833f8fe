package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// instanceAction is an entry in Nova's record of what was done with a server.
type instanceAction struct {
	action, request string
	user            *user // nil if Nova did it by itself
	at              time.Time
}

// record notes that something is done with a server in this one's name, nil for nobody's.
func (srv *server) record(s *Simulator, action string, by *user) {
	srv.actions = append(srv.actions, instanceAction{action, s.requestID(), by, s.now})
}

// serverAction answers POST /servers/{id}/action. Known are os-stop, os-start and os-resetState, by which admins say that a
// server is broken.
func (q *request) serverAction(id string) *response {
	srv := q.visibleServer(id)
	if srv == nil {
		return novaError(http.StatusNotFound, "itemNotFound", "Instance "+id+" could not be found.")
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(q.body, &body); err != nil {
		return novaError(http.StatusBadRequest, "badRequest", "Malformed request body")
	}
	for action, value := range body {
		switch action {
		case "os-stop":
			return q.power(srv, "stop", "ACTIVE", "SHUTOFF")
		case "os-start":
			return q.power(srv, "start", "SHUTOFF", "ACTIVE")
		case "os-resetState":
			return q.resetState(srv, value)
		}
	}
	return novaError(http.StatusBadRequest, "badRequest", "There is no such action.")
}

// visibleServer finds a server that the user may see, nil if there is none.
func (q *request) visibleServer(id string) *server {
	srv := q.sim.servers[id]
	if srv == nil || srv.status == "DELETED" || srv.project != q.token.project && !q.token.user.admin {
		return nil
	}
	return srv
}

// power switches a server off or on. A server in ERROR can be stopped as well.
func (q *request) power(srv *server, action, from, to string) *response {
	conflict := func(what, value string) *response {
		return novaError(http.StatusConflict, "conflictingRequest",
			fmt.Sprintf("Cannot '%s' instance %s while it is in %s %s", action, srv.id, what, value))
	}
	switch {
	case srv.taskState != "":
		return conflict("task_state", srv.taskState)
	case srv.status != from && (action != "stop" || srv.status != "ERROR"):
		return conflict("vm_state", srv.vmState)
	}
	srv.record(q.sim, action, q.token.user)
	srv.taskState = map[string]string{"stop": "powering-off", "start": "powering-on"}[action]
	q.sim.touch(srv)
	q.sim.after(q.sim.timing.Stop, func() { q.sim.onHost(func() { q.sim.powered(srv, to) }) })
	return &response{status: http.StatusAccepted}
}

// powered lets a server be off or on, unless it is being deleted by now.
func (s *Simulator) powered(srv *server, status string) {
	if srv.status == "DELETED" || srv.taskState == "deleting" {
		return
	}
	srv.status, srv.taskState = status, ""
	srv.vmState, srv.power = "stopped", 4
	kind := ServerStopped
	if status == "ACTIVE" {
		srv.vmState, srv.power = "active", 1
		kind = ServerActive
	}
	s.touch(srv)
	s.dispatch(kind, srv)
}

func (q *request) resetState(srv *server, value json.RawMessage) *response {
	var reset struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(value, &reset); err != nil {
		return novaError(http.StatusBadRequest, "badRequest", "Malformed request body")
	}
	if !q.token.user.admin {
		return novaError(http.StatusForbidden, "forbidden", "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be performed.")
	}
	srv.taskState = ""
	srv.status, srv.vmState = "ACTIVE", "active"
	if reset.State == "error" {
		srv.status, srv.vmState = "ERROR", "error"
	}
	q.sim.touch(srv)
	return &response{status: http.StatusAccepted}
}

// instanceActions answers GET /servers/{id}/os-instance-actions, newest first. From 2.21 on deleted servers have them too.
func (q *request) instanceActions(minor int, id string) *response {
	srv := q.visibleServer(id)
	if deleted := q.sim.servers[id]; srv == nil && minor >= 21 && deleted != nil && (deleted.project == q.token.project || q.token.user.admin) {
		srv = deleted
	}
	if srv == nil {
		return novaError(http.StatusNotFound, "itemNotFound", "Instance "+id+" could not be found.")
	}
	rows := make([]any, 0, len(srv.actions))
	for i := len(srv.actions) - 1; i >= 0; i-- {
		a := srv.actions[i]
		row := map[string]any{
			"action": a.action, "instance_uuid": srv.id, "request_id": a.request, "user_id": nil, "project_id": nil,
			"start_time": a.at.UTC().Format(novaMicroTime), "message": nil,
		}
		if a.user != nil {
			row["user_id"], row["project_id"] = a.user.id, srv.project.ID
		}
		if minor >= 58 {
			row["updated_at"] = row["start_time"]
		}
		rows = append(rows, row)
	}
	return jsonResponse(http.StatusOK, map[string]any{"instanceActions": rows})
}

// PowerOff lets a server that runs go off by itself, as when its guest shuts it down: Nova notices and calls its own stop, in
// nobody's name.
func (s *Simulator) PowerOff(id string) {
	s.lock()
	defer s.mu.Unlock()
	if srv := s.servers[id]; srv != nil && srv.status == "ACTIVE" && srv.taskState == "" {
		srv.record(s, "stop", nil)
		s.powered(srv, "SHUTOFF")
	}
}
