package prometheus

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// Labels of Ceilometer's metrics (ceilometer/polling/prom_exporter.py, _gen_labels).
const (
	labelServerGroup = "server_group"
	labelServer      = "resource"
)

// defaultPolling is how often Ceilometer polls unless its polling.yaml says otherwise.
const defaultPolling = 5 * time.Minute

// mostPercent is above what a machine can use: more means that the flavor is another one.
const mostPercent = 200

// builtin is a metric of Ceilometer's that is read by machine.
type builtin struct {
	// load is PromQL for an element per machine, with the selector and the range.
	load string
	// selector is the series of the metric, with a place for the group's names.
	selector string
	// percent turns a value into percent of what the machine has, 0 if that is unknown.
	percent func(value float64, machine ceilometer.Machine) float64
	// needs is what has to be known of a machine.
	needs string
	// moves: a value of exactly 0 says that the exporter repeats an old value. A running machine always uses some processor time.
	moves bool
}

var builtins = map[string]builtin{
	"cpu": {
		load:     "max by (server_group, resource) (rate(%s[%s]))",
		selector: "ceilometer_cpu{server_group=~%s}",
		// Nanoseconds of all processors together, per second.
		percent: func(value float64, m ceilometer.Machine) float64 { return value / 1e9 / float64(m.VCPUs) * 100 },
		needs:   "vcpus",
		moves:   true,
	},
	"memory": {
		load:     "max by (server_group, resource) (avg_over_time(%s[%s]))",
		selector: "ceilometer_memory_usage{server_group=~%s}",
		percent:  func(value float64, m ceilometer.Machine) float64 { return value / float64(m.RAMMiB) * 100 },
		needs:    "RAM",
	},
}

// machines reads a builtin.
type machines struct {
	request ceilometer.Request
	metric  builtin
	// over is the range: at least two polls have to be in it, or there is no rate.
	over time.Duration
	// grown is the age from which a machine must have data.
	grown time.Duration
}

func newMachines(request ceilometer.Request, metric builtin) *machines {
	polling := request.PollingInterval
	if polling == 0 {
		polling = defaultPolling
	}
	over := max(request.Window, 2*polling+polling/2)
	return &machines{request: request, metric: metric, over: over, grown: over + polling}
}

func (m *machines) expression() string {
	names := make([]string, 0, len(m.request.Groups))
	for _, subject := range m.request.Groups {
		names = append(names, regexp.QuoteMeta(groupName(subject)))
	}
	slices.Sort(names)
	selector := fmt.Sprintf(m.metric.selector, strconv.Quote(strings.Join(slices.Compact(names), "|")))
	load := fmt.Sprintf(m.metric.load, selector, strconv.Itoa(int(m.over.Seconds()))+"s")
	return fmt.Sprintf("%s or label_replace(max by (server_group, resource) (timestamp(%s)), %q, %q, \"\", \"\")", load, selector, PartLabel, partTimestamp)
}

// point is what is known of one machine.
type point struct{ value, timestamp *model.Sample }

func (m *machines) samples(v vector) (map[string]ceilometer.Sample, error) {
	points := map[string]map[string]*point{}
	for _, element := range v {
		group, server := string(element.Metric[labelServerGroup]), string(element.Metric[labelServer])
		if points[group] == nil {
			points[group] = map[string]*point{}
		}
		if points[group][server] == nil {
			points[group][server] = &point{}
		}
		if element.Metric[PartLabel] == partTimestamp {
			points[group][server].timestamp = element
		} else {
			points[group][server].value = element
		}
	}
	samples := map[string]ceilometer.Sample{}
	for _, subject := range m.request.Groups {
		if found := points[groupName(subject)]; found != nil {
			samples[subject.Group] = m.sample(subject, found)
		}
	}
	return samples, nil
}

// sample is the mean of a group's machines. Series of servers that are none of its machines any more don't count.
func (m *machines) sample(subject ceilometer.Subject, found map[string]*point) ceilometer.Sample {
	sample := ceilometer.Sample{Granularity: m.request.Granularity}
	// Of one value that cannot be, the others don't make a load.
	wrong := func(err error) ceilometer.Sample { return ceilometer.Sample{Granularity: sample.Granularity, Err: err} }
	sum, silent := 0.0, []string{}
	for _, machine := range subject.Machines {
		p := found[machine.ServerID]
		// A range reaches further back than the series lives: without a present sample the machine is silent.
		if p == nil || p.value == nil || p.timestamp == nil || m.metric.moves && p.value.Value == 0 {
			if m.request.Now.Sub(machine.Created) >= m.grown {
				silent = append(silent, machine.ServerID)
			}
			continue
		}
		percent := m.metric.percent(float64(p.value.Value), machine)
		if math.IsInf(percent, 1) && !math.IsInf(float64(p.value.Value), 0) {
			return wrong(fmt.Errorf("%w: machine %s: its flavor's %s is not known, so %v is no share of it", ceilometer.ErrAbsurd, machine.ServerID, m.metric.needs, p.value.Value))
		}
		if absurd(percent) || percent > mostPercent {
			return wrong(fmt.Errorf("%w: machine %s: %v, that is %.4g %%, at %s", ceilometer.ErrAbsurd, machine.ServerID, p.value.Value, percent,
				p.value.Timestamp.Time().UTC().Format(time.RFC3339)))
		}
		if err := checkTime(p.timestamp.Timestamp, float64(p.timestamp.Value)); err != nil {
			return wrong(err)
		}
		// The oldest of the newest points: no machine is newer than the group seems.
		if seen := at(m.request, p.timestamp.Timestamp, float64(p.timestamp.Value)); sample.At.IsZero() || seen.Before(sample.At) {
			sample.At = seen
		}
		sum += percent
		sample.Machines++
	}
	switch {
	case sample.Machines == 0:
		sample.Err = fmt.Errorf("%w: no machine of node group %q has a present value that moves", ceilometer.ErrNoData, subject.Group)
		return sample
	case len(silent) > 0:
		sample.Err = fmt.Errorf("%w: node group %q: %d of %d: %s", ceilometer.ErrPartial, subject.Group, len(silent), len(subject.Machines), brief(strings.Join(silent, ", ")))
	}
	sample.Load = sum / float64(sample.Machines)
	return sample
}
