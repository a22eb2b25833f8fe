package why

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

func budget(app string, allowed int32) func(*facts) {
	return func(f *facts) {
		f.budgets = append(f.budgets, policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: "shop"},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}},
			Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed, CurrentHealthy: 1, ExpectedPods: 1, DesiredHealthy: 1},
		})
	}
}

func changeNode(change func(*v1.Node)) func(*facts) { return func(f *facts) { change(&f.Nodes[0]) } }

// Every reason for which a node stays, and next to it what looks alike and is none.
func TestNode(t *testing.T) {
	system := func(p *v1.Pod) { p.Namespace = "kube-system" }
	daemon := func(p *v1.Pod) { p.OwnerReferences[0].Kind = "DaemonSet" }
	lonely := func(p *v1.Pod) { p.OwnerReferences = nil }
	owned := func(kind string) func(*v1.Pod) { return func(p *v1.Pod) { p.OwnerReferences[0].Kind = kind } }
	born := func(ago time.Duration) func(*v1.Pod) {
		return func(p *v1.Pod) { p.CreationTimestamp = metav1.NewTime(now.Add(-ago)) }
	}
	volume := func(source v1.VolumeSource) func(*v1.Pod) {
		return func(p *v1.Pod) { p.Spec.Volumes = []v1.Volume{{Name: "data", VolumeSource: source}} }
	}
	scratch := volume(v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}})
	for name, c := range map[string]struct {
		changes []func(*facts)
		want    []string
		says    string
	}{
		"nothing":                     {nil, []string{}, ""},
		"autoscaler gone":             {[]func(*facts){func(f *facts) { f.Core = nil }}, []string{CodeAutoscalerMissing}, "kube-system/cluster-autoscaler-status"},
		"autoscaler may not be read":  {[]func(*facts){func(f *facts) { f.Core, f.CoreKnown = nil, false }}, []string{}, ""},
		"autoscaler stuck":            {[]func(*facts){func(f *facts) { f.Core.At = now.Add(-time.Hour) }}, []string{CodeAutoscalerSilent}, "60m ago"},
		"too many unready":            {[]func(*facts){func(f *facts) { f.Core.Health.Word, f.Core.Registered = "Unhealthy", 3 }}, []string{CodeClusterUnhealthy}, "0 of 3"},
		"dry run":                     {[]func(*facts){flag("dry-run", "true")}, []string{CodeDryRun}, ""},
		"scale-down off":              {[]func(*facts){flag("scale-down-enabled", "false")}, []string{CodeScaleDownDisabled}, ""},
		"blocked":                     {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Blocked = &model.Problem{Code: "X", Message: "odd", Remedy: "mend it"} })}, []string{CodeGroupBlocked}, "odd"},
		"annotation":                  {[]func(*facts){changeNode(func(n *v1.Node) { n.Annotations = map[string]string{scaleDownDisabled: "true"} })}, []string{CodeAnnotated}, "=true"},
		"annotation that says no":     {[]func(*facts){changeNode(func(n *v1.Node) { n.Annotations = map[string]string{scaleDownDisabled: "false"} })}, []string{}, ""},
		"minimum":                     {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.MinSize = ptr.To(1) })}, []string{CodeMinSize}, "at its minimum size, 1"},
		"floor":                       {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Floor = &model.Floor{Size: 1, Reason: "floor 1: cpu 90"} })}, []string{CodeFloor}, "floor 1: cpu 90"},
		"floor below":                 {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Floor, g.TargetSize = &model.Floor{Size: 1}, ptr.To(2) })}, []string{}, ""},
		"used":                        {[]func(*facts){pods(aPod("a", on("n0"), asking(v1.ResourceCPU, "1")))}, []string{CodeUsed}, "50% of its cpu"},
		"just below":                  {[]func(*facts){pods(aPod("a", on("n0"), asking(v1.ResourceCPU, "999m")))}, []string{}, ""},
		"memory":                      {[]func(*facts){pods(aPod("a", on("n0"), asking(v1.ResourceMemory, "3Gi")))}, []string{CodeUsed}, "75% of its memory"},
		"threshold of the group":      {[]func(*facts){pods(aPod("a", on("n0"))), inGroup(func(g *model.NodeGroup) { g.Annotations["autoscaling-options-scaledownutilizationthreshold"] = "0.2" })}, []string{CodeUsed}, "below 20%"},
		"threshold of the flag":       {[]func(*facts){pods(aPod("a", on("n0"))), flag("scale-down-utilization-threshold", "0.2")}, []string{CodeUsed}, "below 20%"},
		"DaemonSet counts":            {[]func(*facts){pods(aPod("a", on("n0"), daemon, asking(v1.ResourceCPU, "1")))}, []string{CodeUsed}, ""},
		"DaemonSet does not count":    {[]func(*facts){pods(aPod("a", on("n0"), daemon, asking(v1.ResourceCPU, "1"))), flag("ignore-daemonsets-utilization", "true")}, []string{}, ""},
		"ended pods":                  {[]func(*facts){pods(aPod("a", on("n0"), asking(v1.ResourceCPU, "2"), func(p *v1.Pod) { p.Status.Phase = v1.PodSucceeded }))}, []string{}, ""},
		"no controller":               {[]func(*facts){pods(aPod("a", on("n0"), lonely))}, []string{CodeNotReplicated}, "shop/a"},
		"no controller, safe":         {[]func(*facts){pods(aPod("a", on("n0"), lonely, annotated(safeToEvict, "true")))}, []string{}, ""},
		"mirror pod":                  {[]func(*facts){pods(aPod("a", on("n0"), lonely, annotated(mirrorPod, "x")))}, []string{}, ""},
		"not safe":                    {[]func(*facts){pods(aPod("a", on("n0"), annotated(safeToEvict, "false")))}, []string{CodeNotEvictable}, ""},
		"DaemonSet, not safe":         {[]func(*facts){pods(aPod("a", on("n0"), daemon, annotated(safeToEvict, "false")))}, []string{}, ""},
		"system":                      {[]func(*facts){pods(aPod("a", on("n0"), system))}, []string{CodeSystemPod}, "kube-system/a"},
		"system, old":                 {[]func(*facts){pods(aPod("a", on("n0"), system, born(2*time.Hour)))}, []string{}, ""},
		"system, young":               {[]func(*facts){pods(aPod("a", on("n0"), system, born(time.Minute)))}, []string{CodeSystemPod}, "kube-system/a"},
		"system, old, not safe":       {[]func(*facts){pods(aPod("a", on("n0"), system, born(2*time.Hour), annotated(safeToEvict, "false")))}, []string{}, ""},
		"a controller of its own":     {[]func(*facts){pods(aPod("a", on("n0"), owned("CloneSet")))}, []string{CodeNotReplicated}, "shop/a"},
		"that is let go":              {[]func(*facts){pods(aPod("a", on("n0"), owned("CloneSet"))), flag("skip-nodes-with-custom-controller-pods", "false")}, []string{}, ""},
		"system may go":               {[]func(*facts){pods(aPod("a", on("n0"), system)), flag("skip-nodes-with-system-pods", "false")}, []string{}, ""},
		"local storage":               {[]func(*facts){pods(aPod("a", on("n0"), scratch))}, []string{CodeLocalStorage}, `"data"`},
		"local storage that may go":   {[]func(*facts){pods(aPod("a", on("n0"), scratch, annotated(safeLocalVolumes, "x,data")))}, []string{}, ""},
		"local storage, by the flag":  {[]func(*facts){pods(aPod("a", on("n0"), scratch)), flag("skip-nodes-with-local-storage", "false")}, []string{}, ""},
		"memory is no local storage":  {[]func(*facts){pods(aPod("a", on("n0"), volume(v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{Medium: v1.StorageMediumMemory}})))}, []string{}, ""},
		"host path":                   {[]func(*facts){pods(aPod("a", on("n0"), volume(v1.VolumeSource{HostPath: &v1.HostPathVolumeSource{}})))}, []string{CodeLocalStorage}, ""},
		"budget":                      {[]func(*facts){pods(aPod("a", on("n0"))), budget("a", 0)}, []string{CodeBudget}, "shop/a does not allow pod shop/a"},
		"budget that allows":          {[]func(*facts){pods(aPod("a", on("n0"))), budget("a", 1)}, []string{}, ""},
		"budget of others":            {[]func(*facts){pods(aPod("a", on("n0"))), budget("b", 0)}, []string{}, ""},
		"budget of another namespace": {[]func(*facts){pods(aPod("a", on("n0"))), budget("a", 0), func(f *facts) { f.budgets[0].Namespace = "other" }}, []string{}, ""},
		"budget, safe":                {[]func(*facts){pods(aPod("a", on("n0"), annotated(safeToEvict, "true"))), budget("a", 0)}, []string{CodeBudget}, ""},
		"no room":                     {[]func(*facts){pods(aPod("a", on("n0")), aPod("b", on("other"), asking(v1.ResourceCPU, "1800m")))}, []string{CodeNoRoom}, `cpu 500m; node "other" has 200m`},
		"no room for the second":      {[]func(*facts){pods(aPod("a", on("n0"), asking(v1.ResourceCPU, "300m")), aPod("c", on("n0"), asking(v1.ResourceCPU, "300m")), aPod("b", on("other"), asking(v1.ResourceCPU, "1500m")))}, []string{CodeNoRoom}, "shop/c"},
		"unneeded for a while":        {[]func(*facts){changeNode(func(n *v1.Node) { n.Spec.Taints = []v1.Taint{{Key: deletionCandidateTaint, Value: "1795661880"}} })}, []string{CodeUnneeded}, "unneeded for 2m only, of 10m: it may go in 8m"},
		"unneeded for the group":      {[]func(*facts){changeNode(func(n *v1.Node) { n.Spec.Taints = []v1.Taint{{Key: deletionCandidateTaint, Value: "1795661880"}} }), inGroup(func(g *model.NodeGroup) { g.Annotations["autoscaling-options-scaledownunneededtime"] = "1m" })}, []string{}, ""},
		"young":                       {[]func(*facts){changeNode(func(n *v1.Node) { n.CreationTimestamp = metav1.NewTime(now.Add(-time.Minute)) })}, []string{CodeUnneeded}, "it is 60s old"},
		"just grown": {[]func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Events = []model.Event{{At: now.Add(-4 * time.Minute), Reason: "ScaledUpGroup"}}
		})}, []string{CodeDelay}, "grown 4m ago, and no node goes for 10m"},
		"just grown, by its servers": {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Members[0].Created = ptr.To(now.Add(-4 * time.Minute)) })}, []string{CodeDelay}, "grown 4m ago"},
		"a removal failed": {[]func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Events = []model.Event{{At: now.Add(-time.Minute), Reason: "ScaleDownFailed", Message: "no"}}
		})}, []string{CodeScaleDownFailed}, "60s ago: no"},
		"all or nothing": {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Annotations["autoscaling-options-zeroormaxnodescaling"] = "true" })}, []string{CodeAllOrNothing}, ""},
		"everything, in core's order": {[]func(*facts){
			pods(aPod("a", on("n0"), asking(v1.ResourceCPU, "1")), aPod("b", on("n0"), lonely)), inGroup(func(g *model.NodeGroup) { g.MinSize = ptr.To(1) }),
			changeNode(func(n *v1.Node) { n.Annotations = map[string]string{scaleDownDisabled: "true"} }),
		}, []string{CodeAnnotated, CodeMinSize, CodeUsed, CodeNotReplicated}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := theFacts(c.changes...)
			x := f.node(&f.Nodes[0], nil)
			require.Equal(t, stateStaying, x.State)
			require.Equal(t, c.want, codes(x.Reasons), "%+v", x.Reasons)
			for _, r := range x.Reasons {
				require.NotEmpty(t, r.Remedy)
			}
			if c.says != "" {
				require.Contains(t, x.Reasons[len(x.Reasons)-1].Text, c.says)
			}
		})
	}
}

func TestNodeThatGoesOrIsNone(t *testing.T) {
	f := theFacts(changeNode(func(n *v1.Node) { n.Spec.Taints = []v1.Taint{{Key: toBeDeletedTaint}} }))
	x := f.node(&f.Nodes[0], nil)
	require.Equal(t, stateLeaving, x.State)
	require.Contains(t, x.Reasons[0].Text, "is draining it")
	x = f.node(&f.Nodes[1], nil)
	require.Equal(t, stateForeign, x.State)
	require.Contains(t, x.Reasons[0].Text, "no stack of a node group has its server")
	for id, says := range map[string]string{"": "no provider ID", "aws:///a/i-1": "another cloud"} {
		f.Nodes[1].Spec.ProviderID = id
		require.Contains(t, f.node(&f.Nodes[1], nil).Reasons[0].Text, says)
	}
	f.Nodes[1].Labels["node-role.kubernetes.io/control-plane"] = ""
	require.Contains(t, f.node(&f.Nodes[1], nil).Reasons[0].Text, "control plane")
}
