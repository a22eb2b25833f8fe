package simulator

import (
	"slices"
	"strings"
	"time"
)

// metricStore is what Gnocchi knows.
type metricStore struct {
	policies  map[string]*archivePolicy
	types     map[string][]string // attributes by the name of the resource type
	resources map[string]*metricResource
	// delay is how long after it arrived a measure is visible.
	delay time.Duration
}

type archivePolicy struct {
	name          string
	methods       []string
	granularities []time.Duration
	keep          time.Duration
}

type metricResource struct {
	id, original, kind  string
	project, user       string
	creator             string
	attributes          map[string]any
	metrics             map[string]*meter
	started, ended, rev time.Time
}

// meter is a metric of a resource with its raw measures in the order of their times.
type meter struct {
	id, name, unit string
	policy         *archivePolicy
	measures       []measure
}

type measure struct {
	at      time.Time
	value   float64
	visible time.Time
}

// Ceilometer's own policies, as its gnocchi_resources.yaml has them.
const (
	lowPolicy     = "ceilometer-low"
	lowRatePolicy = "ceilometer-low-rate"
)

func newMetricStore() *metricStore {
	store := &metricStore{policies: map[string]*archivePolicy{}, resources: map[string]*metricResource{}, types: map[string][]string{
		"generic":                    {},
		"instance":                   {"display_name", "host", "flavor_id", "flavor_name", "image_ref", "server_group", "launched_at", "created_at", "deleted_at"},
		"instance_disk":              {"name", "instance_id"},
		"instance_network_interface": {"name", "instance_id"},
	}}
	store.lowPolicies(5 * time.Minute)
	return store
}

// lowPolicies gives Ceilometer's two standard policies another granularity.
func (store *metricStore) lowPolicies(granularity time.Duration) {
	for name, methods := range map[string][]string{lowPolicy: {"mean"}, lowRatePolicy: {"mean", "rate:mean"}} {
		p := store.policies[name]
		if p == nil {
			p = &archivePolicy{name: name, keep: 30 * 24 * time.Hour}
			store.policies[name] = p
		}
		p.methods, p.granularities = methods, []time.Duration{granularity}
	}
}

// find looks a resource up by its id, or by the one that it was made with.
func (store *metricStore) find(id string) *metricResource {
	if r := store.resources[id]; r != nil {
		return r
	}
	for _, r := range store.resources {
		if r.original == id {
			return r
		}
	}
	return nil
}

// add keeps a measure. Gnocchi replaces one of the same time.
func (m *meter) add(at time.Time, value float64, visible time.Time) {
	i, found := slices.BinarySearchFunc(m.measures, at, func(one measure, at time.Time) int { return one.at.Compare(at) })
	if found {
		m.measures[i] = measure{at, value, visible}
		return
	}
	m.measures = slices.Insert(m.measures, i, measure{at, value, visible})
	if old := m.measures[len(m.measures)-1].at.Add(-m.policy.keep); m.policy.keep > 0 && m.measures[0].at.Before(old) {
		first, _ := slices.BinarySearchFunc(m.measures, old, func(one measure, at time.Time) int { return one.at.Compare(at) })
		m.measures = m.measures[first:]
	}
}

// series is the metric's aggregate per period of this granularity: of the measures themselves, or, for rate:…, of the
// differences between each measure and the one before it, whatever the time between them.
func (m *meter) series(method string, granularity time.Duration, start, now time.Time) map[time.Time]float64 {
	method, rate := strings.CutPrefix(method, "rate:")
	values := map[time.Time][]float64{}
	var last *measure
	first, _ := slices.BinarySearchFunc(m.measures, start.Truncate(granularity), func(one measure, at time.Time) int { return one.at.Compare(at) })
	for i := max(first-1, 0); i < len(m.measures); i++ {
		one := &m.measures[i]
		if one.visible.After(now) {
			continue
		}
		period := one.at.Truncate(granularity)
		switch {
		case !rate:
			values[period] = append(values[period], one.value)
		case last != nil:
			values[period] = append(values[period], one.value-last.value)
		}
		last = one
	}
	out := make(map[time.Time]float64, len(values))
	for period, list := range values {
		out[period] = reduce(method, list)
	}
	return out
}
