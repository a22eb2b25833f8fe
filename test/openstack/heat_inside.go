package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// detail is a stack as GET shows it.
func (st *stack) detail(outputs bool) map[string]any {
	description := text(st.tmpl.raw["description"])
	if description == "" {
		description = "No description"
	}
	parameters := map[string]any{"OS::stack_id": st.id, "OS::stack_name": st.name, "OS::project_id": st.project.ID}
	values := st.values
	if st.shown != nil {
		values = st.shown
	}
	for name, p := range st.tmpl.params {
		if v, ok := values[name]; ok {
			parameters[name] = p.show(v)
		}
	}
	row := st.row()
	body := map[string]any{
		"id": st.id, "stack_name": st.name, "links": row.Links, "creation_time": row.Created, "updated_time": row.Updated, "deletion_time": row.Deleted,
		"notification_topics": []any{}, "parameters": parameters, "description": description, "template_description": description,
		"capabilities": []any{}, "disable_rollback": st.disableRollback, "timeout_mins": st.timeoutMinutes, "stack_owner": row.Owner,
		"parent": row.Parent, "stack_user_project_id": row.UserProject, "tags": row.Tags, "stack_status": row.Status, "stack_status_reason": row.Reason,
	}
	if outputs {
		list := []any{}
		for _, name := range sortedKeys(st.tmpl.outputs) {
			v, _ := st.output(name)
			list = append(list, map[string]any{"output_key": name, "output_value": v, "description": "No description given"})
		}
		body["outputs"] = list
	}
	return body
}

// environment is what was sent for the parameters, hidden ones blotted out (heat/engine/service.py, get_environment).
func (st *stack) environment() map[string]any {
	shown := maps.Clone(st.sent)
	for name := range shown {
		if p := st.tmpl.params[name]; p != nil && p.hidden {
			shown[name] = p.show(nil)
		}
	}
	return shown
}

// insideStack answers for what is below a stack: resources, events, outputs, template, files, actions.
func (q *request) insideStack(st *stack, rest []string) *response {
	missing := heatError(&apiError{404, "HTTPNotFound", "The resource could not be found."})
	switch rest[0] {
	case "template":
		return jsonResponse(http.StatusOK, st.tmpl.raw)
	case "files":
		return jsonResponse(http.StatusOK, st.files)
	case "environment":
		return jsonResponse(http.StatusOK, map[string]any{"parameters": st.environment(), "resource_registry": st.registry})
	case "actions":
		return q.action(st)
	case "outputs":
		if len(rest) == 1 {
			list := []any{}
			for _, name := range sortedKeys(st.tmpl.outputs) {
				list = append(list, map[string]any{"output_key": name, "description": "No description given"})
			}
			return jsonResponse(http.StatusOK, map[string]any{"outputs": list})
		}
		v, ok := st.output(rest[1])
		if !ok {
			return heatError(&apiError{404, "NotFound", "Specified output key " + rest[1] + " not found."})
		}
		return jsonResponse(http.StatusOK, map[string]any{"output": map[string]any{"output_key": rest[1], "output_value": v, "description": "No description given"}})
	case "events":
		return q.listEvents(st, "")
	case "resources":
		if len(rest) == 1 {
			return q.listResources(st)
		}
		r := st.resources[rest[1]]
		if r == nil {
			return heatError(&apiError{404, "ResourceNotFound", fmt.Sprintf("The Resource (%s) could not be found in Stack %s.", rest[1], st.name)})
		}
		switch {
		case len(rest) == 2 && q.Method == http.MethodGet:
			return jsonResponse(http.StatusOK, map[string]any{"resource": r.detail()})
		case len(rest) == 2 && q.Method == http.MethodPatch:
			return q.patchResource(r)
		case rest[2] == "events":
			return q.listEvents(st, rest[1])
		case rest[2] == "metadata":
			return jsonResponse(http.StatusOK, map[string]any{"metadata": map[string]any{}})
		}
	}
	return missing
}

func (q *request) action(st *stack) *response {
	body := map[string]any{}
	if err := decodeJSON(string(q.body), &body); err != nil || len(body) != 1 {
		return heatError(&apiError{400, "HTTPBadRequest", "No action specified"})
	}
	for action := range body {
		if problem := st.act(action, q.token.user.name); problem != nil {
			return heatError(problem)
		}
	}
	return jsonResponse(http.StatusOK, nil)
}

func (q *request) patchResource(r *resource) *response {
	var body struct {
		Unhealthy *bool  `json:"mark_unhealthy"`
		Reason    string `json:"resource_status_reason"`
	}
	if err := decodeJSON(string(q.body), &body); err != nil || body.Unhealthy == nil {
		return heatError(&apiError{400, "HTTPBadRequest", "Missing mandatory (mark_unhealthy) key from mark unhealthy request"})
	}
	if problem := r.markUnhealthy(*body.Unhealthy, body.Reason); problem != nil {
		return heatError(problem)
	}
	return jsonResponse(http.StatusOK, nil)
}

// resourceRow is a resource in a list.
type resourceRow struct {
	Updated    any              `json:"updated_time"`
	Created    any              `json:"creation_time"`
	Logical    string           `json:"logical_resource_id"`
	Name       string           `json:"resource_name"`
	Physical   string           `json:"physical_resource_id"`
	Status     string           `json:"resource_status"`
	Reason     string           `json:"resource_status_reason"`
	Type       string           `json:"resource_type"`
	Links      []map[string]any `json:"links"`
	RequiredBy []string         `json:"required_by"`
	Parent     string           `json:"parent_resource,omitempty"`
}

func (r *resource) row() resourceRow {
	row := resourceRow{
		Updated: isoZ(r.updated), Created: isoZ(r.created), Logical: r.name, Name: r.name, Physical: r.physical, Status: r.state(), Reason: r.reason,
		Type: r.kind, Links: []map[string]any{link("self", r.st.url()+"/resources/"+r.name), link("stack", r.st.url())}, RequiredBy: []string{},
	}
	if r.nested != nil {
		row.Links = append(row.Links, link("nested", r.nested.url()))
	}
	if r.st.parent != nil {
		row.Parent = r.st.parent.name
	}
	for _, other := range r.st.sortedIfFew() {
		if slices.Contains(other.requires, r.name) {
			row.RequiredBy = append(row.RequiredBy, other.name)
		}
	}
	return row
}

// sortedIfFew spares large groups, whose members never require each other, a search.
func (st *stack) sortedIfFew() []*resource {
	if st.parent != nil && st.parent.isGroup() {
		return nil
	}
	return st.sorted()
}

// attributesOf lists the attributes that a resource's GET shows.
func (r *resource) detail() map[string]any {
	row := r.row()
	attributes := map[string]any{}
	if r.kind == groupType {
		attributes = map[string]any{"attributes": nil, "refs": nil, "refs_map": nil, "removed_rsrc_list": r.groupAttribute("removed_rsrc_list", nil)}
	}
	if r.kind == serverType && r.server != nil {
		attributes = map[string]any{"name": r.server.name, "first_address": r.server.address}
	}
	return map[string]any{
		"updated_time": row.Updated, "creation_time": row.Created, "logical_resource_id": row.Logical, "resource_name": row.Name,
		"physical_resource_id": row.Physical, "resource_status": row.Status, "resource_status_reason": row.Reason, "resource_type": row.Type,
		"links": row.Links, "required_by": row.RequiredBy, "description": "", "attributes": attributes,
	}
}

// listResources lists a stack's resources, down to nested_depth, filtered by type, status and name.
func (q *request) listResources(st *stack) *response {
	query := q.URL.Query()
	depth := 0
	if v := query.Get("nested_depth"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return heatError(&apiError{400, "HTTPBadRequest", "Only integer is acceptable by 'nested_depth'."})
		}
		depth = n
	}
	match := func(r *resource) bool {
		return !(st.classic && r.state() == "INIT_COMPLETE") &&
			(len(query["type"]) == 0 || slices.Contains(query["type"], r.kind)) &&
			(len(query["status"]) == 0 || slices.Contains(query["status"], r.status)) &&
			(len(query["action"]) == 0 || slices.Contains(query["action"], r.action)) &&
			(len(query["name"]) == 0 || slices.Contains(query["name"], r.name))
	}
	rows := []resourceRow{}
	var walk func(st *stack, depth int)
	walk = func(st *stack, depth int) {
		list := st.sorted()
		for _, r := range list {
			if match(r) {
				rows = append(rows, r.row())
			}
		}
		for _, r := range list {
			if depth > 0 && r.nested != nil {
				walk(r.nested, depth-1)
			}
		}
	}
	walk(st, depth)
	return jsonResponse(http.StatusOK, map[string]any{"resources": rows})
}

// listEvents lists a stack's events, down to nested_depth.
func (q *request) listEvents(st *stack, resourceName string) *response {
	query := q.URL.Query()
	depth := 0
	if n, err := strconv.Atoi(query.Get("nested_depth")); err == nil {
		depth = n
	}
	var events []stackEvent
	var walk func(st *stack, depth int)
	walk = func(st *stack, depth int) {
		for _, e := range st.events {
			if resourceName == "" || e.resource == resourceName {
				events = append(events, e)
			}
		}
		for _, r := range st.resources {
			if depth > 0 && r.nested != nil {
				walk(r.nested, depth-1)
			}
		}
	}
	walk(st, depth)
	slices.SortFunc(events, func(a, b stackEvent) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	if strings.HasPrefix(query.Get("sort_dir"), "desc") {
		slices.Reverse(events)
	}
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n < len(events) {
		events = events[:n]
	}
	rows := make([]any, 0, len(events))
	for _, e := range events {
		// Ids are made from the event's number: they need not be kept for every event of every stack.
		id := fmt.Sprintf("%s-%012x", e.stack.id[:23], e.number)
		rows = append(rows, map[string]any{
			"id": id, "event_time": isoZ(e.at), "resource_name": e.resource, "logical_resource_id": e.resource, "physical_resource_id": e.physical,
			"resource_status": e.status, "resource_status_reason": e.reason,
			"links": []any{
				link("self", e.stack.url()+"/resources/"+e.resource+"/events/"+id), link("resource", e.stack.url()+"/resources/"+e.resource),
				link("stack", e.stack.url()), link("root_stack", e.stack.root().url()),
			},
		})
	}
	return jsonResponse(http.StatusOK, map[string]any{"events": rows})
}
