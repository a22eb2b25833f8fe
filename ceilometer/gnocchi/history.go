package gnocchi

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

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
	return 0, fmt.Errorf("%w: the polling interval of %s is not known yet, and no machine is steadily busy to find it from; set it (load-polling-interval)",
		ceilometer.ErrNoData, what.name)
}
