package e2e_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestToolReadsTheAutoscalersStatus: without credentials for OpenStack the tool shows and explains the same, from what the autoscaler
// serves.
func TestToolReadsTheAutoscalersStatus(t *testing.T) {
	t.Parallel()
	s := newScene(t, "toolstatus")
	workers := s.group(world.GroupSpec{Name: "workers", Max: 1, Labels: map[string]string{"pool": "workers"}})
	scheduled := s.group(world.GroupSpec{Name: "scheduled", Max: 4, Labels: map[string]string{"pool": "scheduled"}, Annotations: map[string]string{
		"schedule": "0 0 * * */24h@UTC=1",
	}})
	address, err := ports.Address(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.StartAutoscaler(t.Context(), "--status-address="+address))
	byCloud, byStatus := s.operator("viewer", nil), s.operator("viewer-without-credentials", nil)
	byStatus.cloud = []string{"--status-url=http://" + address}

	pool := map[string]string{"pool": "workers"}
	s.deploy(world.Workload{Name: "first", Replicas: 1, CPU: "600m", NodeLabels: pool})
	s.size(workers, 1)
	s.runs("first", 1)
	s.size(scheduled, 1)
	s.until("both to show the same", func(context.Context) error {
		one, err := byCloud.list()
		if err != nil {
			return err
		}
		other, err := byStatus.list()
		if err != nil {
			return err
		}
		if other.Source.Kind != "status" || one.Source.Kind != "openstack" {
			return fmt.Errorf("sources %+v, %+v", one.Source, other.Source)
		}
		if len(other.Items) != 2 || other.Items[0].Floor == nil || other.Items[0].Floor.Size != 1 {
			return fmt.Errorf("%+v", other.Items)
		}
		one.Source, other.Source = struct{ Kind, From string }{}, struct{ Kind, From string }{}
		if !assert.ObjectsAreEqual(one, other) {
			return fmt.Errorf("from OpenStack: %+v, from the status: %+v", one, other)
		}
		return nil
	})
	r := byStatus.ok("describe", workers.Name)
	require.Regexp(t, `(?m)^Data: +the autoscaler's status at http://`+address+`/status.json, read \S+ ago$`, r.out)
	require.Regexp(t, `(?m)^Sizes: +min 0, target 1, ready 1, max 1$`, r.out)
	require.Regexp(t, `(?m)^  Allocatable: +cpu 900m`, r.out)
	require.Regexp(t, `Normal +Grow +cluster-autoscaler-openstack `, r.out)

	byStatus.why("node/"+s.nodeOf(scheduled, 1), "Floor", "schedule")
	s.deploy(world.Workload{Name: "second", Replicas: 1, CPU: "600m", NodeLabels: pool})
	x := byStatus.why(s.podOf("second"), "AtMaximum", "it is at its maximum size, 1")
	require.Len(t, x.NodeGroups, 2)

	changes := s.watch(byStatus, "list", "-w", "--watch-interval=1s")
	require.Contains(t, changes.next(t), "NAME")
	require.NoError(t, workers.Annotate(t.Context(), world.GroupSpec{Max: 2, Labels: pool}))
	changes.until(t, `^`+workers.Name+` .* OK +0 +2 +2 +2 `)
	changes.end(t)

	require.True(t, s.StopAutoscaler())
	r = byStatus.run("list")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.errs, "is the autoscaler started with --status-address")
}
