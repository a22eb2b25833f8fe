package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// heat answers for the orchestration service.
func heat(q *request) *response {
	if len(q.path) == 0 {
		return jsonResponse(http.StatusMultipleChoices, map[string]any{"versions": []any{map[string]any{
			"id": "v1.0", "status": "CURRENT", "links": []any{map[string]any{"rel": "self", "href": q.sim.endpoint("/orchestration/v1/")}}}}})
	}
	if r := q.authenticate(); r != nil {
		return r
	}
	if len(q.path) < 3 || q.path[0] != "v1" {
		return heatError(&apiError{404, "HTTPNotFound", "The resource could not be found."})
	}
	if q.path[1] != q.token.project.ID {
		return heatError(&apiError{403, "HTTPForbidden", "Access was denied to this resource."})
	}
	rest := q.path[2:]
	if rest[0] != "stacks" {
		return heatError(&apiError{404, "HTTPNotFound", "The resource could not be found."})
	}
	switch {
	case len(rest) == 1 && q.Method == http.MethodGet:
		return q.listStacks()
	case len(rest) == 1 && q.Method == http.MethodPost:
		return q.createStack()
	case len(rest) == 2 && rest[1] == "detail":
		return q.listStacks()
	case len(rest) == 2 || !idInPath.MatchString(rest[2]):
		return q.redirect(rest)
	}
	st := q.sim.stacks[rest[2]]
	if st == nil || st.project != q.token.project || st.name != rest[1] {
		return heatError(notFoundStack(rest[1]))
	}
	if len(rest) == 3 {
		return q.oneStack(st)
	}
	return q.insideStack(st, rest[3:])
}

func notFoundStack(name string) *apiError {
	return &apiError{404, "EntityNotFound", "The Stack (" + name + ") could not be found."}
}

var explanations = map[int]string{
	400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
	403: "Access was denied to this resource.",
	404: "The resource could not be found.",
	409: "There was a conflict when trying to complete your request.",
	500: "The server has either erred or is incapable of performing the requested operation.",
}

func heatError(e *apiError) *response {
	problem := map[string]any{"type": e.kind, "traceback": nil}
	if e.message != "" {
		problem["message"] = e.message
	}
	return jsonResponse(e.code, map[string]any{
		"code": e.code, "title": http.StatusText(e.code), "explanation": explanations[e.code], "error": problem,
	})
}

// redirect leads from a stack's name, or its id alone, to its full address.
func (q *request) redirect(rest []string) *response {
	p := q.token.project
	st := p.byName[rest[1]]
	if st == nil {
		if byID := q.sim.stacks[rest[1]]; byID != nil && byID.project == p {
			st = byID
		}
	}
	if st == nil {
		for _, nested := range q.sim.stacks {
			if nested.project == p && nested.parent != nil && nested.name == rest[1] {
				st = nested
			}
		}
	}
	if st == nil {
		return heatError(notFoundStack(rest[1]))
	}
	to := st.url()
	if len(rest) > 2 {
		to += "/" + strings.Join(rest[2:], "/")
	}
	if q.URL.RawQuery != "" {
		to += "?" + q.URL.RawQuery
	}
	r := htmlResponse(http.StatusFound, "302 Found", `The resource was found at <a href="`+to+`">`+to+"</a>;\nyou should be redirected automatically.")
	r.header.Set("Location", to)
	return r
}

// url is the stack's full address.
func (st *stack) url() string {
	return st.sim.endpoint("/orchestration/v1/" + st.project.ID + "/stacks/" + st.name + "/" + st.id)
}

func link(rel, href string) map[string]any { return map[string]any{"rel": rel, "href": href} }

// stackRow is a stack in a list.
type stackRow struct {
	ID          string           `json:"id"`
	Links       []map[string]any `json:"links"`
	Name        string           `json:"stack_name"`
	Description string           `json:"description"`
	Status      string           `json:"stack_status"`
	Reason      string           `json:"stack_status_reason"`
	Created     any              `json:"creation_time"`
	Updated     any              `json:"updated_time"`
	Deleted     any              `json:"deletion_time"`
	Owner       string           `json:"stack_owner"`
	Parent      any              `json:"parent"`
	UserProject string           `json:"stack_user_project_id"`
	Tags        []string         `json:"tags"`
}

func (st *stack) row() stackRow {
	row := stackRow{
		ID: st.id, Links: []map[string]any{link("self", st.url())}, Name: st.name, Description: text(st.tmpl.raw["description"]),
		Status: st.action + "_" + st.status, Reason: st.reason, Created: isoZ(st.created), Updated: isoZ(st.updated), Deleted: isoZ(st.deleted),
		Owner: st.owner.name, UserProject: st.root().project.ID, Tags: st.tags,
	}
	if st.parent != nil {
		row.Parent = st.parent.st.id
	}
	return row
}

// listStacks lists the project's stacks, newest first.
func (q *request) listStacks() *response {
	query := q.URL.Query()
	if query.Has("tags") && (query.Has("status") || query.Has("name")) {
		// Measured: each filter alone works, tags together with one of these are too much for Heat's query.
		return heatError(&apiError{500, "RemoteError", ""})
	}
	limit := -1
	if v := query.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return heatError(&apiError{400, "HTTPBadRequest", "Only integer is acceptable by 'limit'."})
		}
		limit = n
	}
	all := q.token.project.stackList
	if truth(query.Get("show_nested")) {
		all = nil
		for _, st := range q.sim.stacks {
			if st.project == q.token.project {
				all = append(all, st)
			}
		}
		slices.SortFunc(all, func(a, b *stack) int { return a.created.Compare(b.created) })
	}
	list := []stackRow{}
	marker := query.Get("marker")
	if q.sim.stacks[marker] == nil {
		marker = "" // measured: a marker that is not there is ignored
	}
	matching, more := 0, false
	for i := len(all) - 1; i >= 0; i-- {
		st := all[i]
		if !st.deleted.IsZero() || !st.matches(query) {
			continue
		}
		matching++
		switch {
		case marker != "":
			if st.id == marker {
				marker = ""
			}
		case limit >= 0 && len(list) >= limit:
			more = true
		default:
			list = append(list, st.row())
		}
	}
	body := map[string]any{"stacks": list}
	if truth(query.Get("with_count")) {
		body["count"] = matching
	}
	if more || limit > 0 && len(list) == limit { // Heat offers a next page whenever this one is full
		query.Set("marker", list[len(list)-1].ID)
		body["links"] = []any{link("next", q.sim.endpoint("/orchestration/v1/"+q.token.project.ID+"/stacks?"+query.Encode()))}
	}
	return jsonResponse(http.StatusOK, body)
}

func truth(v string) bool { return v == "True" || v == "true" || v == "1" }

// matches says whether a stack passes a list's filters.
func (st *stack) matches(query url.Values) bool {
	if v := query.Get("tags"); v != "" {
		for _, tag := range strings.Split(v, ",") {
			if !slices.Contains(st.tags, tag) {
				return false
			}
		}
	}
	if v := query.Get("tags_any"); v != "" && !slices.ContainsFunc(strings.Split(v, ","), func(tag string) bool { return slices.Contains(st.tags, tag) }) {
		return false
	}
	if v := query.Get("not_tags"); v != "" {
		all := true
		for _, tag := range strings.Split(v, ",") {
			all = all && slices.Contains(st.tags, tag)
		}
		if all {
			return false
		}
	}
	if v := query["status"]; len(v) > 0 && !slices.Contains(v, st.status) && !slices.Contains(v, st.action+"_"+st.status) {
		return false
	}
	if v := query["name"]; len(v) > 0 && !slices.Contains(v, st.name) {
		return false
	}
	if v := query["id"]; len(v) > 0 && !slices.Contains(v, st.id) {
		return false
	}
	return true
}
