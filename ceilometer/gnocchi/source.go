package gnocchi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

const (
	// defaultGranularity is that of Ceilometer's own archive policies, ceilometer-low and ceilometer-low-rate.
	defaultGranularity = 5 * time.Minute
	// defaultPolling is the interval of Ceilometer's shipped polling.yaml. It only says how long a machine without points is
	// young, never what a rate is divided by.
	defaultPolling = 5 * time.Minute
	// relearn is how long a polling interval that was found is trusted before the data are asked again.
	relearn = time.Hour
	// many is the number of machines above which the interval is looked for in a sample of them, of which there are sampled. Rates and
	// means of 5,000 machines took a real Gnocchi 56 s, rates alone 24 s.
	many, sampled = 1000, 100
)

// MetricClients gives an authenticated client for Gnocchi. It is asked before every request, because another client may
// be in force after the credentials have changed. internal/openstack's Session is one.
type MetricClients interface {
	Metric(ctx context.Context) (*gophercloud.ServiceClient, error)
}

// Source reads load from Gnocchi. It implements ceilometer.Source and ceilometer.HistorySource and is safe for concurrent use.
type Source struct {
	clients MetricClients

	mu sync.Mutex
	// intervals are the polling intervals that were found, by the metric's name and the granularity.
	intervals map[intervalKey]foundInterval
	// granularities are those that were found for metrics whose archive policy lacks the default one.
	granularities map[string]time.Duration
}

type intervalKey struct {
	metric      string
	granularity time.Duration
}

type foundInterval struct {
	interval time.Duration
	at       time.Time
	// sure: it need not be looked at again before relearn.
	sure bool
}

var (
	_ ceilometer.Source        = (*Source)(nil)
	_ ceilometer.HistorySource = (*Source)(nil)
)

// New returns a source that asks the clients' Gnocchi.
func New(clients MetricClients) *Source {
	return &Source{clients: clients, intervals: map[intervalKey]foundInterval{}, granularities: map[string]time.Duration{}}
}

// Read implements ceilometer.Source.
//
// Known metrics are cpu and memory, in percent, and disk-read, disk-write, network-in and network-out, in bytes per second and
// machine. With an Expression any operation of Gnocchi's dynamic aggregates is one, see expression.
//
// Periods that are still filling count: what they hold are whole polls. At is then the time of the question. A machine's
// newest point counts even if it is older than the window, unless the rest of its group is far newer.
func (s *Source) Read(ctx context.Context, request ceilometer.Request) (map[string]ceilometer.Sample, error) {
	what, err := meterOf(request.Metric)
	if err != nil {
		return nil, err
	}
	reading := s.newReading(request, what)
	if len(reading.ids) == 0 {
		return reading.samples(nil), nil
	}
	if what.grouped {
		return s.readGrouped(ctx, reading)
	}
	if reading.withMeans && len(reading.ids) > many {
		if err := s.sampleInterval(ctx, reading); err != nil {
			return nil, err
		}
	}
	answer, err := s.ask(ctx, reading)
	if err != nil {
		return nil, err
	}
	if answer.aggregated {
		return nil, fmt.Errorf("expression %q: it combines several metrics, and Gnocchi makes one series of all machines of that; write (aggregate mean (metric ...)) around each", request.Metric.Expression)
	}
	for _, one := range answer.series {
		if one.several {
			return nil, fmt.Errorf("metric %s: %s yields several series per machine; name one metric with one aggregation", request.Metric.Name, request.Metric.Expression)
		}
	}
	s.findInterval(reading, answer)
	return reading.samples(answer), nil
}

// reading is a request on its way.
type reading struct {
	ceilometer.Request
	meter       *meter
	granularity time.Duration
	// interval is the polling interval, 0 while it is not known.
	interval time.Duration
	// withMeans asks for the cumulative means besides the rates, to find the interval.
	withMeans bool
	// ids are the servers' of all groups.
	ids      []string
	machines map[string]*ceilometer.Machine
}

func (s *Source) newReading(request ceilometer.Request, what *meter) *reading {
	r := &reading{Request: request, meter: what, granularity: request.Granularity, interval: request.PollingInterval, machines: map[string]*ceilometer.Machine{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.granularity <= 0 {
		r.granularity = defaultGranularity
		if found, ok := s.granularities[what.name]; ok {
			r.granularity = found
		}
	}
	if r.interval <= 0 {
		found := s.intervals[intervalKey{what.name, r.granularity}]
		r.interval = found.interval
		r.withMeans = what.rate && (!found.sure || request.Now.Sub(found.at) >= relearn)
	}
	for g := range request.Groups {
		machines := request.Groups[g].Machines
		for m := range machines {
			if id := machines[m].ServerID; id != "" && r.machines[id] == nil {
				r.machines[id] = &machines[m]
				r.ids = append(r.ids, id)
			}
		}
	}
	return r
}

// step is the longer one of granularity and polling interval: how far apart two points of a machine are.
func (r *reading) step() time.Duration {
	interval := r.interval
	if interval <= 0 {
		return r.granularity
	}
	// Polls that are rarer than periods leave periods empty.
	return (interval + r.granularity - 1).Truncate(r.granularity)
}

// start is from when on points are wanted: some before the window, so that a gap and a point that is late can be seen, and more
// to find the polling interval.
func (r *reading) start() time.Time {
	before := 4 * r.step()
	if r.withMeans {
		before = 20 * r.granularity
	}
	return r.Now.Add(-r.Window - before).Truncate(r.granularity)
}

// young says whether a machine cannot have points yet: two polls for a rate, one else, and the time until they are visible.
func (r *reading) young(m *ceilometer.Machine) bool {
	interval := r.interval
	if interval <= 0 {
		interval = defaultPolling
	}
	if r.meter.rate {
		interval *= 2
	}
	return !m.Created.IsZero() && r.Now.Sub(m.Created) < interval+2*r.granularity
}
