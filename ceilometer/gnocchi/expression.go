package gnocchi

import (
	"context"
	"fmt"
	"net/url"
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
		return "", fmt.Errorf("expression %q: the polling interval is not known; set it (load-polling-interval)", r.meter.expression)
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
