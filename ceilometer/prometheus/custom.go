package prometheus

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// Values of PartLabel. No label is the same as partMean.
const (
	partMean      = "mean"
	partTotal     = "total"
	partMachines  = "machines"
	partTimestamp = "timestamp"
)

// custom reads a metric by the operator's own expression.
type custom struct {
	request  ceilometer.Request
	label    string
	lookback time.Duration
}

func (c *custom) expression() string { return c.request.Metric.Expression }

// groupParts are the elements of one group, by their part.
type groupParts struct {
	parts map[string]*model.Sample
	err   error
}

func (c *custom) samples(v vector) (map[string]ceilometer.Sample, error) {
	byGroup := map[string]*groupParts{}
	named := false
	for _, element := range v {
		group := string(element.Metric[model.LabelName(c.label)])
		if group == "" {
			continue
		}
		named = true
		if byGroup[group] == nil {
			byGroup[group] = &groupParts{parts: map[string]*model.Sample{}}
		}
		byGroup[group].add(element)
	}
	if len(v) > 0 && !named {
		return nil, fmt.Errorf("no element of the result has the label %q, the first is %s; aggregate by that label, or make it with label_replace",
			c.label, v[0].Metric)
	}
	samples := map[string]ceilometer.Sample{}
	for _, subject := range c.request.Groups {
		if parts := byGroup[groupName(subject)]; parts != nil {
			samples[subject.Group] = c.sample(subject, parts)
		}
	}
	return samples, nil
}

// groupName is the group's name in Prometheus.
func groupName(subject ceilometer.Subject) string {
	if subject.ServerGroup != "" {
		return subject.ServerGroup
	}
	return subject.Group
}

// add files an element under its part.
func (g *groupParts) add(element *model.Sample) {
	part := string(element.Metric[PartLabel])
	switch part {
	case "":
		part = partMean
	case partMean, partTotal, partMachines, partTimestamp:
	default:
		g.err = fmt.Errorf("%w: the element %s has the part %q; known are %s, %s, %s and %s", ceilometer.ErrAbsurd, element.Metric, part,
			partMean, partTotal, partMachines, partTimestamp)
		return
	}
	if first, ok := g.parts[part]; ok {
		g.err = fmt.Errorf("%w: two elements for the same node group, %s and %s; aggregate them in the expression", ceilometer.ErrAbsurd,
			first.Metric, element.Metric)
		return
	}
	g.parts[part] = element
}

// sample judges what the parts say together.
func (c *custom) sample(subject ceilometer.Subject, g *groupParts) ceilometer.Sample {
	sample := ceilometer.Sample{Granularity: c.request.Granularity, At: c.request.Now.Add(-c.lookback), Err: g.err}
	mean, isMean := g.parts[partMean]
	total, isTotal := g.parts[partTotal]
	switch {
	case sample.Err != nil:
		return sample
	case isMean && isTotal:
		sample.Err = fmt.Errorf("%w: the expression gives a mean, %s, and a total, %s; one of them is the load", ceilometer.ErrAbsurd, mean.Metric, total.Metric)
		return sample
	case !isMean && !isTotal:
		sample.Err = fmt.Errorf("%w: the expression gives %s, but no load", ceilometer.ErrNoData, strings.Join(slices.Sorted(maps.Keys(g.parts)), " and "))
		return sample
	}
	value := mean
	if isTotal {
		value = total
	}
	if absurd(float64(value.Value)) {
		sample.Err = fmt.Errorf("%w: %s is %v at %s", ceilometer.ErrAbsurd, value.Metric, value.Value, value.Timestamp.Time().UTC().Format(time.RFC3339))
		return sample
	}
	if ts, ok := g.parts[partTimestamp]; ok {
		if sample.Err = checkTime(ts.Timestamp, float64(ts.Value)); sample.Err != nil {
			return sample
		}
		sample.At = at(c.request, ts.Timestamp, float64(ts.Value))
	}
	sample.Machines = len(subject.Machines)
	if count, ok := g.parts[partMachines]; ok {
		sample.Machines, sample.Err = c.measured(subject, float64(count.Value))
		if sample.Machines == 0 {
			return sample
		}
	}
	sample.Load = float64(value.Value)
	if isTotal {
		// A queue may wait for a group that has no machine yet.
		sample.Machines = max(sample.Machines, 1)
		sample.Load /= float64(sample.Machines)
	} else if sample.Machines == 0 {
		sample.Err = fmt.Errorf("%w: node group %q has no machine that %v could be the mean of; give the part %q for a load without machines",
			ceilometer.ErrNoData, subject.Group, value.Value, partTotal)
	}
	return sample
}

// mostMachines is above what one group can have.
const mostMachines = 100000

// measured judges a part "machines".
func (c *custom) measured(subject ceilometer.Subject, count float64) (int, error) {
	if absurd(count) || count != math.Trunc(count) || count > mostMachines {
		return 0, fmt.Errorf("%w: %v machines were measured", ceilometer.ErrAbsurd, count)
	}
	measured := int(count)
	if measured == 0 {
		return 0, fmt.Errorf("%w: no machine was measured", ceilometer.ErrNoData)
	}
	young := c.request.Now.Add(-max(c.lookback, c.request.Window))
	grown := 0
	for _, machine := range subject.Machines {
		if machine.Created.Before(young) {
			grown++
		}
	}
	if measured < grown {
		return measured, fmt.Errorf("%w: %d of %d machines of node group %q were measured", ceilometer.ErrPartial, measured, grown, subject.Group)
	}
	return measured, nil
}
