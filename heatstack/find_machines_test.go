package heatstack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// member is the shown member with this index.
func (s *scene) member(index string) nodegroups.Member {
	s.Helper()
	st, _ := s.shown()
	for _, m := range st.Members {
		if m.Index == index {
			return m
		}
	}
	require.Fail(s, "no member "+index)
	return nodegroups.Member{}
}

func (s *scene) find(hostName string) []nodegroups.Machine {
	s.Helper()
	found, err := s.cloud.FindMachines(s.Context(), hostName)
	require.NoError(s, err)
	return found
}

func TestFindMachines(t *testing.T) {
	forEveryKind(t, 12, func(s *scene) {
		m := s.member("1") // its name is the beginning of others'
		s.sim.ResetCalls()
		found := s.find(heatstack.HostName(m.Name))
		require.Len(s, found, 1)
		machine := found[0]
		assert.Equal(s, m.ServerID, machine.ServerID)
		assert.Equal(s, []string{"workers", "workers", "1"}, []string{machine.Group, machine.Stack, machine.Index})
		assert.True(s, machine.Active && !machine.Building && !machine.Leaving, machine.Status)
		assert.False(s, machine.Launched.IsZero())
		assert.False(s, machine.Launched.Before(machine.Created))
		assert.Len(s, machine.Addresses, 1)
		assert.Equal(s, 1, s.sim.CountCalls(simulator.Nova, http.MethodGet))
		assert.LessOrEqual(s, s.sim.CountCalls(simulator.Heat, http.MethodGet), 2, "whatever the size of the stack")
		assert.Empty(s, s.find("nobody-1"))
	})
}

func TestFindMachinesOfAGrowingGroup(t *testing.T) {
	s := newScene(t, "servers", 1)
	s.patch(map[string]any{"node_count": 2})
	for range 100 { // until Heat has ordered the server, and Nova has not made it
		wait, ok := s.sim.NextEvent()
		require.True(t, ok)
		s.clock.Step(max(wait, time.Millisecond))
		if found := s.find("workers-1"); len(found) == 1 && found[0].Group != "" {
			assert.True(t, found[0].Building, "a member before the next refresh, which its metadata tell where to look for")
			assert.True(t, found[0].Launched.IsZero())
			return
		}
	}
	require.Fail(t, "it never appears")
}

func TestFindMachinesOfARemovedMember(t *testing.T) {
	s := newScene(t, "servers", 2)
	s.patch(map[string]any{"node_count": 1, "nodes_to_remove": []string{"0"}})
	name := heatstack.HostName(s.member("0").Name)
	leaving := false
	for {
		wait, ok := s.sim.NextEvent()
		if !ok {
			break
		}
		s.clock.Step(max(wait, time.Millisecond))
		for _, m := range s.find(name) {
			leaving = leaving || m.Leaving
		}
	}
	require.True(t, leaving, "seen while it goes")
	require.Empty(t, s.find(name))
}

func TestFindMachinesMadeByHand(t *testing.T) {
	s := newScene(t, "servers", 2)
	victim := s.member("0")
	for name, metadata := range map[string]map[string]string{
		"By_Hand.1": {"metering.stack": s.stack, "node_index": "0"},     // lies about another member's place
		"by-hand-2": {"metering.stack": s.stack, "node_index": "7"},     // a place that is not there
		"by-hand-3": {"metering.stack": s.stack, "node_index": "nodes"}, // the group itself
		"by-hand-4": {"metering.stack": "elsewhere", "node_index": "0"}, // a stack that is no node group
		"by-hand-5": nil,
	} {
		s.sim.AddServer("demo", simulator.ServerSpec{Name: name, Flavor: "m1.small", Metadata: metadata})
	}
	s.settle()
	for _, refreshed := range []bool{false, true} {
		if refreshed {
			s.refresh()
		}
		for _, host := range []string{"by-hand-1", "by-hand-2", "by-hand-3", "by-hand-4", "by-hand-5"} {
			found := s.find(host)
			require.Len(t, found, 1, host)
			assert.Empty(t, found[0].Group+found[0].Stack+found[0].Index, "Heat does not confirm what metadata say: %s", host)
		}
	}
	require.Equal(t, "workers", s.find(heatstack.HostName(victim.Name))[0].Group)
}

func TestFindMachinesFailsWhenItCannotKnow(t *testing.T) {
	s := newScene(t, "servers", 1)
	name := heatstack.HostName(s.member("0").Name)
	for _, service := range []simulator.Service{simulator.Nova, simulator.Heat} {
		cancel := s.sim.Inject(simulator.Fault{Service: service, Status: http.StatusServiceUnavailable})
		_, err := s.cloud.FindMachines(t.Context(), name)
		require.Error(t, err, service)
		cancel()
	}
	require.Len(t, s.find(name), 1)
	fresh := heatstack.New(nil, nil, heatstack.Options{Discovery: []heatstack.Discovery{{Tags: []string{"x"}}}})
	defer fresh.Close()
	_, err := fresh.FindMachines(t.Context(), name)
	require.Error(t, err)
}

func TestHostName(t *testing.T) {
	for name, host := range map[string]string{
		"workers-0":                    "workers-0",
		"Prod_Workers.a-0":             "prod-workers-a-0",
		"a b__c":                       "a-b--c",
		"x:y/z":                        "xyz",
		"..-a-..":                      "a",
		"":                             "",
		"日本":                           "",
		strings.Repeat("n", 70) + "-1": strings.Repeat("n", 63),
	} {
		require.Equal(t, host, heatstack.HostName(name), name)
	}
}
