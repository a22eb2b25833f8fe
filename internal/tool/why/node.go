package why

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// States of a node.
const (
	stateStaying = "Staying"
	stateLeaving = "Leaving"
	stateForeign = "NotAMember"
)

// Defaults of cluster-autoscaler's flags (config/flags/flags.go), with which it is started here too.
const (
	defaultProvision    = 15 * time.Minute
	defaultUnneeded     = 10 * time.Minute
	defaultUnready      = 20 * time.Minute
	defaultAfterAdd     = 10 * time.Minute
	defaultAfterFailure = 3 * time.Minute
)

// node explains why a node stays. said are the Events about it.
func (f *facts) node(node *v1.Node, said []model.Event) Explanation {
	x := Explanation{Subject: Subject{Kind: "Node", Name: node.Name}, Said: said}
	g, member := f.groupOf(node)
	if g == nil {
		x.State = stateForeign
		x.Summary = "is not a member of a node group: cluster-autoscaler never removes it"
		x.Reasons = []Reason{f.foreignReason(node)}
		return x
	}
	if isLeaving(node) || member.State == "deleting" {
		x.State, x.Summary = stateLeaving, fmt.Sprintf("is being removed from node group %q", g.Name)
		x.Reasons = []Reason{leavingReason(node, member)}
		return x
	}
	x.State, x.Summary = stateStaying, fmt.Sprintf("is a member of node group %q and stays", g.Name)
	x.Checked, x.NotChecked = f.stayChecked(g)
	x.Reasons = f.stayReasons(node, g)
	return x
}

// stayChecked says what is checked, and what is not, for a node of a group.
func (f *facts) stayChecked(g *model.NodeGroup) (checked, notChecked []string) {
	checked, notChecked = []string{"annotations"}, slices.Concat(f.notChecked, f.assumed())
	switch {
	case g.TargetSize == nil || g.MinSize == nil:
		notChecked = append(notChecked, "minimum size and floor (its node group's sizes are not known)")
	case g.FloorUnknown:
		checked, notChecked = append(checked, "minimum size"), append(notChecked, "the floor of its node group, which is not known")
	default:
		checked = append(checked, "minimum size and floor")
	}
	if f.podsKnown {
		rules := drainRulesComment
		if f.budgetsKnown {
			rules += drainRulesBudgets
		}
		checked = append(checked, "what its pods ask for", rules, "room on other nodes (requests, taints, selectors)")
	}
	return append(checked, "times and delays"), append(notChecked, "affinity between pods and topology spread on other nodes", drainRulesExcluded)
}

// stayReasons are in the order in which cluster-autoscaler looks: what comes first holds whatever the rest is.
func (f *facts) stayReasons(node *v1.Node, g *model.NodeGroup) []Reason {
	var reasons []Reason
	reasons = append(reasons, f.autoscalerReasons()...)
	if !f.flags().Bool("scale-down-enabled", true) {
		reasons = append(reasons, Reason{
			Code: CodeScaleDownDisabled, Text: "cluster-autoscaler removes no nodes (--scale-down-enabled=false)", Remedy: "start it without that flag",
		})
	}
	if g.Blocked != nil {
		reasons = append(reasons, Reason{
			Code: CodeGroupBlocked, NodeGroups: []string{g.Name}, Text: "its node group is left alone: " + sentence(g.Blocked.String()), Remedy: g.Blocked.Remedy,
		})
	}
	if node.Annotations[scaleDownDisabled] == "true" {
		reasons = append(reasons, Reason{
			Code: CodeAnnotated, Text: fmt.Sprintf("its annotation %s=true forbids it", scaleDownDisabled),
			Remedy: fmt.Sprintf("kubectl annotate node %s %s-", node.Name, scaleDownDisabled),
		})
	}
	reasons = append(reasons, f.sizeReasons(g)...)
	if f.podsKnown {
		reasons = append(reasons, f.podReasons(node, g)...)
	}
	if g.Annotations["autoscaling-options-zeroormaxnodescaling"] == "true" {
		reasons = append(reasons, Reason{
			Code: CodeAllOrNothing, NodeGroups: []string{g.Name}, Text: "its node group is either empty or at its maximum: its nodes go all together",
			Remedy: "see why the others stay",
		})
	}
	return append(reasons, f.timeReasons(node, g)...)
}

// podReasons are why a node's pods keep it.
func (f *facts) podReasons(node *v1.Node, g *model.NodeGroup) []Reason {
	var reasons []Reason
	if used := f.usageReason(node, g); used != nil {
		reasons = append(reasons, *used)
	}
	for _, pod := range f.podsOn(node.Name) {
		if r := f.holds(pod); r != nil {
			reasons = append(reasons, *r)
		}
	}
	// Without other obstacles cluster-autoscaler looks for room: where the node is needed anyhow it is no news that there is none.
	if len(reasons) == 0 {
		if r := f.roomReason(node); r != nil {
			reasons = append(reasons, *r)
		}
	}
	return reasons
}

// sizeReasons say that the group is as small as it may be.
func (f *facts) sizeReasons(g *model.NodeGroup) []Reason {
	if g.TargetSize == nil || g.MinSize == nil {
		return nil
	}
	least := *g.MinSize
	if g.Floor != nil {
		least = max(least, g.Floor.Size)
	}
	if *g.TargetSize > least {
		return nil
	}
	if least == *g.MinSize {
		return []Reason{{
			Code: CodeMinSize, NodeGroups: []string{g.Name}, Text: fmt.Sprintf("its node group has %d members and is at its minimum size, %d", *g.TargetSize, *g.MinSize),
			Remedy: "lower node-group-min-size (the tag of its stack, or --nodes)",
		}}
	}
	text := fmt.Sprintf("its node group has %d members, and its floor is %d", *g.TargetSize, least)
	if g.Floor.Reason != "" {
		text += ": " + sentence(g.Floor.Reason)
	}
	return []Reason{{
		Code: CodeFloor, NodeGroups: []string{g.Name}, Text: text,
		Remedy: "the floor falls by itself when the load does, after load-scale-down-window; or change load-target, schedule, headroom",
	}}
}

// timeReasons say that cluster-autoscaler waits.
func (f *facts) timeReasons(node *v1.Node, g *model.NodeGroup) []Reason {
	var reasons []Reason
	options := f.options(g)
	needed, what := options.Duration("scale-down-unneeded-time", defaultUnneeded), "unneeded"
	if !nodegroups.IsReady(node) {
		needed, what = options.Duration("scale-down-unready-time", defaultUnready), "not Ready"
	}
	if taint := taintOf(node, deletionCandidateTaint); taint != nil {
		if seconds, err := strconv.ParseInt(taint.Value, 10, 64); err == nil {
			since := time.Unix(seconds, 0)
			if left := needed - f.since(since); left > 0 {
				reasons = append(reasons, Reason{
					Code: CodeUnneeded, Text: fmt.Sprintf("it has been %s for %s only, of %s: it may go in %s", what, cli.Age(f.At, &since), span(needed), span(left)),
					Remedy: "wait, or set the annotation autoscaling-options-scaledownunneededtime of its group",
				})
			}
		}
	}
	afterAdd := f.flags().Duration("scale-down-delay-after-add", defaultAfterAdd)
	if grown := lastGrowth(g); grown != nil && f.since(*grown) < afterAdd {
		reasons = append(reasons, Reason{
			Code: CodeDelay, NodeGroups: []string{g.Name},
			Text:   fmt.Sprintf("its node group has grown %s ago, and no node goes for %s after that", cli.Age(f.At, grown), span(afterAdd)),
			Remedy: "wait, or lower --scale-down-delay-after-add",
		})
	}
	afterFailure := f.flags().Duration("scale-down-delay-after-failure", defaultAfterFailure)
	if e := lastEvent(g.Events, "ScaleDownFailed"); e != nil {
		r := Reason{
			Code: CodeScaleDownFailed, NodeGroups: []string{g.Name}, Text: fmt.Sprintf("a removal has failed %s ago: %s", cli.Age(f.At, &e.At), sentence(e.Message)),
			Remedy: "mend what the Event says; it is tried again",
		}
		if f.since(e.At) < afterFailure {
			r.Remedy += fmt.Sprintf(" after %s (--scale-down-delay-after-failure)", span(afterFailure))
		}
		reasons = append(reasons, r)
	}
	if len(reasons) == 0 && taintOf(node, deletionCandidateTaint) == nil && f.CoreIsFresh() {
		reasons = append(reasons, f.notYet(node, needed)...)
	}
	return reasons
}

// lastGrowth is when the group grew last, nil if that is not known. cluster-autoscaler tells but one such Event in five minutes, so that
// the newest server is asked too.
func lastGrowth(g *model.NodeGroup) *time.Time {
	var last *time.Time
	if e := lastEvent(g.Events, "ScaledUpGroup", "Grow"); e != nil {
		last = &e.At
	}
	for i := range g.Members {
		if created := g.Members[i].Created; created != nil && (last == nil || created.After(*last)) {
			last = created
		}
	}
	return last
}

// notYet says that a node is so new that cluster-autoscaler can't have found it unneeded for long enough.
func (f *facts) notYet(node *v1.Node, needed time.Duration) []Reason {
	age := f.since(node.CreationTimestamp.Time)
	if age >= needed {
		return nil
	}
	return []Reason{{
		Code:   CodeUnneeded,
		Text:   fmt.Sprintf("it is %s old, and a node has to have been unneeded for %s", cli.Age(f.At, &node.CreationTimestamp.Time), span(needed)),
		Remedy: "wait, or set the annotation autoscaling-options-scaledownunneededtime of its group",
	}}
}

// foreignReason says why a node is no member.
func (f *facts) foreignReason(node *v1.Node) Reason {
	r := Reason{Code: CodeForeign, Remedy: "nothing, if it is meant to be so; else let it be made by the stack of a node group"}
	switch {
	case node.Spec.ProviderID == "":
		r.Text = "it has no provider ID, so that nobody can tell which server it is"
		r.Remedy = "start its kubelet with --provider-id=openstack:///UUID, or run the OpenStack cloud controller manager"
	case !strings.HasPrefix(node.Spec.ProviderID, "openstack://"):
		r.Text = fmt.Sprintf("its provider ID %q is that of another cloud", node.Spec.ProviderID)
	default:
		r.Text = fmt.Sprintf("no stack of a node group has its server (provider ID %q)", node.Spec.ProviderID)
	}
	if _, isControl := node.Labels["node-role.kubernetes.io/control-plane"]; isControl {
		r.Text += "; it belongs to the control plane"
		r.Remedy = "nothing: nodes of the control plane are not scaled"
	}
	return r
}

func leavingReason(node *v1.Node, m *model.Member) Reason {
	r := Reason{Code: CodeLeaving, Text: "its removal has been ordered", Remedy: "wait until its pods have gone and its server is deleted"}
	switch {
	case m.State == "deleting":
		r.Text += ", and its server is being deleted"
	case node.DeletionTimestamp != nil:
		r.Text = "its Node object is being deleted"
	default:
		r.Text += ": cluster-autoscaler is draining it (taint " + toBeDeletedTaint + ")"
	}
	return r
}
