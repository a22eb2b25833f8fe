package why

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

func noPods(f *facts) { f.pods, f.podsKnown, f.notChecked = nil, false, append(f.notChecked, "pods") }
func noBudgets(f *facts) {
	f.budgets, f.budgetsKnown, f.notChecked = nil, false, append(f.notChecked, "budgets")
}

// What may not be read is neither concluded from nor told to have been checked.
func TestNodeOfWhichNotAllIsKnown(t *testing.T) {
	young := func(p *v1.Pod) { p.Namespace = kubeSystem }
	old := func(p *v1.Pod) { p.Namespace, p.CreationTimestamp = kubeSystem, metav1.NewTime(now.Add(-2*time.Hour)) }
	notSafe := annotated(safeToEvict, "false")
	for name, c := range map[string]struct {
		changes             []func(*facts)
		want                []string
		checked, notChecked []string // parts of what is said
		silent              []string // what is not said to be checked
	}{
		"all is known":                           {nil, []string{}, []string{"minimum size and floor", "pods ask for", "PodDisruptionBudgets", "room"}, nil, nil},
		"pods":                                   {[]func(*facts){noPods, flag("scale-down-utilization-threshold", "0")}, []string{}, []string{"minimum size and floor"}, []string{"pods"}, []string{"pods", "room"}},
		"budgets":                                {[]func(*facts){noBudgets}, []string{}, []string{"controllers", "room"}, []string{"budgets"}, []string{"PodDisruptionBudgets", "kube-system"}},
		"budgets, a pod of kube-system":          {[]func(*facts){noBudgets, pods(aPod("a", on("n0"), young))}, []string{}, nil, nil, nil},
		"budgets, one that is not safe":          {[]func(*facts){noBudgets, pods(aPod("a", on("n0"), young, notSafe))}, []string{CodeNotEvictable}, nil, nil, nil},
		"budgets, one that may be past the rule": {[]func(*facts){noBudgets, pods(aPod("a", on("n0"), old, notSafe))}, []string{}, nil, nil, nil},
		"floor":                                  {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.FloorUnknown = true })}, []string{}, []string{"minimum size"}, []string{"floor"}, []string{"floor"}},
		"sizes":                                  {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.TargetSize = nil })}, []string{}, nil, []string{"minimum size and floor"}, []string{"minimum size", "floor"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := theFacts(c.changes...)
			x := f.node(&f.Nodes[0], nil)
			require.Equal(t, c.want, codes(x.Reasons), "%+v", x.Reasons)
			checked, notChecked := strings.Join(x.Checked, "; "), strings.Join(x.NotChecked, "; ")
			for _, part := range c.checked {
				require.Contains(t, checked, part)
			}
			for _, part := range c.notChecked {
				require.Contains(t, notChecked, part)
			}
			for _, part := range c.silent {
				require.NotContains(t, checked, part)
			}
		})
	}
}

func TestPodOfWhichNotAllIsKnown(t *testing.T) {
	pod := aPod("a")
	f := theFacts()
	require.Contains(t, f.pod(&pod, nil).Checked, zonesChecked)
	require.NotContains(t, f.group(&f.Groups[0]).Checked, zonesChecked, "volumes are read of one pod only")
	f.claims, f.daemonSetsKnown = nil, false
	checked := strings.Join(f.pod(&pod, nil).Checked, "; ")
	require.NotContains(t, checked, "volumes")
	require.NotContains(t, checked, "DaemonSets")
}

// A right that is missing makes known what it is about unknown, and nothing else.
func TestReadWithoutARight(t *testing.T) {
	for _, lost := range []string{"", "pods", "poddisruptionbudgets", "daemonsets"} {
		client := fake.NewClientset()
		client.PrependReactor("list", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
			resource := action.GetResource()
			if resource.Resource != lost {
				return false, nil, nil
			}
			return true, nil, apierrors.NewForbidden(resource.GroupResource(), "", nil)
		})
		f := &facts{Sight: &sight.Sight{}}
		require.NoError(t, f.read(t.Context(), cluster.New(client, cli.AutoscalerOptions{})))
		require.Equal(t, []bool{lost != "pods", lost != "poddisruptionbudgets", lost != "daemonsets"}, []bool{f.podsKnown, f.budgetsKnown, f.daemonSetsKnown}, lost)
		require.Equal(t, lost != "", len(f.notChecked) == 1 && len(f.Source.Notes) == 1, lost)
	}
}
