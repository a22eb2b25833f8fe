package describe

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/corestatus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

func ago(d time.Duration) *time.Time { return ptr.To(now.Add(-d)) }

func everything() *sight.Sight {
	full := model.NodeGroup{
		Name: "workers", MinSize: ptr.To(1), MaxSize: ptr.To(10), TargetSize: ptr.To(4), ReadyNodes: ptr.To(1), Flavor: "m1.small", Zone: "nova",
		Floor:  &model.Floor{Size: 3, Reason: "floor 3: cpu 85 on 2 machines, target 60, wants 3"},
		Stacks: []model.Stack{{ID: "a-1", Name: "workers-a", Status: "UPDATE_COMPLETE", TargetSize: ptr.To(3)}, {Name: "workers-b", Status: "CREATE_FAILED", Reason: "Resource CREATE failed:\n quota"}},
		Members: []model.Member{
			{Stack: "workers-a", Index: "0", Server: "s0", ServerName: "workers-0", ServerStatus: "ACTIVE", State: "running", Created: ago(49 * time.Hour), Node: "n0", Ready: ptr.To(true), Zone: "nova"},
			{Stack: "workers-a", Index: "1", Server: "s1", State: "running", Created: ago(time.Hour), Node: "n1", Ready: ptr.To(false)},
			{Stack: "workers-a", Index: "2", Server: "s2", State: "creating", Created: ago(20 * time.Second), Ready: ptr.To(false)},
			{Stack: "workers-b", State: "failed", FailureCode: "QuotaExceeded", FailureMessage: "Quota exceeded for ram", Ready: ptr.To(false)},
		},
		Annotations: map[string]string{"node-group-max-size": "10", "load-metric": "cpu"},
		Template: &model.Template{
			Capacity:    v1.ResourceList{v1.ResourceCPU: resource.MustParse("2"), v1.ResourceMemory: resource.MustParse("4Gi")},
			Allocatable: v1.ResourceList{v1.ResourceCPU: resource.MustParse("1900m"), v1.ResourceMemory: resource.MustParse("3666816410")},
			Labels:      map[string]string{"pool": "a", "kubernetes.io/os": "linux"},
			Taints:      []v1.Taint{{Key: "a", Value: "b", Effect: v1.TaintEffectNoSchedule}, {Key: "c", Effect: v1.TaintEffectNoExecute}},
		},
		Core: &model.Core{Health: "Healthy", ScaleUp: "Backoff", ScaleDown: "NoCandidates", BackoffCode: "QuotaExceeded", BackoffMessage: "Quota exceeded for ram", ProbedAt: ago(2 * time.Second)},
		Problems: []model.Problem{
			{Code: "ForeignUpdate", Stack: "workers-a", Message: "somebody else updates it", Remedy: "wait"},
			{Code: "BadAnnotation", Blocking: true, Key: "k", Value: "v", Message: "odd", Remedy: "mend it"},
		},
		Events: []model.Event{
			{At: *ago(time.Minute), Type: "Warning", Reason: "ScaleUpFailed", From: "cluster-autoscaler", Message: "Failed adding 1 nodes", Count: 3},
			{At: *ago(time.Hour), Type: "Normal", Reason: "FloorRaised", From: "cluster-autoscaler-openstack", Message: "floor 3"},
		},
	}
	unknown := model.NodeGroup{
		Name: "unknown", FloorUnknown: true, TemplateError: "there is no flavor \"x\"",
		Members: []model.Member{{Index: "0", Server: "s9", State: "running", Created: ago(time.Minute)}},
	}
	for _, g := range []*model.NodeGroup{&full, &unknown} {
		g.Judge()
	}
	return &sight.Sight{
		At: now, Source: model.Source{Kind: model.SourceStatus, From: "the status of pod kube-system/x", ReadAt: ago(4 * time.Second), Error: "503"},
		Groups: []model.NodeGroup{full, unknown}, NodesKnown: true, CoreKnown: true, Core: &corestatus.Status{At: *ago(2 * time.Second)},
	}
}

func newDescriber(output string, names ...string) (d *describer, out, errs *bytes.Buffer) {
	streams, _, out, errs := genericiooptions.NewTestIOStreams()
	o := cli.NewOptions("tool", streams)
	o.Output = output
	return &describer{o: o, names: names, shown: map[string]string{}}, out, errs
}

func TestForms(t *testing.T) {
	for output, file := range map[string]string{cli.Table: "describe.txt", cli.Wide: "describe-wide.txt", cli.JSON: "describe.json"} {
		d, out, _ := newDescriber(output)
		require.NoError(t, d.show(everything(), true))
		path := "testdata/" + file
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), out.String(), "go test ./internal/tool/describe -update writes it anew")
	}
}

func TestOneGroupIsAnObjectOfItsOwn(t *testing.T) {
	d, out, _ := newDescriber(cli.YAML, "unknown")
	require.NoError(t, d.show(everything(), true))
	require.Contains(t, out.String(), "\nkind: NodeGroup\n")
	require.Contains(t, out.String(), "\nsource:\n")
	require.NotContains(t, out.String(), "targetSize", "what is not known is left out")
}

func TestWatchPrintsWhatChanges(t *testing.T) {
	d, out, _ := newDescriber(cli.Table)
	s := everything()
	require.NoError(t, d.show(s, true))
	out.Reset()
	s.At = now.Add(time.Minute)
	s.Groups[0].Core.ProbedAt = ptr.To(s.At)
	require.NoError(t, d.show(s, false))
	require.Empty(t, out.String(), "only time has passed")
	s.Groups[1].Members[0].State = "deleting"
	require.NoError(t, d.show(s, false))
	require.Contains(t, out.String(), "\nName:                 unknown\n")
	require.NotContains(t, out.String(), "workers")
}

func TestWhatIsKnownOfClusterAutoscaler(t *testing.T) {
	g := &model.NodeGroup{}
	s := &sight.Sight{At: now}
	require.Equal(t, "<unknown>", coreText(s, g))
	s.CoreKnown = true
	require.Contains(t, coreText(s, g), "it does not run")
	s.Core = &corestatus.Status{At: *ago(time.Hour)}
	require.Contains(t, coreText(s, g), "last heard of 60m ago")
	s.Core.At = now
	require.Equal(t, "it does not know this group", coreText(s, g))
}
