package why

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

// States of a node group.
const (
	stateGrowing = "Growing"
	stateStuck   = "NotGrowing"
	stateFailing = "Failing"
	stateIdle    = "NotNeeded"
)

// group explains why a node group does not grow.
func (f *facts) group(g *model.NodeGroup) Explanation {
	x := Explanation{Subject: Subject{Kind: "NodeGroup", Name: g.Name}, Said: g.Events}
	x.Checked, x.NotChecked = f.fitChecked(), slices.Concat(f.notChecked, []string{zonesChecked}, fitNotChecked, f.assumed())
	x.Reasons = append(x.Reasons, f.autoscalerReasons()...)
	x.Reasons = append(x.Reasons, f.limitReasons()...)
	x.Reasons = append(x.Reasons, f.growthReasons(g)...)
	isStuck, failures := len(x.Reasons) > 0, f.failureReasons(g)
	x.Reasons = append(x.Reasons, failures...)
	size := fmt.Sprintf("%s of at most %s members", cli.Number(g.TargetSize), cli.Number(g.MaxSize))
	creating := g.Count("creating")
	switch {
	case isStuck:
		x.State, x.Summary = stateStuck, "does not grow: "+size
	case creating > 0:
		x.State, x.Summary = stateGrowing, fmt.Sprintf("is growing: %s, %d being made", size, creating)
		x.Reasons = append(x.Reasons, Reason{
			Code: CodeGrowing, NodeGroups: []string{g.Name}, Text: fmt.Sprintf("%s being made", cli.Count(creating, "member")), Remedy: "wait; \"describe " + g.Name + "\" shows them",
		})
	case len(failures) > 0:
		x.State, x.Summary = stateFailing, "can grow, but what it tried last has failed: "+size
	default:
		x.State, x.Summary = stateIdle, "can grow: "+size
	}
	if isNotReadyYet(g) && creating == 0 {
		x.Reasons = append(x.Reasons, Reason{
			Code: CodeNotReady, NodeGroups: []string{g.Name}, Text: fmt.Sprintf("of %s ordered members %s Ready nodes; those that are still to come count as there",
				cli.Number(g.TargetSize), readyText(g)),
			Remedy: "if that lasts: see why they do not join (openstack console log show SERVER)",
		})
	}
	x.Reasons = append(x.Reasons, f.wantedBy(g)...)
	return x
}

// wantedBy says which pods want the group to grow: those that fit on a new node of it are why it should, and if there is none that is
// why it does not.
func (f *facts) wantedBy(g *model.NodeGroup) []Reason {
	var pending, fitting, others int
	var example string
	var first []obstacle
	node, _ := f.newNode(g)
	for i := range f.pods {
		p := &f.pods[i]
		if !isPending(p) {
			continue
		}
		if pending++; node == nil {
			continue
		}
		if found := fit(p, node, f.takenByDaemonSets(node), nil); len(found) > 0 {
			if others++; example == "" {
				example, first = p.Namespace+"/"+p.Name, found
			}
			continue
		}
		fitting++
	}
	least := g.Least()
	isBelow := least != nil && g.TargetSize != nil && *g.TargetSize < *least
	switch {
	case isBelow:
		return []Reason{{
			Code: CodeTurn, NodeGroups: []string{g.Name}, Text: fmt.Sprintf("it is below its least size, %d, to which cluster-autoscaler grows it", *least),
			Remedy: "wait for a loop or two; with a stock cluster-autoscaler it needs --enforce-node-group-min-size",
		}}
	case fitting > 0:
		return []Reason{{
			Code: CodeTurn, NodeGroups: []string{g.Name}, Text: fmt.Sprintf("%s would fit on a new node: it is cluster-autoscaler's turn", cli.Count(fitting, "pending pod")),
			Remedy: "wait for a loop or two; cluster-autoscaler may prefer another group (--expander), and \"why\" of a pod shows what it said",
		}}
	case others > 0:
		return []Reason{{
			Code: CodeNothingPending, NodeGroups: []string{g.Name},
			Text:   fmt.Sprintf("none of %s would fit on a new node; for example %s: %s", cli.Count(others, "pending pod"), example, first[0].text),
			Remedy: fmt.Sprintf("why pod/%s", example),
		}}
	case node == nil && (pending > 0 || !f.podsKnown):
		return []Reason{templateUnknown(g)}
	case !f.podsKnown:
		return nil // they may not be read
	}
	return []Reason{{
		Code: CodeNothingPending, NodeGroups: []string{g.Name}, Text: "nothing asks for it: no pod is pending",
		Remedy: "nodes come when pods find no room, when the group is below node-group-min-size, or when its floor rises",
	}}
}

// templateUnknown says that nobody can tell which pods a new node of the group would take.
func templateUnknown(g *model.NodeGroup) Reason {
	text := "what a new node would be is not known"
	if g.TemplateError != "" {
		text += ": " + sentence(g.TemplateError)
	}
	return Reason{
		Code: CodeTemplateUnknown, NodeGroups: []string{g.Name}, Text: text, Remedy: "give the stack a flavor that exists, or the capacity annotations",
	}
}

// isPending says whether a pod waits for a node.
func isPending(p *v1.Pod) bool {
	return p.Status.Phase == v1.PodPending && p.Spec.NodeName == "" && p.DeletionTimestamp == nil && len(p.Spec.SchedulingGates) == 0
}
