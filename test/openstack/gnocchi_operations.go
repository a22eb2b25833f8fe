package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is one metric of one resource with one aggregation method.
type row struct {
	resource  *metricResource
	meter     *meter
	reference reference
}

// grid holds the aggregates of all rows at all times at which any of them has one; the others are NaN.
type grid struct {
	rows   []*row
	times  []time.Time
	values [][]float64
}

// result is what an operation yields: a number, or rows of values; one row if it is aggregated.
type result struct {
	number     float64
	isNumber   bool
	times      []time.Time
	values     [][]float64
	rows       []*row
	aggregated bool
}

func newGrid(rows []*row, granularity time.Duration, query *aggregatesQuery, now time.Time) *grid {
	g := &grid{rows: rows}
	all := make([]map[time.Time]float64, len(rows))
	seen := map[time.Time]bool{}
	for i, r := range rows {
		all[i] = r.meter.series(r.reference.method, granularity, query.start, now)
		for at := range all[i] {
			if !query.start.IsZero() && at.Before(query.start.Truncate(granularity)) || !query.stop.IsZero() && !at.Before(query.stop) {
				continue
			}
			if !seen[at] {
				seen[at] = true
				g.times = append(g.times, at)
			}
		}
	}
	slices.SortFunc(g.times, time.Time.Compare)
	filler := math.NaN()
	if n, err := strconv.ParseFloat(query.fill, 64); err == nil {
		filler = n
	}
	for i := range rows {
		values := make([]float64, len(g.times))
		for k, at := range g.times {
			values[k] = filler
			if v, ok := all[i][at]; ok {
				values[k] = v
			}
		}
		g.values = append(g.values, values)
	}
	return g
}

// evaluate follows gnocchi/rest/aggregates/operations.py. Like that, it computes with whatever is there: NaN where a row has
// no point, and 0 for the sum of nothing, which is how an average over a metric without points looks like idleness.
func (g *grid) evaluate(node any) (*result, *refusal) {
	list, ok := node.([]any)
	if !ok {
		n, ok := asNumber(node)
		if !ok {
			return nil, invalidOperation(node)
		}
		return &result{number: n, isNumber: true}, nil
	}
	if len(list) == 0 {
		return nil, invalidOperation(node)
	}
	switch operator := text(list[0]); operator {
	case "metric":
		return g.metric(list), nil
	case "aggregate":
		if len(list) != 3 {
			return nil, invalidOperation(node)
		}
		inner, err := g.evaluate(list[2])
		if err != nil {
			return nil, err
		}
		return inner.reduce(text(list[1]))
	case "+", "-", "*", "/":
		if len(list) != 3 {
			return nil, invalidOperation(node)
		}
		a, err := g.evaluate(list[1])
		if err != nil {
			return nil, err
		}
		b, err := g.evaluate(list[2])
		if err != nil {
			return nil, err
		}
		return compute(operator, a, b), nil
	}
	return nil, invalidOperation(node)
}

func invalidOperation(node any) *refusal {
	word := text(node)
	if list, ok := node.([]any); ok && len(list) > 0 {
		word = text(list[0])
	}
	return &refusal{400, map[string]any{"cause": "Invalid input",
		"reason": fmt.Sprintf("'%s' operation invalid for dictionary value @ data['operations']", word), "detail": []string{"operations"}}}
}

// metric chooses the rows of the references in a node (metric name method) or (metric (name method) (name method)).
func (g *grid) metric(list []any) *result {
	wanted := referencesOf(list)
	out := &result{times: g.times}
	for i, r := range g.rows {
		if slices.Contains(wanted, r.reference) {
			out.values, out.rows = append(out.values, g.values[i]), append(out.rows, r)
		}
	}
	return out
}

func referencesOf(list []any) []reference {
	if _, several := list[1].([]any); !several {
		return []reference{{text(list[1]), text(list[2])}}
	}
	var refs []reference
	for _, one := range list[1:] {
		if pair, _ := one.([]any); len(pair) == 2 {
			refs = append(refs, reference{text(pair[0]), text(pair[1])})
		}
	}
	return refs
}

// collect notes the metrics that an operation names, and refuses what is none.
func (query *aggregatesQuery) collect(node any) *refusal {
	list, ok := node.([]any)
	if !ok {
		return nil
	}
	if len(list) == 0 {
		return invalidOperation(node)
	}
	switch text(list[0]) {
	case "metric":
		if len(list) < 2 {
			return invalidOperation(node)
		}
		if _, several := list[1].([]any); !several && len(list) != 3 {
			return invalidOperation(node)
		}
		for _, ref := range referencesOf(list) {
			if !slices.Contains(query.references, ref) {
				query.references = append(query.references, ref)
			}
		}
	case "aggregate", "+", "-", "*", "/":
		for _, part := range list[1:] {
			if err := query.collect(part); err != nil {
				return err
			}
		}
	default:
		return invalidOperation(node)
	}
	return nil
}

// reduce makes one row of many.
func (r *result) reduce(method string) (*result, *refusal) {
	if !slices.Contains([]string{"mean", "sum", "min", "max", "count"}, method) {
		return nil, invalidOperation([]any{"aggregate"})
	}
	out := &result{times: r.times, aggregated: true, values: [][]float64{make([]float64, len(r.times))}}
	for k := range r.times {
		var present []float64
		for _, values := range r.values {
			if !math.IsNaN(values[k]) {
				present = append(present, values[k])
			}
		}
		out.values[0][k] = reduce(method, present)
	}
	return out, nil
}

// reduce is an aggregation method over values that are there, as numpy's nan… functions do it.
func reduce(method string, values []float64) float64 {
	sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range values {
		sum, low, high = sum+v, min(low, v), max(high, v)
	}
	switch {
	case method == "sum":
		return sum
	case method == "count":
		return float64(len(values))
	case len(values) == 0:
		return math.NaN()
	case method == "min":
		return low
	case method == "max":
		return high
	}
	return sum / float64(len(values))
}

func compute(operator string, a, b *result) *result {
	shape := a
	if a.isNumber {
		shape = b
	}
	out := &result{
		isNumber: shape.isNumber, times: shape.times, rows: shape.rows,
		aggregated: a.aggregated || b.aggregated || !a.isNumber && !b.isNumber,
	}
	if shape.isNumber {
		out.number = apply(operator, a.number, b.number)
		return out
	}
	for i := range shape.values {
		values := make([]float64, len(shape.times))
		for k := range values {
			values[k] = apply(operator, a.at(i, k), b.at(i, k))
		}
		out.values = append(out.values, values)
	}
	return out
}

func (r *result) at(i, k int) float64 {
	if r.isNumber {
		return r.number
	}
	return r.values[min(i, len(r.values)-1)][k]
}

func apply(operator string, a, b float64) float64 {
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	return a / b
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	}
	return 0, false
}

// parseOperation reads the form with parentheses into the one with lists.
func parseOperation(words string) (any, error) {
	words = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(words)
	var stack [][]any
	var done []any
	for _, word := range strings.Fields(words) {
		switch word {
		case "(":
			stack = append(stack, []any{})
		case ")":
			if len(stack) == 0 {
				return nil, fmt.Errorf("Expected end of text, found ')'") //nolint:revive,staticcheck // pyparsing's words
			}
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				done = append(done, any(top))
				continue
			}
			stack[len(stack)-1] = append(stack[len(stack)-1], any(top))
		default:
			if len(stack) == 0 {
				return nil, fmt.Errorf("Expected '(', found '%s'", word) //nolint:revive,staticcheck // pyparsing's words
			}
			stack[len(stack)-1] = append(stack[len(stack)-1], word)
		}
	}
	if len(stack) > 0 || len(done) == 0 {
		return nil, fmt.Errorf("Expected ')', found end of text") //nolint:revive,staticcheck // pyparsing's words
	}
	return done[0], nil
}
