package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// benchTelemetry counts the calls with which the CPU load of 50 groups is read, where they arrive: in the cloud. The polling
// interval is not told, and the first reading, which finds it, counts like the others.
func benchTelemetry(ctx context.Context, print func(string, float64, string)) error {
	const groups, each, refreshes = 50, 4, 20
	sim := simulator.New(simulator.Options{TokenLife: 24 * 365 * time.Hour})
	defer sim.Close()
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	sim.StartCeilometer(simulator.Ceilometer{PollingInterval: 20 * time.Second, Granularity: time.Minute})
	var subjects []ceilometer.Subject
	for g := range groups {
		one := ceilometer.Subject{Group: fmt.Sprintf("group-%02d", g)}
		for m := range each {
			id := sim.AddServer("demo", simulator.ServerSpec{Name: fmt.Sprintf("%s-%d", one.Group, m), Flavor: "m1.small"})
			one.Machines = append(one.Machines, ceilometer.Machine{ServerID: id, Created: sim.Now(), VCPUs: 1, RAMMiB: 2048})
			sim.SetLoad(id, float64(g))
		}
		subjects = append(subjects, one)
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
	source := gnocchi.New(session)
	sim.ResetCalls()
	for range refreshes {
		samples, err := source.Read(ctx, ceilometer.Request{
			Metric: ceilometer.Metric{Name: "cpu", Source: ceilometer.SourceGnocchi}, Now: sim.Now(), Window: 5 * time.Minute,
			Granularity: time.Minute, Groups: subjects,
		})
		if err != nil {
			return err
		}
		for g, one := range subjects {
			s := samples[one.Group]
			if s.Err != nil {
				return fmt.Errorf("%s: %w", one.Group, s.Err)
			}
			if s.Machines != each || s.Load < float64(g)-1 || s.Load > float64(g)+1 {
				return fmt.Errorf("%s: %.1f %% of %d machines, not %d %% of %d", one.Group, s.Load, s.Machines, g, each)
			}
		}
		sim.FastForward(time.Minute)
	}
	print("telemetry_calls_g50", float64(sim.CountCalls("", ""))/refreshes, "calls")
	return nil
}
