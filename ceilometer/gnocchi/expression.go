package gnocchi

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// Placeholders in expressions, in seconds.
const (
	granularityPlaceholder = "{granularity}"
	intervalPlaceholder    = "{polling-interval}"
)

// expression is the custom metric's operation with its placeholders filled in: {granularity} and {polling-interval}, both in
// seconds.
//
// An expression without the word aggregate is evaluated for each machine, such as (* 8 (metric memory.usage mean)), and machines
// are judged as for the known metrics. One with it, such as
//
//	(* 100 (/ (aggregate mean (metric cpu rate:mean)) (* 2e9 {polling-interval})))
//
// is evaluated for each group, over its running machines, by their attribute server_group. Gnocchi leaves silent members out of an
// aggregate without a word, so they are not noticed then; it has to be the mean per machine to be one.
func (r *reading) expression() (string, error) {
	text := strings.ReplaceAll(r.meter.expression, granularityPlaceholder, seconds(r.granularity))
	if !strings.Contains(text, intervalPlaceholder) {
		return text, nil
	}
	if r.interval <= 0 {
		return "", fmt.Errorf("expression %q: the polling interval is not known; set it in the policy", r.meter.expression)
	}
	return strings.ReplaceAll(text, intervalPlaceholder, seconds(r.interval)), nil
}

// readGrouped reads an expression that Gnocchi aggregates, for all groups in one call.
func (s *Source) readGrouped(ctx context.Context, r *reading) (map[string]ceilometer.Sample, error) {
	operations, err := r.expression()
	if err != nil {
		return nil, err
	}
	var groups groupsAnswer
	body := query{Operations: operations, Search: in("id", r.ids), Type: r.meter.kind}
	if err := s.post(ctx, r, url.Values{"groupby": {"server_group"}}, body, &groups); err != nil {
		return nil, err
	}
	found := map[string][]point{}
	for _, one := range groups {
		if one.Measures == nil {
			continue
		}
		if !one.Measures.aggregated {
			return nil, fmt.Errorf("expression %q: it yields a series per machine and not one per group; aggregate the whole of it", r.meter.expression)
		}
		found[one.Group.ServerGroup] = one.Measures.points
	}
	out := make(map[string]ceilometer.Sample, len(r.Groups))
	for i := range r.Groups {
		g := &r.Groups[i]
		out[g.Group] = r.aggregated(g, found[g.ServerGroup])
	}
	return out, nil
}

// aggregated is the sample of a group of which only the aggregate is known.
func (r *reading) aggregated(group *ceilometer.Subject, points []point) ceilometer.Sample {
	sample := ceilometer.Sample{Granularity: r.granularity}
	switch s := r.summary(r.gauge(points, 1)); {
	case group.ServerGroup == "":
		sample.Err = fmt.Errorf("%w: its servers have no metadata metering.server_group, which an expression with aggregate needs", ceilometer.ErrNoData)
	case !s.any:
		sample.Err = fmt.Errorf("%w: no machine of server group %s has any since %s", ceilometer.ErrNoData, group.ServerGroup, r.start().Format(time.RFC3339))
	case s.bad != "":
		sample.At, sample.Err = s.end, fmt.Errorf("%w: %s %s", ceilometer.ErrAbsurd, r.meter.expression, s.bad)
	default:
		sample.Load, sample.At, sample.Machines = s.value, s.end, len(group.Machines)
	}
	return sample
}

// History implements ceilometer.HistorySource for cpu and memory: the sum over all machines that carried the group's metering.server_group
// in the window, those that are gone included. A group without one has no history.
//
// A machine that is gone is taken to have had the vcpus and RAM that the group's machines have now. The polling interval of cpu is
// the given one or the one that Read has found; if neither is known, machines are read once to find it.
func (s *Source) History(ctx context.Context, request ceilometer.Request) (map[string][]ceilometer.Point, error) {
	what, err := meterOf(request.Metric)
	if err != nil {
		return nil, err
	}
	if what.per == nil {
		return nil, fmt.Errorf("metric %s has no history: only cpu and memory add up to used machines", request.Metric.Name)
	}
	r := s.newReading(request, what)
	units := map[string]float64{}
	var wanted []string
	groups := map[string]string{}
	for i := range request.Groups {
		g := &request.Groups[i]
		if unit := r.unit(g); g.ServerGroup != "" && unit > 0 && units[g.ServerGroup] == 0 {
			units[g.ServerGroup], groups[g.ServerGroup] = unit, g.Group
			wanted = append(wanted, g.ServerGroup)
		}
	}
	if len(wanted) == 0 {
		return map[string][]ceilometer.Point{}, nil
	}
	divisor := 1.0
	if what.rate {
		if divisor, err = s.historyInterval(ctx, request, what, r.granularity); err != nil {
			return nil, err
		}
	}
	var answer groupsAnswer
	body := query{
		Operations: fmt.Sprintf("(aggregate sum (metric %s %s))", what.metric, what.method), Search: in("server_group", wanted), Type: what.kind,
	}
	if err := s.post(ctx, r, url.Values{"groupby": {"server_group"}, "stop": {moment(request.Now)}}, body, &answer); err != nil {
		return nil, err
	}
	out := map[string][]ceilometer.Point{}
	for _, one := range answer {
		name, ok := groups[one.Group.ServerGroup]
		if !ok || one.Measures == nil {
			continue
		}
		unit := 100 * units[one.Group.ServerGroup] * divisor
		for _, p := range one.Measures.points {
			// The sum of a reset counter is as wrong as it is negative, and a period that is still filling lacks machines.
			if value := p.value / unit; p.width == r.granularity && value >= 0 && !math.IsInf(value, 0) && !p.end().After(request.Now) && p.end().After(request.Now.Add(-request.Window)) {
				out[name] = append(out[name], ceilometer.Point{At: p.end(), Value: value})
			}
		}
	}
	return out, nil
}

// unit is what one percent of the group's machines is, in the mean.
func (r *reading) unit(g *ceilometer.Subject) float64 {
	sum, n := 0.0, 0
	for i := range g.Machines {
		if one := r.meter.per(&g.Machines[i]); one > 0 {
			sum += one
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// historyInterval is the polling interval in seconds.
func (s *Source) historyInterval(ctx context.Context, request ceilometer.Request, what *meter, granularity time.Duration) (float64, error) {
	if known := s.known(what.name, request.PollingInterval, granularity); known > 0 {
		return known.Seconds(), nil
	}
	recent := request
	recent.Window = 6 * granularity
	if _, err := s.Read(ctx, recent); err != nil {
		return 0, err
	}
	if known := s.known(what.name, 0, granularity); known > 0 {
		return known.Seconds(), nil
	}
	return 0, fmt.Errorf("%w: the polling interval of %s is not known yet, and no machine is steadily busy to find it from; set it (%s)",
		ceilometer.ErrNoData, what.name, strconv.Quote("polling-interval"))
}
