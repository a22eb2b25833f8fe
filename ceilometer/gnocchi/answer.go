package gnocchi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

var errBadAnswer = errors.New("Gnocchi's answer cannot be read") //nolint:staticcheck,revive // a name

// answer is what /v1/aggregates says without groupby: the points of each resource by metric and method, or one series of all.
type answer struct {
	// series by resource.
	series map[string]*series
	// aggregated: there is only one series, of all resources together, in points.
	aggregated bool
	points     []point
}

// series are the points of one resource, in the order of time.
type series struct {
	// machine is the id of the server that the resource belongs to.
	machine string
	// values are what was asked for, means the cumulative means beside rates.
	values, means []point
	// several: there is more than one series of values, and values is any of them.
	several bool
}

// point is the value of one period.
type point struct {
	at    time.Time
	width time.Duration
	value float64
}

func (p *point) end() time.Time { return p.at.Add(p.width) }

// UnmarshalJSON reads [time, granularity in seconds, value]. A value that is null is not a number.
func (p *point) UnmarshalJSON(text []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	if len(raw) != 3 {
		return fmt.Errorf("%w: a point has %d parts, not 3", errBadAnswer, len(raw))
	}
	var width float64
	var value *float64
	for i, into := range []any{&p.at, &width, &value} {
		if err := json.Unmarshal(raw[i], into); err != nil {
			return fmt.Errorf("%w: a point's part %d: %w", errBadAnswer, i+1, err)
		}
	}
	if !(width > 0 && width < 1e8) {
		return fmt.Errorf("%w: a granularity of %g s", errBadAnswer, width)
	}
	p.at, p.width, p.value = p.at.UTC(), time.Duration(width*float64(time.Second)), math.NaN()
	if value != nil {
		p.value = *value
	}
	return nil
}

// UnmarshalJSON reads an answer without groupby.
func (a *answer) UnmarshalJSON(text []byte) error {
	var body struct {
		Measures   map[string]json.RawMessage `json:"measures"`
		References []struct {
			ID       string `json:"id"`
			Instance string `json:"instance_id"`
		} `json:"references"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return fmt.Errorf("%w: %w", errBadAnswer, err)
	}
	if body.Measures == nil {
		return fmt.Errorf("%w: it has no measures", errBadAnswer)
	}
	*a = answer{series: make(map[string]*series, len(body.Measures))}
	for id, raw := range body.Measures {
		if id == "aggregated" {
			a.aggregated = true
			if err := json.Unmarshal(raw, &a.points); err != nil {
				return err
			}
			continue
		}
		var metrics map[string]map[string][]point
		if err := json.Unmarshal(raw, &metrics); err != nil {
			return fmt.Errorf("%w: resource %s: %w", errBadAnswer, id, err)
		}
		a.series[id] = seriesOf(id, metrics)
	}
	for _, r := range body.References {
		if one := a.series[r.ID]; one != nil && r.Instance != "" {
			one.machine = r.Instance
		}
	}
	return nil
}

// seriesOf tells values from cumulative means: those beside a rate.
func seriesOf(id string, metrics map[string]map[string][]point) *series {
	out := &series{machine: id}
	for _, methods := range metrics {
		for method, points := range methods {
			_, rated := methods["rate:mean"]
			if method == "mean" && rated {
				out.means = points
				continue
			}
			out.several = out.several || out.values != nil
			out.values = points
		}
	}
	return out
}

// widths are the granularities that an answer has points of.
func (a *answer) widths() map[time.Duration]bool {
	widths := map[time.Duration]bool{}
	note := func(points []point) {
		for i := range points {
			widths[points[i].width] = true
		}
	}
	note(a.points)
	for _, one := range a.series {
		note(one.values)
	}
	return widths
}

// groupsAnswer is what /v1/aggregates says with groupby=server_group.
type groupsAnswer []struct {
	Group struct {
		ServerGroup string `json:"server_group"`
	} `json:"group"`
	Measures *answer `json:"measures"`
}
