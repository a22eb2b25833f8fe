package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// refusal is an answer of Gnocchi that is none.
type refusal struct {
	status      int
	description any
}

func (r *refusal) Error() string { return fmt.Sprint(r.description) }

// aggregatesQuery is a request to /v1/aggregates.
type aggregatesQuery struct {
	operation   any
	references  []reference
	start, stop time.Time
	granularity time.Duration // 0: all that the metrics have in common
	fill        string
	details     bool // show the resources beside the measures
}

// reference is a metric, by a pattern of its name, and an aggregation method.
type reference struct{ pattern, method string }

// aggregates answers POST /v1/aggregates. Parameters that it does not know, refresh among them, are ignored without a word.
func (q *request) aggregates() *response {
	answer, err := q.aggregate()
	if err != nil {
		return q.gnocchiError(err.status, err.description)
	}
	return jsonResponse(http.StatusOK, answer)
}

func (q *request) aggregate() (any, *refusal) {
	var body struct {
		Operations any    `json:"operations"`
		Search     any    `json:"search"`
		Type       string `json:"resource_type"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil || body.Operations == nil || body.Type == "" {
		return nil, &refusal{400, map[string]any{"cause": "Invalid input", "reason": "required key not provided", "detail": []string{"operations"}}}
	}
	query, problem := q.aggregatesQuery(body.Operations)
	if problem != nil {
		return nil, problem
	}
	store := q.sim.metrics
	if store.types[body.Type] == nil {
		return nil, &refusal{400, cause("Resource type does not exist", body.Type)}
	}
	if _, problem := store.matches(&metricResource{}, body.Type, body.Search); problem != nil {
		return nil, problem // even if there is nothing to find
	}
	var resources []*metricResource
	for _, id := range sortedKeys(store.resources) {
		r := store.resources[id]
		if !q.maySee(r) || body.Type != "generic" && body.Type != r.kind {
			continue
		}
		fits, problem := store.matches(r, body.Type, body.Search)
		if problem != nil {
			return nil, problem
		}
		if fits {
			resources = append(resources, r)
		}
	}
	groupBy := slices.Compact(slices.Sorted(slices.Values(q.URL.Query()["groupby"])))
	if len(groupBy) == 0 {
		return query.measures(resources, q.sim.now)
	}
	return query.grouped(store, body.Type, resources, groupBy, q.sim.now)
}

// grouped makes an answer per group. A group whose resources have none of the metrics is absent.
func (query *aggregatesQuery) grouped(store *metricStore, kind string, resources []*metricResource, by []string, now time.Time) (any, *refusal) {
	groups := map[string][]*metricResource{}
	keys := map[string]map[string]any{}
	for _, attribute := range by {
		if !store.has(kind, attribute) {
			return nil, &refusal{400, "Resource type " + kind + " has no " + attribute + " attribute"}
		}
	}
	for _, r := range resources {
		key := map[string]any{}
		for _, attribute := range by {
			key[attribute] = r.attribute(attribute)
		}
		name := pythonJSON(key)
		groups[name], keys[name] = append(groups[name], r), key
	}
	out := []any{}
	for _, name := range sortedKeys(groups) {
		measures, problem := query.measures(groups[name], now)
		if problem == nil {
			out = append(out, map[string]any{"group": keys[name], "measures": measures})
			continue
		}
		if d, _ := problem.description.(map[string]any); d["cause"] != "Metrics not found" {
			return nil, problem
		}
	}
	if len(out) == 0 {
		return nil, query.notFound()
	}
	return out, nil
}

func (query *aggregatesQuery) notFound() *refusal {
	names := []string{}
	for _, r := range query.references {
		names = append(names, r.pattern)
	}
	slices.Sort(names)
	return &refusal{400, cause("Metrics not found", slices.Compact(names))}
}

// measures evaluates the operation over all metrics of the resources that it names.
func (query *aggregatesQuery) measures(resources []*metricResource, now time.Time) (any, *refusal) {
	var rows []*row
	for _, r := range resources {
		for _, ref := range query.references {
			for _, name := range sortedKeys(r.metrics) {
				if fits, err := path.Match(ref.pattern, name); err == nil && fits {
					rows = append(rows, &row{resource: r, meter: r.metrics[name], reference: ref})
				}
			}
		}
	}
	if len(rows) == 0 {
		return nil, query.notFound()
	}
	granularities, problem := query.granularities(rows)
	if problem != nil {
		return nil, problem
	}
	aggregated, isAggregated := [][]any{}, false
	byResource := map[string]map[string]map[string][][]any{}
	for _, granularity := range granularities {
		g := newGrid(rows, granularity, query, now)
		result, err := g.evaluate(query.operation)
		if err != nil {
			return nil, err
		}
		isAggregated = isAggregated || result.aggregated
		for i, values := range result.values {
			points := [][]any{}
			for k, v := range values {
				if !math.IsNaN(v) && !math.IsInf(v, 0) || query.fill == "null" {
					points = append(points, []any{result.times[k].Format("2006-01-02T15:04:05-07:00"), granularity.Seconds(), number(v)})
				}
			}
			if result.aggregated {
				aggregated = append(aggregated, points...)
				break
			}
			one := rows[i]
			metrics := byResource[one.resource.id]
			if metrics == nil {
				metrics = map[string]map[string][][]any{}
				byResource[one.resource.id] = metrics
			}
			if metrics[one.meter.name] == nil {
				metrics[one.meter.name] = map[string][][]any{}
			}
			so := metrics[one.meter.name][one.reference.method]
			if so == nil {
				so = [][]any{} // no points are an empty list
			}
			metrics[one.meter.name][one.reference.method] = append(so, points...)
		}
	}
	out := map[string]any{"measures": byResource}
	if isAggregated {
		out["measures"] = map[string]any{"aggregated": aggregated}
	}
	if query.details {
		out["references"] = referencedBy(rows)
	}
	return out, nil
}

// referencedBy lists the resources of rows, each once.
func referencedBy(rows []*row) []any {
	var list []any
	seen := map[*metricResource]bool{}
	for _, r := range rows {
		if !seen[r.resource] {
			seen[r.resource] = true
			list = append(list, r.resource.view())
		}
	}
	return list
}

// number is a value in JSON, which has no NaN.
func number(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// granularities are those asked for, or all that the metrics have in common, the coarsest first.
func (query *aggregatesQuery) granularities(rows []*row) ([]time.Duration, *refusal) {
	var missing []any
	common := slices.Clone(rows[0].meter.policy.granularities)
	for _, r := range rows {
		policy := r.meter.policy
		if !slices.Contains(policy.methods, r.reference.method) {
			return nil, &refusal{404, cause("Metrics with unknown aggregation", []any{[]any{r.meter.id, r.reference.method}})}
		}
		if query.granularity > 0 && !slices.Contains(policy.granularities, query.granularity) {
			missing = append(missing, []any{r.meter.name, r.reference.method, query.granularity.Seconds()})
		}
		common = slices.DeleteFunc(common, func(g time.Duration) bool { return !slices.Contains(policy.granularities, g) })
	}
	switch {
	case missing != nil:
		return nil, &refusal{400, map[string]any{"cause": "Metrics can't being aggregated", "reason": "Granularities are missing", "detail": missing}}
	case query.granularity > 0:
		return []time.Duration{query.granularity}, nil
	case len(common) == 0:
		return nil, &refusal{400, map[string]any{"cause": "Metrics can't being aggregated", "reason": "No granularity match", "detail": []any{}}}
	}
	slices.SortFunc(common, func(a, b time.Duration) int { return int(b - a) })
	return common, nil
}

// aggregatesQuery reads the operation and the request's parameters.
func (q *request) aggregatesQuery(operation any) (*aggregatesQuery, *refusal) {
	parameters := q.URL.Query()
	query := &aggregatesQuery{fill: parameters.Get("fill"), details: truth(parameters.Get("details"))}
	bad := func(name, reason string) *refusal {
		return &refusal{400, map[string]any{"cause": "Argument value error", "detail": name, "reason": reason}}
	}
	for name, into := range map[string]*time.Time{"start": &query.start, "stop": &query.stop} {
		if v := parameters.Get(name); v != "" {
			moment, ok := gnocchiMoment(v)
			if !ok {
				return nil, bad(name, "Must be a datetime or a timestamp")
			}
			*into = moment
		}
	}
	if v := parameters.Get("granularity"); v != "" {
		var ok bool
		if query.granularity, ok = timespan(v); !ok {
			return nil, bad("granularity", "Unable to parse timespan")
		}
	}
	if words, ok := operation.(string); ok {
		parsed, err := parseOperation(words)
		if err != nil {
			return nil, &refusal{400, map[string]any{"cause": "Invalid operations", "reason": "Fail to parse the operations string", "detail": err.Error()}}
		}
		operation = parsed
	}
	query.operation = operation
	if err := query.collect(operation); err != nil {
		return nil, err
	}
	if len(query.references) == 0 {
		return nil, &refusal{400, map[string]any{"cause": "Operations is invalid", "reason": "At least one 'metric' is required", "detail": operation}}
	}
	return query, nil
}

var inList = regexp.MustCompile(`^\s*(\w+)\s+in\s+\[(.*)\]\s*$`)
var equalsTo = regexp.MustCompile(`^\s*(\w+)\s*={1,2}\s*(.+?)\s*$`)

// matches says whether a resource fits a search, in JSON or in the two most usual forms of words.
func (store *metricStore) matches(r *metricResource, kind string, search any) (bool, *refusal) {
	if words, ok := search.(string); ok {
		if m := inList.FindStringSubmatch(words); m != nil {
			var list []any
			for _, v := range strings.Split(m[2], ",") {
				list = append(list, strings.Trim(strings.TrimSpace(v), `'"`))
			}
			search = map[string]any{"in": map[string]any{m[1]: list}}
		} else if m := equalsTo.FindStringSubmatch(words); m != nil {
			search = map[string]any{"=": map[string]any{m[1]: strings.Trim(m[2], `'"`)}}
		}
	}
	form, _ := search.(map[string]any)
	for operator, operand := range form {
		switch operator {
		case "and", "or":
			list, _ := operand.([]any)
			all, any := true, false
			for _, part := range list {
				fits, problem := store.matches(r, kind, part)
				if problem != nil {
					return false, problem
				}
				all, any = all && fits, any || fits
			}
			return operator == "and" && all || operator == "or" && any, nil
		case "in", "=":
			for attribute, wanted := range object(operand) {
				if !store.has(kind, attribute) {
					return false, &refusal{400, "Resource type " + kind + " has no " + attribute + " attribute"}
				}
				values, isList := wanted.([]any)
				if !isList {
					values = []any{wanted}
				}
				return slices.ContainsFunc(values, func(v any) bool { return text(v) == text(r.attribute(attribute)) }), nil
			}
		}
	}
	return false, &refusal{400, cause("Invalid input", "search")}
}

func (store *metricStore) has(kind, attribute string) bool {
	return slices.Contains([]string{"id", "project_id", "user_id", "original_resource_id"}, attribute) || slices.Contains(store.types[kind], attribute)
}

func (r *metricResource) attribute(name string) any {
	switch name {
	case "id":
		return r.id
	case "original_resource_id":
		return r.original
	case "project_id":
		return r.project
	case "user_id":
		return r.user
	}
	return r.attributes[name]
}
