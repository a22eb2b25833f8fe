package world

import (
	"context"
	"sync"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// Load is a telemetry service that says what it was told to.
type Load struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	percent map[string]float64
	err     error
}

// Set makes a node group's machines bear so many percent each.
func (l *Load) Set(group string, percent float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.percent[group] = percent
}

// Fail makes every reading fail.
func (l *Load) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// Read implements ceilometer.Source.
func (l *Load) Read(_ context.Context, r ceilometer.Request) (map[string]ceilometer.Sample, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]ceilometer.Sample{}
	for _, g := range r.Groups {
		if percent, ok := l.percent[g.Group]; ok {
			out[g.Group] = ceilometer.Sample{Load: percent, Machines: len(g.Machines), At: l.clock.Now()}
		}
	}
	return out, l.err
}
