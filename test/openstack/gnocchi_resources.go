package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// resourceTypes answers for /v1/resource_type: the types that Ceilometer makes, and those that an admin makes.
func (q *request) resourceTypes(rest []string) *response {
	store := q.sim.metrics
	view := func(name string) map[string]any {
		attributes := map[string]any{}
		for _, a := range store.types[name] {
			attributes[a] = map[string]any{"type": "string", "required": false, "min_length": 0, "max_length": 255}
		}
		return map[string]any{"name": name, "state": "active", "attributes": attributes}
	}
	switch {
	case q.Method == http.MethodGet && len(rest) == 1:
		if store.types[rest[0]] == nil {
			return q.gnocchiError(http.StatusNotFound, cause("Resource type does not exist", rest[0]))
		}
		return jsonResponse(http.StatusOK, view(rest[0]))
	case q.Method != http.MethodPost || len(rest) > 0:
		return q.gnocchiError(http.StatusMethodNotAllowed, "")
	case !q.token.user.admin:
		return q.gnocchiError(http.StatusForbidden, "")
	}
	var body struct {
		Name       string         `json:"name"`
		Attributes map[string]any `json:"attributes"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil || body.Name == "" {
		return q.gnocchiError(http.StatusBadRequest, cause("Invalid input", "name"))
	}
	if store.types[body.Name] != nil {
		return q.gnocchiError(http.StatusConflict, "Resource type "+body.Name+" already exists")
	}
	store.types[body.Name] = sortedKeys(body.Attributes)
	return jsonResponse(http.StatusCreated, view(body.Name))
}

// metricResources answers for /v1/resource/{type} and one resource in it.
func (q *request) metricResources(kind string, rest []string) *response {
	store := q.sim.metrics
	if store.types[kind] == nil {
		return q.gnocchiError(http.StatusNotFound, cause("Resource type does not exist", kind))
	}
	switch {
	case q.Method == http.MethodGet && len(rest) == 1:
		if r := store.find(rest[0]); r != nil && q.maySee(r) && (kind == "generic" || kind == r.kind) {
			return jsonResponse(http.StatusOK, r.view())
		}
		return q.gnocchiError(http.StatusNotFound, cause("Resource "+rest[0]+" does not exist", rest[0]))
	case q.Method != http.MethodPost || len(rest) > 0:
		return q.gnocchiError(http.StatusMethodNotAllowed, "")
	}
	var body map[string]any
	if err := json.Unmarshal(q.body, &body); err != nil || text(body["id"]) == "" {
		return q.gnocchiError(http.StatusBadRequest, cause("Invalid input", "id"))
	}
	id := text(body["id"])
	if store.find(id) != nil {
		return q.gnocchiError(http.StatusConflict, cause("Resource "+id+" already exists", id))
	}
	r := q.sim.newMetricResource(kind, id, text(body["project_id"]), text(body["user_id"]))
	r.creator = q.token.user.id + ":" + q.token.project.ID
	for key, value := range body {
		switch {
		case slices.Contains(store.types[kind], key):
			r.attributes[key] = value
		case !slices.Contains([]string{"id", "project_id", "user_id", "metrics", "started_at", "ended_at"}, key):
			delete(store.resources, r.id)
			return q.gnocchiError(http.StatusBadRequest, map[string]any{"cause": "Invalid input", "reason": "extra keys not allowed", "detail": []string{key}})
		}
	}
	return jsonResponse(http.StatusCreated, r.view())
}

func (s *Simulator) newMetricResource(kind, id, project, user string) *metricResource {
	r := &metricResource{
		id: id, original: id, kind: kind, project: project, user: user, attributes: map[string]any{}, metrics: map[string]*meter{}, started: s.now, rev: s.now,
	}
	if !idInPath.MatchString(id) {
		r.id = s.uuid() // the real one makes it of the name and the creator
	}
	s.metrics.resources[r.id] = r
	return r
}

// maySee: Gnocchi shows a resource to its project, to whoever made it, and to admins.
func (q *request) maySee(r *metricResource) bool {
	return q.token.user.admin || r.project == q.token.project.ID || r.creator == q.token.user.id+":"+q.token.project.ID
}

func (r *metricResource) view() map[string]any {
	metrics := map[string]string{}
	for name, m := range r.metrics {
		metrics[name] = m.id
	}
	v := map[string]any{
		"id": r.id, "original_resource_id": r.original, "type": r.kind, "project_id": r.project, "user_id": r.user, "creator": r.creator,
		"started_at": r.started.UTC().Format(gnocchiTime), "revision_start": r.rev.UTC().Format(gnocchiTime), "revision_end": nil, "ended_at": nil, "metrics": metrics,
	}
	if !r.ended.IsZero() {
		v["ended_at"] = r.ended.UTC().Format(gnocchiTime)
	}
	for key, value := range r.attributes {
		v[key] = value
	}
	return v
}

// gnocchiTime is how Gnocchi writes a time.
const gnocchiTime = "2006-01-02T15:04:05.999999-07:00"

// pushMeasures answers POST /v1/batch/resources/metrics/measures, by which Ceilometer's publisher delivers.
func (q *request) pushMeasures() *response {
	store := q.sim.metrics
	var body map[string]map[string]struct {
		Policy   string `json:"archive_policy_name"`
		Unit     string `json:"unit"`
		Measures []struct {
			Timestamp any     `json:"timestamp"`
			Value     float64 `json:"value"`
		} `json:"measures"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil {
		return q.gnocchiError(http.StatusBadRequest, cause("Invalid input", err.Error()))
	}
	var unknown []any
	for _, id := range sortedKeys(body) {
		if store.find(id) == nil {
			unknown = append(unknown, map[string]any{"resource_id": id, "original_resource_id": id})
		}
	}
	if unknown != nil {
		return q.gnocchiError(http.StatusBadRequest, cause("Unknown resources", unknown))
	}
	for _, id := range sortedKeys(body) {
		r := store.find(id)
		for _, name := range sortedKeys(body[id]) {
			given := body[id][name]
			m := r.metrics[name]
			if m == nil {
				if !truth(q.URL.Query().Get("create_metrics")) {
					return q.gnocchiError(http.StatusBadRequest, "Unknown metrics: "+id+"/"+name)
				}
				policy := store.policies[given.Policy]
				if policy == nil {
					return q.gnocchiError(http.StatusBadRequest, fmt.Sprintf("Archive policy %s does not exist", given.Policy))
				}
				m = &meter{id: q.sim.uuid(), name: name, unit: given.Unit, policy: policy}
				r.metrics[name] = m
			}
			for _, one := range given.Measures {
				at, ok := gnocchiMoment(one.Timestamp)
				if !ok {
					return q.gnocchiError(http.StatusBadRequest, cause("Invalid input", "timestamp"))
				}
				m.add(at, one.Value, q.sim.now.Add(store.delay))
			}
		}
	}
	return &response{status: http.StatusAccepted}
}

// gnocchiMoment reads a point in time: seconds since 1970, or a date.
func gnocchiMoment(v any) (time.Time, bool) {
	if seconds, ok := v.(float64); ok {
		return time.Unix(0, int64(seconds*1e9)).UTC(), true
	}
	word := strings.TrimSpace(text(v))
	var seconds float64
	if n, err := fmt.Sscanf(word+"|", "%g|", &seconds); err == nil && n == 1 {
		return time.Unix(0, int64(seconds*1e9)).UTC(), true
	}
	t, ok := parseTime(word)
	return t.UTC(), ok
}
