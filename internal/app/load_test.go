package app

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// startWithTags starts the program on a stack that has more tags.
func startWithTags(t *testing.T, tags []string, args ...string) *running {
	t.Helper()
	return startOn(t, simulator.StackSpec{
		Name: "workers", Template: simulator.GroupTemplate, Tags: append([]string{"autoscaled", "node-group-max-size=5", "node-group-min-size=0"}, tags...),
	}, args...)
}

func TestAScheduleMakesTheStackGrowAndIsExplained(t *testing.T) {
	t.Parallel()
	r := startWithTags(t, []string{"schedule=00:00-24:00=3"})
	r.eventually(t, "the stack grows beyond what the pending pod needs", func() bool { return r.size(t) == "3" })
	r.eventually(t, "metrics", func() bool {
		body, _ := r.get(t, "/metrics")
		return strings.Contains(body, `cluster_autoscaler_openstack_node_group_floor{node_group="workers"} 3`) &&
			strings.Contains(body, `cluster_autoscaler_openstack_schedule_size{node_group="workers"} 3`)
	})
	r.eventually(t, "an Event", func() bool {
		for _, e := range r.kube.under("api/v1/namespaces/kube-system/events") {
			if e["reason"] == "FloorRaised" && e["type"] == "Normal" {
				require.Contains(t, e["message"], `node group "workers": floor 3: schedule "00:00-24:00=3" wants 3 (the floor was 0)`)
				return true
			}
		}
		return false
	})
	require.NoError(t, r.terminate(t))
	require.Contains(t, r.log.String(), `reason="FloorRaised" nodeGroup="workers" floor=3`)
	require.Empty(t, r.sim.CountCalls(simulator.Gnocchi, ""), "a schedule needs no telemetry")
}

func TestADryRunComputesFloorsAndTellsWhatItWouldHaveDone(t *testing.T) {
	t.Parallel()
	r := startWithTags(t, []string{"schedule=00:00-24:00=3"}, "--dry-run", "--leader-elect=false")
	r.eventually(t, "the floor is told", func() bool {
		body, _ := r.get(t, "/metrics")
		return strings.Contains(body, `cluster_autoscaler_openstack_node_group_floor{node_group="workers"} 3`) &&
			strings.Contains(body, `cluster_autoscaler_openstack_dry_run_decisions_total{action="grow",node_group="workers"}`)
	})
	require.NoError(t, r.terminate(t))
	require.Equal(t, "0", r.size(t))
	require.Empty(t, r.sim.CountCalls(simulator.Heat, http.MethodPatch))
}

func TestWithoutLoadSignalsThereIsNoFloor(t *testing.T) {
	t.Parallel()
	r := startWithTags(t, []string{"schedule=00:00-24:00=3"}, "--load-signals=false")
	r.eventually(t, "the pending pod makes the stack grow", func() bool { return r.size(t) == "1" })
	body, _ := r.get(t, "/metrics")
	require.NotContains(t, body, "cluster_autoscaler_openstack_node_group_floor{")
	require.NoError(t, r.terminate(t))
	require.Equal(t, "1", r.size(t))
}

func TestTheLoadFileIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "load.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write("defaults: {schedule: '00:00-24:00=3'}")
	reports := &fake.Reports{}
	f := &followFile{Floors: ceilometer.NewFloors(ceilometer.Options{Hold: time.Minute}), file: &loadFile{path: path}, reporter: reports}
	group := &nodegroups.Group{Name: "a", MaxSize: 9, Config: nodegroups.Config{Load: nodegroups.Load{Headroom: &nodegroups.Headroom{}}}}
	floor := func() int { return f.Update(context.Background(), []*nodegroups.Group{group})["a"].Size }
	require.Equal(t, 3, floor())
	write("defaults: {schedule: '00:00-24:00=4'}")
	require.Equal(t, 4, floor())
	write("defaults: {schedule: '00:00-25:00=4'}")
	require.Equal(t, 4, floor(), "what was read before holds")
	require.Equal(t, []string{nodegroups.ReasonBadLoadFile}, reports.Reasons())
	require.NoError(t, os.Remove(path))
	require.Equal(t, 4, floor())
	write("defaults: {schedule: '00:00-24:00=5'}")
	require.Equal(t, 5, floor())
	require.Len(t, reports.Reasons(), 2, "a problem that is mended is told no more")
}
