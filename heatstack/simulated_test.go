package heatstack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// scene is a simulated cloud that a Cloud reads over HTTP. The Cloud is in dry run: others change the stacks.
type scene struct {
	*testing.T
	sim   *simulator.Simulator
	clock *clocktesting.FakeClock
	cloud *heatstack.Cloud
	stack string
}

// templates are the kinds of node groups that the reading half has to understand.
var templates = map[string]struct {
	file   string
	change *strings.Replacer
}{
	"servers":                  {"flat.yaml", strings.NewReplacer()},
	"stacks":                   {"nested.yaml", strings.NewReplacer()},
	"servers without metadata": {"flat.yaml", strings.NewReplacer("metering.stack:", "other:", "node_index:", "another:")},
	"stacks without metadata":  {"nested.yaml", strings.NewReplacer("metering.stack:", "other:", "node_index:", "another:")},
}

func newScene(t *testing.T, kind string, size int) *scene {
	t.Helper()
	s := &scene{T: t, clock: clocktesting.NewFakeClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))}
	s.sim = simulator.New(simulator.Options{Clock: s.clock, PatchTime: -1})
	require.NoError(t, s.sim.Start("127.0.0.1:0"))
	t.Cleanup(s.sim.Close)

	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join("../test/openstack/testdata", file))
		require.NoError(t, err)
		return templates[kind].change.Replace(string(text))
	}
	id, err := s.sim.CreateStack("demo", simulator.StackSpec{
		Name: "workers", Template: read(templates[kind].file), Files: map[string]string{"member.yaml": read("member.yaml")},
		Parameters: map[string]any{"node_count": size}, Tags: []string{"autoscaled", "node-group-max-size=9"},
	})
	require.NoError(t, err)
	s.stack = id
	s.settle()

	clouds := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(clouds, []byte(s.sim.CloudsYAML("demo", "demo")), 0o600))
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	session, err := openstack.NewSession(t.Context(), openstack.Options{Cloud: "simulator", Rate: -1})
	require.NoError(t, err)
	s.cloud = heatstack.New(heatstack.NewHeat(session), heatstack.NewNova(session), heatstack.Options{
		Discovery: []heatstack.Discovery{{Tags: []string{"autoscaled"}}}, Clock: s.clock, DryRun: true,
	})
	t.Cleanup(s.cloud.Close)
	s.refresh()
	return s
}

// settle lets the cloud work until nothing is under way.
func (s *scene) settle() {
	s.Helper()
	for range 1000 {
		wait, ok := s.sim.NextEvent()
		if !ok {
			return
		}
		s.clock.Step(max(wait, time.Millisecond))
	}
	require.Fail(s, "the cloud does not come to rest")
}

// refresh lets ten seconds pass and refreshes.
func (s *scene) refresh() {
	s.Helper()
	s.clock.Step(10 * time.Second)
	require.NoError(s, s.cloud.Refresh(s.Context()))
}

func (s *scene) patch(parameters map[string]any) {
	s.Helper()
	require.NoError(s, s.sim.PatchStack(s.stack, parameters))
}

// shown is the stack as it is shown, and its members in short.
func (s *scene) shown() (*nodegroups.Stack, []string) {
	s.Helper()
	list, _ := s.cloud.List()
	require.Len(s, list, 1)
	var members []string
	for _, m := range list[0].Members {
		text := m.Index + " " + m.State.String()
		if m.Failure != nil {
			text += " " + m.Failure.Code
		}
		members = append(members, strings.TrimSpace(text))
	}
	return list[0], members
}

func (s *scene) members() []string {
	s.Helper()
	_, members := s.shown()
	return members
}

func forEveryKind(t *testing.T, size int, test func(s *scene)) {
	for kind := range templates {
		t.Run(kind, func(t *testing.T) { test(newScene(t, kind, size)) })
	}
}

func TestSimulatedLife(t *testing.T) {
	forEveryKind(t, 2, func(s *scene) {
		st, members := s.shown()
		assert.Nil(s, st.Blocked)
		assert.Equal(s, 2, st.Target)
		assert.Equal(s, "m1.small", st.Flavor.Name)
		assert.Equal(s, []string{"0 running", "1 running"}, members)
		servers, ok := s.sim.Stack(s.stack)
		require.True(s, ok)
		for i, m := range servers.Members {
			assert.Equal(s, m.ServerID, st.Members[i].ServerID)
		}
		s.sim.ResetCalls()
		s.refresh()
		assert.Equal(s, 2, s.sim.CountCalls("", ""), "%v", s.sim.Calls())

		s.patch(map[string]any{"node_count": 4})
		require.NoError(s, s.cloud.Refresh(s.Context()))
		st, _ = s.shown()
		assert.True(s, st.Busy)
		assert.Equal(s, 4, st.Target)
		assert.Len(s, st.Members, 4)
		s.settle()
		s.refresh()
		assert.Equal(s, []string{"0 running", "1 running", "2 running", "3 running"}, s.members())

		s.patch(map[string]any{"node_count": 2, "nodes_to_remove": []any{"1", "2"}})
		require.NoError(s, s.cloud.Refresh(s.Context()))
		st, members = s.shown()
		assert.Equal(s, 2, st.Target)
		assert.Equal(s, []string{"0 running", "1 deleting", "2 deleting", "3 running"}, members)
		s.settle()
		s.refresh()
		assert.Equal(s, []string{"0 running", "3 running"}, s.members())
		s.sim.ResetCalls()
		s.refresh()
		assert.Equal(s, 2, s.sim.CountCalls("", ""), "%v", s.sim.Calls())
	})
}

func TestSimulatedQuota(t *testing.T) {
	forEveryKind(t, 1, func(s *scene) {
		quota := simulator.DefaultQuota()
		quota.Instances = 2
		s.sim.SetQuota("demo", quota)
		s.patch(map[string]any{"node_count": 4})
		s.settle()
		s.refresh()
		st, members := s.shown()
		assert.True(s, st.Failed)
		assert.Equal(s, 4, st.Target)
		require.Len(s, members, 4)
		failed := 0
		for i, m := range st.Members {
			if m.State != nodegroups.Failed {
				continue
			}
			failed++
			assert.Equal(s, nodegroups.CodeQuotaExceeded, m.Failure.Code, "%v", members[i])
			assert.Equal(s, nodegroups.OutOfResources, m.Failure.Class)
			assert.Contains(s, m.Failure.Message, "Quota exceeded for instances")
		}
		assert.GreaterOrEqual(s, failed, 2)
	})
}

func TestSimulatedNoValidHost(t *testing.T) {
	forEveryKind(t, 0, func(s *scene) {
		s.sim.SetNoValidHost("m1.small", true)
		s.patch(map[string]any{"node_count": 1})
		said := 0
		for i := 1; said == 0; i++ {
			require.LessOrEqual(s, i, 2, "%v", s.members())
			s.refresh()
			if strings.Contains(fmt.Sprint(s.members()), "failed NoValidHost") {
				said = i
			}
		}
		st, members := s.shown()
		require.Len(s, members, 1)
		assert.True(s, st.Busy, "Heat is still trying")
		s.settle()
		s.refresh()
		st, members = s.shown()
		assert.True(s, st.Failed)
		assert.Equal(s, []string{"0 failed NoValidHost"}, members)
		assert.Contains(s, st.Members[0].Failure.Message, "No valid host")
	})
}

func TestSimulatedLoss(t *testing.T) {
	forEveryKind(t, 3, func(s *scene) {
		st, _ := s.shown()
		s.sim.DeleteServer(st.Members[1].ServerID)
		s.settle()
		s.refresh()
		assert.Equal(s, []string{"0 running", "1 lost", "2 running"}, s.members())
	})
}

func TestSimulatedOutage(t *testing.T) {
	s := newScene(t, "servers", 2)
	cancel := s.sim.Inject(simulator.Fault{Service: simulator.Nova, Status: 500})
	s.clock.Step(10 * time.Second)
	require.Error(t, s.cloud.Refresh(t.Context()))
	assert.Equal(t, []string{"0 running", "1 running"}, s.members())
	cancel()
	s.refresh()
	assert.Equal(t, []string{"0 running", "1 running"}, s.members())
}
