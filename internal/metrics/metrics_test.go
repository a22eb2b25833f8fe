package metrics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// scrape returns the lines of our metrics that start with prefix, without cluster_autoscaler_openstack_.
func scrape(t *testing.T, m prometheus.Collector, prefix string) []string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(m))
	families, err := registry.Gather()
	require.NoError(t, err)
	var lines []string
	for _, f := range families {
		name := strings.TrimPrefix(f.GetName(), "cluster_autoscaler_openstack_")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		for _, metric := range f.GetMetric() {
			var labels []string
			for _, l := range metric.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			lines = append(lines, fmt.Sprintf("%s{%s} %v", name, strings.Join(labels, ","), value))
		}
	}
	return lines
}

func snapshotOf(problems []nodegroups.Problem, groups ...*nodegroups.Group) func() *nodegroups.Snapshot {
	s := nodegroups.NewSnapshot(groups, problems)
	return func() *nodegroups.Snapshot { return s }
}

func groupOf(s *nodegroups.Stack) *nodegroups.Group {
	g := &nodegroups.Group{Name: s.Config.Name, Config: s.Config, MinSize: 1, MaxSize: 9, Target: s.Target,
		Stacks: []*nodegroups.Stack{s}, Blocked: s.Blocked}
	for i := range s.Members {
		g.Members = append(g.Members, &s.Members[i])
	}
	return g
}

func TestGroupsAreReadAtScrape(t *testing.T) {
	stack := fake.Stack("a", 4, func(s *nodegroups.Stack) {
		s.Members[1].State = nodegroups.Failed
		s.Members[2].State = nodegroups.Lost
	})
	blocked := fake.Stack("b", 1, fake.BlockedBy(nodegroups.ReasonUnsafeTemplate))
	m := metrics.New(snapshotOf(nil, groupOf(stack), groupOf(blocked)), nil)
	require.Equal(t, []string{
		"node_group_blocked{node_group=a,reason=} 0",
		"node_group_blocked{node_group=b,reason=UnsafeTemplate} 1",
		"node_group_max_size{node_group=a} 9",
		"node_group_max_size{node_group=b} 9",
		"node_group_members{node_group=a,state=creating} 0",
		"node_group_members{node_group=a,state=deleting} 0",
		"node_group_members{node_group=a,state=failed} 1",
		"node_group_members{node_group=a,state=lost} 1",
		"node_group_members{node_group=a,state=running} 2",
		"node_group_members{node_group=b,state=creating} 0",
		"node_group_members{node_group=b,state=deleting} 0",
		"node_group_members{node_group=b,state=failed} 0",
		"node_group_members{node_group=b,state=lost} 0",
		"node_group_members{node_group=b,state=running} 1",
		"node_group_min_size{node_group=a} 1",
		"node_group_min_size{node_group=b} 1",
		"node_group_stacks{node_group=a} 1",
		"node_group_stacks{node_group=b} 1",
		"node_group_target_size{node_group=a} 4",
		"node_group_target_size{node_group=b} 1",
	}, scrape(t, m, "node_group"))
}

func TestMendedProblemsAndVanishedGroupsDisappear(t *testing.T) {
	problem := nodegroups.Problem{Reason: nodegroups.ReasonMisspeltTag, Severity: nodegroups.Blocking, Group: "a", Stack: "x"}
	other := problem
	other.Stack = "y"
	now := nodegroups.NewSnapshot([]*nodegroups.Group{groupOf(fake.Stack("a", 1))}, []nodegroups.Problem{problem, other})
	m := metrics.New(func() *nodegroups.Snapshot { return now }, nil)
	m.Drifted("a", "memory", 0.9)
	require.Equal(t, []string{"problems{node_group=a,reason=MisspeltTag,severity=blocking} 2"}, scrape(t, m, "problems"))
	require.Equal(t, []string{"template_drift_ratio{node_group=a,resource=memory} 0.9"}, scrape(t, m, "template"))

	now = nodegroups.NewSnapshot(nil, nil)
	require.Empty(t, scrape(t, m, "problems"))
	require.Empty(t, scrape(t, m, "template"))
}

func TestCounters(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(1000, 0))
	m := metrics.New(nil, clock)
	require.Empty(t, scrape(t, m, "refresh_age"), "there is no age before the first reading")

	m.Observe("heat", "PATCH", 202, time.Second)
	m.Observe("heat", "PATCH", 202, time.Second)
	m.Observe("nova", "GET", 0, time.Second)
	m.Refreshed(time.Second, nil)
	clock.SetTime(time.Unix(1030, 0))
	m.Refreshed(time.Second, errors.New("the cloud is down"))
	m.Report(nodegroups.Problem{Reason: nodegroups.ReasonLostUpdate})
	m.Removed("a", 3, 0)
	m.Removed("a", 0, 1)
	m.Panicked("NodeGroup.Nodes")
	m.Decided("a", "grow", 5)
	m.CSRDecided("kubernetes.io/kubelet-serving", "denied", "ForeignNames")
	m.CSRDecided("kubernetes.io/kubelet-serving", "approved", "ServingMember")
	m.CSRApproved("kubernetes.io/kubelet-serving", time.Second)

	require.Equal(t, []string{
		"csr_approval_duration_seconds{signer=kubernetes.io/kubelet-serving} 1",
		"csr_decisions_total{decision=approved,reason=ServingMember,signer=kubernetes.io/kubelet-serving} 1",
		"csr_decisions_total{decision=denied,reason=ForeignNames,signer=kubernetes.io/kubelet-serving} 1",
	}, scrape(t, m, "csr"))
	require.Equal(t, []string{
		"api_request_duration_seconds{method=GET,service=nova} 1",
		"api_request_duration_seconds{method=PATCH,service=heat} 2",
		"api_requests_total{code=0,method=GET,service=nova} 1",
		"api_requests_total{code=202,method=PATCH,service=heat} 2",
	}, scrape(t, m, "api"))
	require.Equal(t, []string{
		"refresh_age_seconds{} 30",
		"refresh_duration_seconds{} 2",
		"refreshes_total{result=error} 1",
		"refreshes_total{result=ok} 1",
	}, scrape(t, m, "refresh"))
	require.Equal(t, []string{"removals_verified_total{stack=a} 3", "removals_wrong_total{stack=a} 1"}, scrape(t, m, "removals"))
	require.Equal(t, []string{"panics_total{entry=NodeGroup.Nodes} 1"}, scrape(t, m, "panics"))
	require.Equal(t, []string{"dry_run_decisions_total{action=grow,node_group=a} 5"}, scrape(t, m, "dry_run"))
	require.Equal(t, []string{"problem_reports_total{reason=LostUpdate} 1"}, scrape(t, m, "problem_reports"))
}

func TestNodeLife(t *testing.T) {
	m := metrics.New(nil, nil)
	m.Replaced("a", "Error")
	m.NodeDeleted("a")
	m.HeldBack(map[nodelife.Held]int{{Group: "a", Reason: "StackBusy"}: 2})
	require.Equal(t, []string{"repairs_held_back{node_group=a,reason=StackBusy} 2", "repairs_total{node_group=a,reason=Error} 1"}, scrape(t, m, "repairs"))
	require.Equal(t, []string{"nodes_deleted_total{node_group=a} 1"}, scrape(t, m, "nodes"))
	m.HeldBack(nil)
	require.Equal(t, []string{"repairs_total{node_group=a,reason=Error} 1"}, scrape(t, m, "repairs"), "nothing is held back any more")
}

func TestMetricsAreWellFormed(t *testing.T) {
	m := metrics.New(snapshotOf(nil, groupOf(fake.Stack("a", 1))), nil)
	m.Observe("heat", "GET", 200, time.Second)
	m.Refreshed(time.Second, nil)
	found, err := testutil.CollectAndLint(m)
	require.NoError(t, err)
	require.Empty(t, found)
}
