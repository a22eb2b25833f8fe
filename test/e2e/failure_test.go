package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// The flavors of TestOtherGroupAfterFailure. A pod of its workload wastes less of "dense", mostly because of the processors;
// "dense" has more memory, so that a quota can forbid it and not the other.
var (
	dense = simulator.Flavor{Name: "dense", VCPUs: 1, RAMMiB: 16384, DiskGiB: 20}
	wide  = simulator.Flavor{Name: "wide", VCPUs: 8, RAMMiB: 8192, DiskGiB: 20}
)

const quotaForWideOnly = 12288

// TestOtherGroupAfterFailure: the group that the expander likes best cannot grow. The other one is used within two loops,
// the failed member is cleaned up, and the first group works again once the cloud has room, without a restart.
func TestOtherGroupAfterFailure(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		breakIt, mend func(*simulator.Simulator)
		code          string
	}{
		"quota": {
			breakIt: func(sim *simulator.Simulator) {
				sim.SetQuota("demo", simulator.Quota{Instances: 100, Cores: 100, RAMMiB: quotaForWideOnly, Ports: -1})
			},
			mend: func(sim *simulator.Simulator) { sim.SetQuota("demo", simulator.DefaultQuota()) },
			code: "QuotaExceeded",
		},
		"novalidhost": {
			breakIt: func(sim *simulator.Simulator) { sim.SetNoValidHost(dense.Name, true) },
			mend:    func(sim *simulator.Simulator) { sim.SetNoValidHost(dense.Name, false) },
			code:    "NoValidHost",
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, name)
			s.sim.AddFlavor(dense)
			s.sim.AddFlavor(wide)
			test.breakIt(s.sim)
			first := s.group(world.GroupSpec{Name: "first", Max: 3, Flavor: dense.Name})
			second := s.group(world.GroupSpec{Name: "second", Max: 3, Flavor: wide.Name})
			require.NoError(t, s.StartAutoscaler(t.Context(), "--expander=least-waste"))
			pid := s.Autoscaler.PID()

			s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m", Memory: "3Gi"})
			loops := s.loopsUntilOtherGroup(first, second)
			// The loop during which the failure happens may have read the cloud before it.
			require.LessOrEqual(t, loops, 3, "the other group should be used within two loops after the failure")
			s.runs("app", 1)
			s.size(second, 1)
			s.size(first, 0)
			require.Empty(t, s.brokenServers(), "failed servers should be cleaned up")
			failures, err := s.Autoscaler.Samples(t.Context(), "cluster_autoscaler_failed_scale_ups_total", nil, "reason")
			require.NoError(t, err)
			require.NotZero(t, failures[test.code], "failures by reason: %v", failures)

			test.mend(s.sim)
			// Asks for the first group only, which is backed off for a while.
			s.deploy(world.Workload{Name: "again", Replicas: 1, CPU: "600m", Memory: "10Gi"})
			s.runs("again", 1)
			s.size(first, 1)
			require.Equal(t, pid, s.Autoscaler.PID(), "without a restart")
			s.noWrongRemoval()
		})
	}
}

// loopsUntilOtherGroup counts the autoscaler's loops from the first group's failure to the second one's growth.
func (s *scene) loopsUntilOtherGroup(first, second *world.Group) int {
	s.t.Helper()
	// Counted while the update is on its way, not by who looks from time to time: more loops may have passed when it is seen.
	type count struct {
		loops int
		err   error
	}
	used := make(chan count, 1)
	s.sim.DuringNextPatch(second.ID, func() {
		loops, err := s.countLoops(s.t.Context())
		used <- count{loops, err}
	})
	s.until("the first group to fail", func(ctx context.Context) error {
		stack, err := first.Stack(ctx)
		if err != nil {
			return err
		}
		if stack.Status == "UPDATE_FAILED" || len(s.brokenServers()) > 0 {
			return nil
		}
		return fmt.Errorf("it is %s with node_count %d", stack.Status, stack.Count())
	})
	atFailure := s.loops()
	select {
	case atUse := <-used:
		require.NoError(s.t, atUse.err)
		return atUse.loops - atFailure
	case <-time.After(stepTimeout):
		require.Fail(s.t, "the second group is not used")
		return 0
	}
}

// loops is how many loops the autoscaler has finished.
func (s *scene) loops() int {
	s.t.Helper()
	loops, err := s.countLoops(s.t.Context())
	require.NoError(s.t, err)
	return loops
}

func (s *scene) countLoops(ctx context.Context) (int, error) {
	counts, err := s.Autoscaler.Samples(ctx, "cluster_autoscaler_function_duration_seconds_count", map[string]string{"function": "main"}, "function")
	return int(counts["main"]), err
}

// brokenServers names the servers that Nova could not build.
func (s *scene) brokenServers() []string {
	var names []string
	for _, server := range s.sim.Servers() {
		if server.Status == "ERROR" {
			names = append(names, server.Name)
		}
	}
	return names
}
