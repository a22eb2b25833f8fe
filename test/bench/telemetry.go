package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	clock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// benchTelemetry counts the calls with which the floors of 50 groups with one CPU signal are made, where they arrive: in the
// cloud. The polling interval is not told, and the first reading, which finds it, counts like the others.
func benchTelemetry(ctx context.Context, print func(string, float64, string)) error {
	const groups, each, refreshes = 50, 4, 20
	sim := simulator.New(simulator.Options{TokenLife: 24 * 365 * time.Hour})
	defer sim.Close()
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	sim.StartCeilometer(simulator.Ceilometer{PollingInterval: 20 * time.Second, Granularity: time.Minute})
	granularity := time.Minute
	flavor := &nodegroups.Flavor{Name: "m1.small", VCPUs: 1, RAMMiB: 2048}
	var all []*nodegroups.Group
	for g := range groups {
		one := &nodegroups.Group{
			Name: fmt.Sprintf("group-%02d", g), MaxSize: 100, Target: each, Flavor: flavor, Stacks: []*nodegroups.Stack{{Flavor: flavor}},
			Config: nodegroups.Config{Load: nodegroups.Load{Metrics: []string{ceilometer.MetricCPU}, Granularity: &granularity}},
		}
		for m := range each {
			id := sim.AddServer("demo", simulator.ServerSpec{Name: fmt.Sprintf("%s-%d", one.Name, m), Flavor: flavor.Name})
			one.Members = append(one.Members, &nodegroups.Member{
				ServerID: id, State: nodegroups.Running, Status: nodegroups.ServerActive, Flavor: flavor.Name, Created: sim.Now(),
			})
			sim.SetLoad(id, float64(g))
		}
		all = append(all, one)
	}
	sim.FastForward(time.Hour)
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	conf := filepath.Join(dir, "cloud.conf")
	if err := os.WriteFile(conf, []byte(sim.CloudConf("demo", "demo")), 0o600); err != nil {
		return err
	}
	session, err := openstack.NewSession(ctx, openstack.Options{CloudConfig: conf, Rate: -1})
	if err != nil {
		return err
	}
	now := clock.NewFakeClock(sim.Now())
	floors := ceilometer.NewFloors(ceilometer.Options{
		Sources: map[string]ceilometer.Source{ceilometer.SourceGnocchi: gnocchi.New(session)}, Clock: now,
	})
	sim.ResetCalls()
	for range refreshes {
		now.SetTime(sim.Now())
		floors.Update(ctx, all)
		for g, one := range all {
			state, _ := floors.State(one.Name)
			if len(state.Signals) != 1 || !state.Signals[0].Opinion {
				return fmt.Errorf("%s: %s", one.Name, state.Reason)
			}
			if s := state.Signals[0]; s.Machines != each || s.Value < float64(g)-1 || s.Value > float64(g)+1 {
				return fmt.Errorf("%s: %.1f %% of %d machines, not %d %% of %d", one.Name, s.Value, s.Machines, g, each)
			}
		}
		sim.FastForward(time.Minute)
	}
	print("telemetry_calls_g50", float64(sim.CountCalls("", ""))/refreshes, "calls")
	return nil
}
