package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	model "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// reportAt reads a program's status; nil while it does not answer.
func reportAt(t *testing.T, r *running, address string) (*model.Report, string) {
	t.Helper()
	other := &running{base: "http://" + address}
	text, code := other.get(t, "/status.json")
	if code != http.StatusOK {
		return nil, text
	}
	out := new(model.Report)
	require.NoError(t, json.Unmarshal([]byte(text), out), r.log.String())
	return out, text
}

func TestTheStatusShowsWhatTheProgramDoes(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	r := startOn(t, simulator.StackSpec{
		Name: "workers", Template: simulator.GroupTemplate, Tags: []string{"autoscaled", "node-group-max-size=5", "schedule=00:00-24:00=2"},
	}, "--leader-elect=false", "--status-address="+address)
	var s *model.Report
	var text string
	r.eventually(t, "the floor is reached and shown", func() bool {
		s, text = reportAt(t, r, address)
		return s != nil && len(s.NodeGroups) == 1 && s.NodeGroups[0].Counts.Running == 2 && len(s.Decisions) >= 2
	})
	require.Equal(t, model.SchemaVersion, s.SchemaVersion)
	require.Equal(t, model.ModeEmbedded, s.Mode)
	require.True(t, s.Leading)
	require.Equal(t, "1.33.0", s.Core)
	require.Equal(t, []string{"RegionOne"}, s.Cloud.Regions)
	require.NotNil(t, s.Reading.At)
	g := s.NodeGroups[0]
	require.Equal(t, []any{"workers", 5, 2, 2}, []any{g.Name, g.MaxSize, g.TargetSize, g.Floor.Size})
	require.Equal(t, 2, g.Floor.Schedule)
	require.NotNil(t, g.Template)
	require.NotEmpty(t, g.History)
	require.Zero(t, *g.Counts.Ready, "Nodes are watched, and there are none")
	kinds := map[string]string{}
	for _, d := range s.Decisions {
		kinds[d.Kind] = d.Reason
	}
	require.Contains(t, kinds[model.DecisionGrow], "cluster-autoscaler orders")
	require.Contains(t, kinds[model.DecisionFloor], "schedule")
	page, code := (&running{base: "http://" + address}).get(t, "/")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, page, "workers")
	for _, secret := range []string{"password", "secret", "X-Auth-Token"} {
		require.NotContains(t, text, secret)
		require.NotContains(t, page, secret)
	}
	_, code = r.get(t, "/status.json")
	require.Equal(t, http.StatusNotFound, code, "it is not beside the metrics")
	require.NoError(t, r.terminate(t))
	gone, _ := reportAt(t, r, address)
	require.Nil(t, gone)
}

func TestABackOffIsShownWithTheCloudsWords(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	r := start(t, "--leader-elect=false", "--status-address="+address)
	r.sim.FailBuilds("m1.medium", "No valid host was found.", 100)
	var s *model.Report
	r.eventually(t, "core pauses, and that is shown", func() bool {
		s, _ = reportAt(t, r, address)
		return s != nil && len(s.NodeGroups) == 1 && s.NodeGroups[0].BackOff != nil
	})
	b := s.NodeGroups[0].BackOff
	require.Equal(t, model.ClassOutOfResources, b.Class)
	require.Equal(t, "NoValidHost", b.Code)
	require.Contains(t, b.Message, "No valid host was found.")
	require.True(t, b.Until.After(time.Now().Add(time.Minute)))
	require.NoError(t, r.terminate(t))
}

func TestAReplicaThatStandsBySaysWhoLeads(t *testing.T) {
	address, kube := freeAddress(t), newKubernetes(t)
	kube.put("apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cluster-autoscaler", map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": map[string]any{"name": "cluster-autoscaler", "namespace": "kube-system"},
		"spec": map[string]any{"holderIdentity": "another", "leaseDurationSeconds": 3600, "renewTime": time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")},
	})
	r := startIn(t, kube, simulator.StackSpec{Name: "workers", Template: simulator.GroupTemplate, Tags: []string{"autoscaled", "node-group-max-size=5"}}, "--status-address="+address)
	var s *model.Report
	r.eventually(t, "it knows the leader", func() bool {
		s, _ = reportAt(t, r, address)
		return s != nil && s.Leader == "another"
	})
	body, code := r.get(t, "/readyz")
	require.Equal(t, "stands by for another\n", body)
	require.Equal(t, http.StatusOK, code)
	require.False(t, s.Leading)
	require.Empty(t, s.NodeGroups)
	page, _ := (&running{base: "http://" + address}).get(t, "/")
	require.Contains(t, page, "This replica does not lead.")
	require.NoError(t, r.terminate(t))
}

func TestAnAddressThatCannotBeUsedIsAnErrorAtOnce(t *testing.T) {
	for value, wrong := range map[string]string{"8087": "missing port", "127.0.0.1:x": "127.0.0.1:x"} {
		r := start(t, "--leader-elect=false", "--status-address="+value)
		select {
		case err := <-r.ended:
			require.Error(t, err)
		case <-time.After(3 * time.Minute):
			require.Fail(t, "it did not end")
		}
		require.True(t, strings.Contains(r.log.String(), "--status-address="+value) && strings.Contains(r.log.String(), wrong), r.log.String())
	}
}

func TestTheExternalFormSaysWhetherItIsAsked(t *testing.T) {
	address := freeAddress(t)
	p := &program{settings: &settings{Flags: Flags{StatusAddress: address}}, metrics: metrics.New(nil, nil)}
	stop, err := p.startStatus(t.Context(), external)
	require.NoError(t, err)
	defer stop()
	r := &running{log: &safeBuffer{}}
	s, _ := reportAt(t, r, address)
	require.Equal(t, model.ModeExternal, s.Mode)
	require.Equal(t, external.name, s.Program)
	require.Empty(t, s.Core)
	require.False(t, s.Leading)
	done := p.leads()
	require.True(t, p.book.Status().Leading)
	done()
	require.False(t, p.book.Status().Leading)
	p.observer.Report(nodegroups.Problem{Reason: nodegroups.ReasonNoPermission, Message: "no"})
	require.Len(t, p.book.Status().Problems, 1, "what is observed reaches it")

	_, err = (&program{settings: p.settings, metrics: metrics.New(nil, nil)}).startStatus(t.Context(), external)
	require.ErrorContains(t, err, "--status-address="+address)
}

func TestWithoutAnAddressNothingIsNoted(t *testing.T) {
	p := &program{settings: &settings{}, metrics: metrics.New(nil, nil), ready: newReadiness()}
	stop, err := p.startStatus(t.Context(), embedded)
	require.NoError(t, err)
	defer stop()
	require.Nil(t, p.book)
	require.Same(t, p.metrics, p.observer)
	require.Nil(t, p.backOffs())
	p.leads()()
	p.newLeader("x", false)
	p.showNodes(nil)
}
