package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// gnocchi answers for the metric service: archive policies, resources, measures in batches, and /v1/aggregates.
func gnocchi(q *request) *response {
	if len(q.path) == 0 {
		return jsonResponse(http.StatusOK, map[string]any{"build": "4.4.2", "versions": []any{map[string]any{
			"id": "v1.0", "status": "CURRENT", "updated": "2015-03-19", "links": []any{link("self", q.sim.endpoint("/metric/v1/"))}}}})
	}
	if r := q.authenticate(); r != nil {
		return r
	}
	q.sim.measure()
	switch path := strings.Join(q.path, "/"); {
	case path == "v1/aggregates" && q.Method == http.MethodPost:
		return q.aggregates()
	case path == "v1/batch/resources/metrics/measures" && q.Method == http.MethodPost:
		return q.pushMeasures()
	case strings.HasPrefix(path, "v1/archive_policy"):
		return q.archivePolicies(q.path[2:])
	case strings.HasPrefix(path, "v1/resource_type"):
		return q.resourceTypes(q.path[2:])
	case strings.HasPrefix(path, "v1/resource/") && len(q.path) <= 4:
		return q.metricResources(q.path[2], q.path[3:])
	}
	return q.gnocchiError(http.StatusNotFound, "The resource could not be found.")
}

// gnocchiError is a refusal. Gnocchi writes it as JSON only for those who accept nothing else, and refuses to write HTML.
func (q *request) gnocchiError(status int, description any) *response {
	accept := q.Header.Get("Accept")
	switch {
	case strings.Contains(accept, "application/json"):
		return jsonResponse(status, map[string]any{"code": status, "title": http.StatusText(status), "description": description})
	case strings.Contains(accept, "html"):
		return htmlResponse(http.StatusNotAcceptable, "406 Not Acceptable", "The resource could not be generated that was acceptable to your browser\n(content of type text/html. <br /><br />\n")
	}
	text := fmt.Sprintf("%d %s\n\n %v  ", status, http.StatusText(status), description)
	if strings.Contains(accept, "*/*") {
		return htmlResponse(status, fmt.Sprintf("%d %s", status, http.StatusText(status)), text)
	}
	return &response{status, http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}, []byte(text)}
}

// cause is the description that most refusals have.
func cause(what string, detail any) map[string]any {
	return map[string]any{"cause": what, "detail": detail}
}

// archivePolicies answers for /v1/archive_policy: everybody reads them, admins make them.
func (q *request) archivePolicies(rest []string) *response {
	store := q.sim.metrics
	switch {
	case q.Method == http.MethodGet && len(rest) == 0:
		list := []any{}
		for _, name := range sortedKeys(store.policies) {
			list = append(list, store.policies[name].view())
		}
		return jsonResponse(http.StatusOK, list)
	case q.Method == http.MethodGet:
		p := store.policies[rest[0]]
		if p == nil {
			return q.gnocchiError(http.StatusNotFound, cause("Archive policy "+rest[0]+" does not exist", rest[0]))
		}
		return jsonResponse(http.StatusOK, p.view())
	case q.Method != http.MethodPost || len(rest) > 0:
		return q.gnocchiError(http.StatusMethodNotAllowed, "")
	case !q.token.user.admin:
		return q.gnocchiError(http.StatusForbidden, "")
	}
	var body struct {
		Name       string   `json:"name"`
		Methods    []string `json:"aggregation_methods"`
		Definition []struct {
			Granularity any `json:"granularity"`
			Timespan    any `json:"timespan"`
		} `json:"definition"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil || body.Name == "" {
		return q.gnocchiError(http.StatusBadRequest, cause("Invalid input", "name"))
	}
	if store.policies[body.Name] != nil {
		return q.gnocchiError(http.StatusConflict, "Archive policy "+body.Name+" already exists")
	}
	p := &archivePolicy{name: body.Name, methods: body.Methods}
	for _, d := range body.Definition {
		granularity, ok := timespan(fmt.Sprint(d.Granularity))
		if !ok {
			return q.gnocchiError(http.StatusBadRequest, cause("Invalid input", "granularity"))
		}
		p.granularities = append(p.granularities, granularity)
		span, _ := timespan(fmt.Sprint(d.Timespan))
		p.keep = max(p.keep, span)
	}
	store.policies[p.name] = p
	return jsonResponse(http.StatusCreated, p.view())
}

// timespan reads a width of time: seconds, or a number with a unit.
func timespan(text string) (time.Duration, bool) {
	text = strings.ReplaceAll(strings.TrimSpace(text), " ", "")
	var number float64
	unit := ""
	if n, _ := fmt.Sscanf(text, "%g%s", &number, &unit); n == 0 || number <= 0 {
		return 0, false
	}
	widths := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	for _, name := range []string{"second", "minute", "hour", "day"} {
		unit = strings.Replace(strings.Replace(unit, name+"s", name[:1], 1), name, name[:1], 1)
	}
	width, ok := widths[unit]
	return time.Duration(number * float64(width)), ok
}

func (p *archivePolicy) view() map[string]any {
	definition := []any{}
	for _, g := range p.granularities {
		definition = append(definition, map[string]any{"granularity": clockTime(g), "points": int(p.keep / g), "timespan": clockTime(p.keep)})
	}
	return map[string]any{"name": p.name, "aggregation_methods": p.methods, "back_window": 0, "definition": definition}
}

// clockTime is a width of time as Python writes it.
func clockTime(d time.Duration) string {
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	text := fmt.Sprintf("%d:%02d:%02d", rest/time.Hour, rest%time.Hour/time.Minute, rest%time.Minute/time.Second)
	if days > 0 {
		text = fmt.Sprintf("%d days, %s", days, text)
	}
	return text
}
