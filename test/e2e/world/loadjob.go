package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// LoadJob plays, on any cloud, what load does to a node group: it rises and nodes come although no pod waits, it falls and nodes
// leave, and a node that no pod needs stays while the load wants it.
type LoadJob struct {
	World *World
	// Timeout bounds each step.
	Timeout time.Duration
	// Say is told what is about to happen, in a sentence.
	Say func(format string, arguments ...any)
	// Interval is how often the servers are polled.
	Interval time.Duration
	// Annotations are added to the node group's.
	Annotations map[string]string

	group     *Group
	telemetry *Telemetry
}

// The load that is aimed at, and how many nodes the applications need.
const (
	loadTarget = 60
	loadApps   = 3
)

// Run plays everything. The autoscaler runs already. It returns the node group, which has no members then.
func (j *LoadJob) Run(ctx context.Context) (*Group, error) {
	for _, step := range []func(context.Context) error{j.Begin, j.Rise, j.Fall, j.Keep, j.End} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return j.group, nil
}

// Begin makes the node group, applications that need three nodes, and a load that three nodes can bear.
func (j *LoadJob) Begin(ctx context.Context) (err error) {
	w := j.World
	annotations := LoadAnnotations(loadTarget, j.Interval)
	maps.Copy(annotations, map[string]string{
		// A point that was measured while the load rose may want one node less; from there it is only a few percent to what is wanted.
		"load-tolerance": "0.02",
		// A cloud on a busy machine is late.
		"load-max-age": (12 * j.Interval).String(), "load-hold": Held,
	})
	maps.Copy(annotations, j.Annotations)
	j.Say("creating the Heat stack of node group %q, whose processors should be busy for %d %% of the time", w.stackName("busy"), loadTarget)
	if j.group, err = w.CreateGroup(ctx, GroupSpec{Name: "busy", Max: 8, Annotations: annotations, Labels: busyLabels}); err != nil {
		return err
	}
	for i := range loadApps {
		if err := w.Deploy(ctx, Workload{Name: busyApp(i), Replicas: 1, CPU: "600m", NodeLabels: busyLabels}); err != nil {
			return err
		}
	}
	if _, err := j.group.WaitForSize(ctx, j.Timeout, loadApps); err != nil {
		return err
	}
	for i := range loadApps {
		if err := w.WaitForRunning(ctx, j.Timeout, busyApp(i), 1); err != nil {
			return err
		}
	}
	if j.telemetry, err = w.StartTelemetry(ctx, TelemetryOptions{Interval: j.Interval}); err != nil {
		return err
	}
	j.Say("%d applications run on %d nodes; Ceilometer measures 50 %%, %d nodes are enough", loadApps, loadApps, loadApps)
	j.telemetry.Work(j.group, 50*loadApps)
	return j.WaitForFloor(ctx, 3)
}

// Held is a time to hold a floor that outlasts any test: on a busy machine measures may be late, and the floor falls because of the load alone.
const Held = "1h"

// LoadAnnotations let the floor of a node group follow its processors' load, which is polled at each interval, with everything in
// seconds that takes minutes in production.
func LoadAnnotations(target int, interval time.Duration) map[string]string {
	times := func(n int) string { return (time.Duration(n) * interval).String() }
	return map[string]string{
		"load-metric": "cpu", "load-target": fmt.Sprint(target), "load-granularity": times(1), "load-polling-interval": times(1),
		"load-scale-down-window": times(3), "load-max-age": times(8), "load-hold": times(8),
	}
}

var busyLabels = map[string]string{"pool": "busy"}

func busyApp(i int) string { return fmt.Sprintf("busy-%d", i) }

// Rise raises the load: 85 percent on three nodes are as much as 60 percent on five.
func (j *LoadJob) Rise(ctx context.Context) error {
	j.Say("the load of the nodes rises to 85 %%: no pod is pending, and 5 nodes are wanted")
	j.telemetry.Work(j.group, 85*loadApps)
	var pending error
	if err := j.World.Until(ctx, j.Timeout, "the stack to grow", func(ctx context.Context) error {
		stack, err := j.group.Stack(ctx)
		if err != nil || stack.Count() >= 5 {
			return err
		}
		pending = errors.Join(pending, j.allRun(ctx))
		return fmt.Errorf("node_count is %d", stack.Count())
	}); err != nil {
		return err
	}
	if pending != nil {
		return fmt.Errorf("it may not have been for the load: %w", pending)
	}
	if _, err := j.group.WaitForSize(ctx, j.Timeout, 5); err != nil {
		return err
	}
	j.Say("5 nodes are there, and the same work makes each busy for 51 %% of the time")
	return j.WaitForFloor(ctx, 5)
}

// Fall lowers the load: what the applications need is what is left.
func (j *LoadJob) Fall(ctx context.Context) error {
	j.Say("the load falls to 20 %%: after a while the floor falls too, and nodes without pods leave")
	j.telemetry.Work(j.group, 20*5)
	if err := j.WaitForFloor(ctx, 2); err != nil {
		return err
	}
	if _, err := j.group.WaitForSize(ctx, j.Timeout, loadApps); err != nil {
		return err
	}
	j.Say("%d nodes are left: the applications need them", loadApps)
	return j.allRun(ctx)
}

// idleFor is how long a node without pods is watched that should stay: several times as long as one needs to be removed.
const idleFor = 15 * time.Second

// Keep takes an application away while the load wants all nodes, and then the load.
func (j *LoadJob) Keep(ctx context.Context) error {
	j.Say("the load rises to 60 %%, and an application is deleted: its node stays while the load wants it")
	j.telemetry.Work(j.group, loadTarget*loadApps)
	if err := j.WaitForFloor(ctx, loadApps); err != nil {
		return err
	}
	before, err := j.group.WaitForSize(ctx, j.Timeout, loadApps)
	if err != nil {
		return err
	}
	if err := j.World.Undeploy(ctx, busyApp(0)); err != nil {
		return err
	}
	if err := j.World.Throughout(ctx, idleFor, "the node that no pod needs stays", func(ctx context.Context) error {
		servers, err := j.group.Servers(ctx)
		if err == nil && len(servers) != len(before) {
			err = fmt.Errorf("%d servers are left of %d", len(servers), len(before))
		}
		return err
	}); err != nil {
		return err
	}
	j.Say("the load falls, and the node leaves")
	j.telemetry.Work(j.group, 20*loadApps)
	_, err = j.group.WaitForSize(ctx, j.Timeout, loadApps-1)
	return err
}

// End takes everything away.
func (j *LoadJob) End(ctx context.Context) error {
	j.telemetry.Work(j.group, 0)
	for i := range loadApps {
		if err := j.World.Undeploy(ctx, busyApp(i)); err != nil {
			return err
		}
	}
	_, err := j.group.WaitForSize(ctx, j.Timeout, 0)
	if err == nil {
		j.Say("no load and no application: scaled down to 0")
	}
	return err
}

// WaitForFloor waits until the autoscaler reports a floor.
func (j *LoadJob) WaitForFloor(ctx context.Context, floor int) error {
	return j.World.Until(ctx, j.Timeout, fmt.Sprintf("a floor of %d for %s", floor, j.group.Name), func(ctx context.Context) error {
		is, err := j.World.Autoscaler.Samples(ctx, "cluster_autoscaler_openstack_node_group_floor", map[string]string{"node_group": j.group.Name}, "node_group")
		if err == nil && is[j.group.Name] != float64(floor) {
			err = fmt.Errorf("it is %v", is[j.group.Name])
		}
		return err
	})
}

// allRun says which pods wait for a node.
func (j *LoadJob) allRun(ctx context.Context) error {
	for i := range loadApps {
		pods, err := j.World.Pods(ctx, busyApp(i))
		if err != nil {
			return err
		}
		for _, pod := range pods {
			if pod.Spec.NodeName == "" {
				return fmt.Errorf("pod %s has no node", pod.Name)
			}
		}
	}
	return nil
}
