package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// trouble is a way in which a cloud's API can be broken.
type trouble struct {
	name string
	// cause breaks the API and returns what mends it.
	cause func(*simulator.Simulator) (mend func())
	// works: the autoscaler can do its work all the same, only later.
	works bool
}

func injected(faults ...simulator.Fault) func(*simulator.Simulator) func() {
	return func(sim *simulator.Simulator) func() {
		for _, fault := range faults {
			sim.Inject(fault)
		}
		return sim.ClearFaults
	}
}

func troubles() []trouble {
	return []trouble{
		{name: "no answer", cause: injected(simulator.Fault{Drop: true})},
		{name: "503", cause: injected(simulator.Fault{Status: http.StatusServiceUnavailable, Body: "<html>down for maintenance</html>"})},
		{name: "half an answer", cause: injected(
			simulator.Fault{Service: simulator.Heat, Method: http.MethodGet, Truncate: 60},
			simulator.Fault{Service: simulator.Nova, Method: http.MethodGet, Truncate: 60})},
		{name: "429", cause: injected(simulator.Fault{Status: http.StatusTooManyRequests, RetryAfter: 1})},
		{name: "401 for ever", cause: injected(
			simulator.Fault{Service: simulator.Heat, Status: http.StatusUnauthorized},
			simulator.Fault{Service: simulator.Nova, Status: http.StatusUnauthorized})},
		{name: "expired token", works: true, cause: func(sim *simulator.Simulator) func() {
			sim.ExpireTokens()
			return func() {}
		}},
		{name: "slow", works: true, cause: injected(simulator.Fault{Latency: 1500 * time.Millisecond})},
		{name: "hanging", cause: injected(simulator.Fault{Hang: true})},
	}
}

// TestTroubleWithTheAPI: whatever is wrong with the API, no size changes wrongly, and the autoscaler goes on when it is over.
// All in one scene, one after the other, as it would happen to one autoscaler that is never restarted.
func TestTroubleWithTheAPI(t *testing.T) {
	t.Parallel()
	s := newScene(t, "trouble")
	group := s.group(world.GroupSpec{Name: "workers", Max: len(troubles()) + 2})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	pid := s.Autoscaler.PID()
	s.deploy(world.Workload{Name: "base", Replicas: 1, CPU: "600m"})
	s.size(group, 1)
	s.runs("base", 1)
	for i, trouble := range troubles() {
		before := s.truth(group)
		calls := s.sim.CountCalls("", "")
		mend := trouble.cause(s.sim)
		app := fmt.Sprintf("during-%d", i)
		s.deploy(world.Workload{Name: app, Replicas: 1, CPU: "600m"})
		s.until("the autoscaler to notice: "+trouble.name, func(context.Context) error {
			if s.sim.CountCalls("", "") == calls {
				return errors.New("no call has been made")
			}
			return nil
		})
		if !trouble.works {
			s.throughout(4*time.Second, "nothing changes during: "+trouble.name, func(context.Context) error {
				if now := s.truth(group); !now.equal(before) {
					return fmt.Errorf("it was %+v and is %+v", before, now)
				}
				return nil
			})
		}
		mend()
		s.until("the pod to run after: "+trouble.name, func(ctx context.Context) error { return s.WaitForRunning(ctx, stepTimeout, app, 1) })
		s.size(group, i+2)
		require.Subset(t, s.truth(group).servers, before.servers, "%s: servers that ran are still there", trouble.name)
	}
	require.Equal(t, pid, s.Autoscaler.PID(), "without a restart")
	require.Empty(t, s.sim.Deaths(), "nothing was ever removed")
}

// truth is what the cloud itself knows of a group, whatever its API says.
type truth struct {
	count   string
	servers []string
}

func (t truth) equal(other truth) bool {
	return t.count == other.count && slices.Equal(t.servers, other.servers)
}

func (s *scene) truth(group *world.Group) truth {
	s.t.Helper()
	stack, ok := s.sim.Stack(group.ID)
	require.True(s.t, ok)
	servers := map[string]bool{}
	for _, server := range s.sim.Servers() {
		if server.Stack == group.ID {
			servers[server.ID] = true
		}
	}
	return truth{stack.Parameters["node_count"], slices.Sorted(maps.Keys(servers))}
}

// TestOneStackInTrouble: a stack that cannot be read or written does not stop the others.
func TestOneStackInTrouble(t *testing.T) {
	t.Parallel()
	s := newScene(t, "onestack")
	pool := func(name string) map[string]string { return map[string]string{"pool": name} }
	bad := s.group(world.GroupSpec{Name: "bad", Max: 3, Labels: pool("bad")})
	good := s.group(world.GroupSpec{Name: "good", Max: 3, Labels: pool("good")})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{Name: "first", Replicas: 1, CPU: "600m", NodeLabels: pool("bad")})
	s.size(bad, 1)
	s.runs("first", 1)

	mend := s.sim.Inject(simulator.Fault{Service: simulator.Heat, Path: "/stacks/" + bad.Name + "/", Status: http.StatusInternalServerError, Body: "<html>broken</html>"})
	before := s.truth(bad)
	s.deploy(world.Workload{Name: "second", Replicas: 1, CPU: "600m", NodeLabels: pool("bad")})
	s.deploy(world.Workload{Name: "other", Replicas: 1, CPU: "600m", NodeLabels: pool("good")})
	s.runs("other", 1)
	s.size(good, 1)
	require.Equal(t, before, s.truth(bad))
	mend()
	s.runs("second", 1)
	s.size(bad, 2)
	s.noWrongRemoval()
}
