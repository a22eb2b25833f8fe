package why

import (
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/corestatus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

const serverID = "11111111-2222-4333-8444-555555555555"

func resources(cpu, memory string) v1.ResourceList {
	return v1.ResourceList{
		v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse(memory), v1.ResourcePods: resource.MustParse("110"),
	}
}

// aNode is a Ready node with two processors, an hour old.
func aNode(name, server string, changes ...func(*v1.Node)) v1.Node {
	n := v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)), Labels: map[string]string{
			v1.LabelHostname: name, v1.LabelTopologyZone: "nova", "pool": "a",
		}},
		Spec: v1.NodeSpec{ProviderID: "openstack:///" + server},
		Status: v1.NodeStatus{
			Allocatable: resources("2", "4Gi"), Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}},
		},
	}
	for _, change := range changes {
		change(&n)
	}
	return n
}

// aPod is a pending pod of a ReplicaSet that asks for half a processor.
func aPod(name string, changes ...func(*v1.Pod)) v1.Pod {
	p := v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "shop", CreationTimestamp: metav1.NewTime(now.Add(-3 * time.Minute)), Labels: map[string]string{"app": name},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name, Controller: ptr.To(true)}},
		},
		Spec:   v1.PodSpec{Containers: []v1.Container{{Name: "app", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("500m")}}}}},
		Status: v1.PodStatus{Phase: v1.PodPending, Conditions: []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionFalse}}},
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func on(node string) func(*v1.Pod) {
	return func(p *v1.Pod) { p.Spec.NodeName, p.Status.Phase = node, v1.PodRunning }
}

func asking(name v1.ResourceName, amount string) func(*v1.Pod) {
	return func(p *v1.Pod) { p.Spec.Containers[0].Resources.Requests[name] = resource.MustParse(amount) }
}

func annotated(key, value string) func(*v1.Pod) {
	return func(p *v1.Pod) { p.Annotations = map[string]string{key: value} }
}

// aGroup is a node group of two, whose only node is n0.
func aGroup(changes ...func(*model.NodeGroup)) model.NodeGroup {
	g := model.NodeGroup{
		Name: "workers", MinSize: ptr.To(0), MaxSize: ptr.To(5), TargetSize: ptr.To(1), ReadyNodes: ptr.To(1), Annotations: map[string]string{},
		Stacks:  []model.Stack{{Name: "workers", Status: "UPDATE_COMPLETE"}},
		Members: []model.Member{{Index: "0", Server: serverID, State: "running", Node: "n0", Ready: ptr.To(true)}},
		Core:    &model.Core{Health: "Healthy", ScaleUp: "NoActivity", ScaleDown: "NoCandidates"},
	}
	for _, change := range changes {
		change(&g)
	}
	return g
}

// theFacts are those of a cluster that is well: one group with one node, on which nothing runs, and another node with room.
func theFacts(changes ...func(*facts)) *facts {
	f := &facts{
		Sight: &sight.Sight{
			At: now, NodesKnown: true, CoreKnown: true, Source: model.Source{From: "a test", ReadAt: ptr.To(now)},
			Core:       &corestatus.Status{At: now.Add(-2 * time.Second), Health: corestatus.Condition{Word: "Healthy"}},
			Autoscaler: &installed.Running{Pods: []v1.Pod{{}}, Flags: installed.Flags{}},
			Groups:     []model.NodeGroup{aGroup()},
			Nodes:      []v1.Node{aNode("n0", serverID), aNode("other", "99999999-2222-4333-8444-555555555555")},
		},
		statusName: "kube-system/cluster-autoscaler-status",
		podsKnown:  true, budgetsKnown: true, daemonSetsKnown: true, claims: map[string]cluster.Claim{},
	}
	for _, change := range changes {
		change(f)
	}
	return f
}

func pods(pods ...v1.Pod) func(*facts) { return func(f *facts) { f.pods = append(f.pods, pods...) } }

func inGroup(change func(*model.NodeGroup)) func(*facts) {
	return func(f *facts) { change(&f.Groups[0]) }
}

func flag(name, value string) func(*facts) {
	return func(f *facts) { f.Autoscaler.Flags[name] = []string{value} }
}

func codes(reasons []Reason) []string {
	out := []string{}
	for _, r := range reasons {
		out = append(out, r.Code)
	}
	return out
}
