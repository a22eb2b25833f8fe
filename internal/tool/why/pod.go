package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

// States of a pod.
const (
	statePending  = "Pending"
	stateBound    = "Scheduled"
	stateRunning  = "Running"
	stateEnded    = "Ended"
	stateDeleting = "Deleting"
)

// pod explains why a pod is pending. said are the Events about it.
func (f *facts) pod(pod *v1.Pod, said []model.Event) Explanation {
	x := Explanation{Subject: Subject{"Pod", pod.Namespace, pod.Name}, Said: said}
	age := cli.Age(f.At, &pod.CreationTimestamp.Time)
	switch {
	case pod.DeletionTimestamp != nil:
		x.State, x.Summary = stateDeleting, "is being deleted"
	case pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed:
		x.State, x.Summary = stateEnded, fmt.Sprintf("has ended: it is %s", pod.Status.Phase)
	case pod.Status.Phase == v1.PodRunning:
		x.State, x.Summary = stateRunning, fmt.Sprintf("is not pending: it runs on node %q", pod.Spec.NodeName)
	case pod.Spec.NodeName != "":
		x.State, x.Summary = stateBound, fmt.Sprintf("has a node, %q, and does not run there yet", pod.Spec.NodeName)
		x.Reasons = []Reason{boundReason(pod)}
	default:
		x.State, x.Summary = statePending, fmt.Sprintf("is pending for %s: no node has been found for it", age)
		f.explainPending(&x, pod)
	}
	return x
}

// boundReason is why a pod that has a node does not run.
func boundReason(pod *v1.Pod) Reason {
	r := Reason{
		Code: CodeBound, Text: "its node's kubelet has not started it yet; that is no matter of node groups",
		Remedy: fmt.Sprintf("kubectl -n %s describe pod %s", pod.Namespace, pod.Name),
	}
	for i := range pod.Status.ContainerStatuses {
		if w := pod.Status.ContainerStatuses[i].State.Waiting; w != nil && w.Reason != "" {
			r.Text = fmt.Sprintf("its container %q waits: %s: %s", pod.Status.ContainerStatuses[i].Name, w.Reason, sentence(w.Message))
			return r
		}
	}
	return r
}

func (f *facts) explainPending(x *Explanation, pod *v1.Pod) {
	x.Checked, x.NotChecked = f.fitChecked(), slices.Concat(f.notChecked, fitNotChecked, f.assumed())
	if f.claims != nil {
		x.Checked = append(x.Checked, zonesChecked)
	}
	x.Reasons = gather(x.Reasons, f.ownReasons(pod)...)
	x.Reasons = gather(x.Reasons, f.autoscalerReasons()...)
	x.Reasons = gather(x.Reasons, f.limitReasons()...)
	if len(f.Groups) == 0 {
		x.Reasons = append(x.Reasons, Reason{
			Code: CodeNoGroups, Text: "there is no node group that could grow for it",
			Remedy: "give a stack all tags of --node-group-auto-discovery; \"list\" shows what is found",
		})
	}
	fits := make([]GroupFit, 0, len(f.Groups))
	for i := range f.Groups {
		fits = append(fits, f.groupFit(pod, &f.Groups[i]))
	}
	x.NodeGroups = slices.Clone(fits)
	// What is closest to a node for the pod says most: groups whose node it would fit on, then those with the fewest obstacles.
	slices.SortStableFunc(fits, func(a, b GroupFit) int {
		return cmp.Or(compareBool(a.Fits, b.Fits), cmp.Compare(len(a.Obstacles), len(b.Obstacles)))
	})
	helped := false
	for i := range fits {
		helped = helped || fits[i].Fits && fits[i].CanGrow
	}
	if helped && len(x.Reasons) == 0 {
		x.Reasons = append(x.Reasons, f.waiting(x, fits)...)
		// What has failed where it waits for a node may be why it waits for long.
		for i := range fits {
			if fits[i].Fits && fits[i].CanGrow {
				x.Reasons = gather(x.Reasons, fits[i].Obstacles...)
			}
		}
		return
	}
	for i := range fits {
		x.Reasons = gather(x.Reasons, fits[i].Obstacles...)
	}
}

// compareBool puts true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// groupFit says whether a new node of a group would take the pod, and whether it can be had.
func (f *facts) groupFit(pod *v1.Pod, g *model.NodeGroup) GroupFit {
	out := GroupFit{Name: g.Name}
	node, like := f.newNode(g)
	if node == nil {
		out.Obstacles = append(out.Obstacles, templateUnknown(g))
	} else {
		found := fit(pod, node, f.takenByDaemonSets(node), f.claims)
		out.Fits = len(found) == 0
		for _, o := range found {
			text := o.text
			if o.code == CodeInsufficient {
				text += " (" + like + ")"
			}
			out.Obstacles = append(out.Obstacles, Reason{Code: o.code, NodeGroups: []string{g.Name}, Text: text, Remedy: o.remedy})
		}
	}
	growth := f.growthReasons(g)
	out.CanGrow = len(growth) == 0
	out.Obstacles = slices.Concat(out.Obstacles, growth, f.failureReasons(g))
	return out
}

// waiting is why a pod waits although a group can grow for it.
func (f *facts) waiting(x *Explanation, fits []GroupFit) []Reason {
	for i := range fits {
		g := f.Group(fits[i].Name)
		if !fits[i].Fits || g == nil || !f.isComing(g) {
			continue
		}
		return []Reason{{
			Code: CodeSoon, NodeGroups: []string{g.Name},
			Text:   fmt.Sprintf("a new node is on its way: of %s members ordered %s Ready", cli.Number(g.TargetSize), readyText(g)),
			Remedy: "wait; \"describe " + g.Name + "\" shows the members",
		}}
	}
	r := Reason{Code: CodeTurn, Remedy: "wait for a loop or two of cluster-autoscaler (--scan-interval, and --new-pod-scale-up-delay); then look at its Events about the pod"}
	for i := range fits {
		if fits[i].Fits && fits[i].CanGrow {
			r.NodeGroups = append(r.NodeGroups, fits[i].Name)
		}
	}
	r.Text = "as far as is checked here it fits on a new node, and nothing keeps the node group from growing"
	if e := lastEvent(x.Said, "NotTriggerScaleUp"); e != nil {
		r.Text += fmt.Sprintf("; cluster-autoscaler, which checks more, said %s ago: %s", cli.Age(f.At, &e.At), sentence(e.Message))
		r.Remedy = "compare what cluster-autoscaler said with what is not checked here: affinity between pods, topology spread and so on"
	}
	return []Reason{r}
}

// isComing says whether a node of the group is on its way: a server that is being made, or one that is no Ready node yet and is younger
// than the time that cluster-autoscaler gives it to become one. An older one has failed or died; of one whose age is not known it can't
// be told.
func (f *facts) isComing(g *model.NodeGroup) bool {
	patience := f.options(g).Duration("max-node-provision-time", defaultProvision)
	return slices.ContainsFunc(g.Members, func(m model.Member) bool {
		isNew := m.Created != nil && f.since(*m.Created) < patience
		return m.State == "creating" || m.State == "running" && m.Ready != nil && !*m.Ready && isNew
	})
}

// isNotReadyYet says whether there are fewer Ready nodes than ordered members, for whatever reason.
func isNotReadyYet(g *model.NodeGroup) bool {
	return g.TargetSize != nil && g.ReadyNodes != nil && *g.ReadyNodes < *g.TargetSize
}

func readyText(g *model.NodeGroup) string {
	switch {
	case g.ReadyNodes == nil:
		return "an unknown number is"
	case *g.ReadyNodes == 1:
		return "1 is"
	}
	return fmt.Sprintf("%d are", *g.ReadyNodes)
}

// Default of cluster-autoscaler's --expendable-pods-priority-cutoff.
const expendableCutoff = -10

// ownReasons are why cluster-autoscaler, or the scheduler, does nothing for the pod whatever the groups are.
func (f *facts) ownReasons(pod *v1.Pod) []Reason {
	var reasons []Reason
	if len(pod.Spec.SchedulingGates) > 0 {
		names := make([]string, 0, len(pod.Spec.SchedulingGates))
		for _, gate := range pod.Spec.SchedulingGates {
			names = append(names, gate.Name)
		}
		reasons = append(reasons, Reason{
			Code: CodeGated, Text: "it is not to be scheduled yet: it has the scheduling gates " + strings.Join(names, ", "),
			Remedy: "whoever set the gates has to remove them",
		})
	}
	for i := range pod.Spec.Volumes {
		source := pod.Spec.Volumes[i].PersistentVolumeClaim
		if source == nil || f.claims == nil {
			continue
		}
		claim, there := f.claims[source.ClaimName]
		switch {
		case claim.Lost != "":
			reasons = append(reasons, Reason{
				Code:   CodeVolumeLost,
				Text:   fmt.Sprintf("its PersistentVolumeClaim %q is bound to PersistentVolume %q, which does not exist", source.ClaimName, claim.Lost),
				Remedy: "make the PersistentVolume anew if its disk is still there; else give the pod a new claim: what was on the volume is lost",
			})
		case !there:
			reasons = append(reasons, Reason{
				Code: CodeClaim, Text: fmt.Sprintf("its PersistentVolumeClaim %q does not exist", source.ClaimName), Remedy: "create the claim",
			})
		}
	}
	if owner := metav1.GetControllerOf(pod); owner != nil && owner.Kind == "DaemonSet" {
		reasons = append(reasons, Reason{
			Code: CodeDaemonSet, Text: fmt.Sprintf("it belongs to DaemonSet %q and to one node that is there; no new node would help", owner.Name),
			Remedy: "make room on its node, or give the DaemonSet a higher priority",
		})
	}
	cutoff := f.flags().Int("expendable-pods-priority-cutoff", expendableCutoff)
	if p := pod.Spec.Priority; p != nil && int(*p) < cutoff {
		reasons = append(reasons, Reason{
			Code: CodeExpendable, Text: fmt.Sprintf("its priority is %d: cluster-autoscaler adds no nodes for pods below %d", *p, cutoff),
			Remedy: "give it a higher priority, or lower --expendable-pods-priority-cutoff",
		})
	}
	if pod.Status.NominatedNodeName != "" {
		reasons = append(reasons, Reason{
			Code:   CodeNominated,
			Text:   fmt.Sprintf("the scheduler is making room for it on node %q by evicting pods of lower priority", pod.Status.NominatedNodeName),
			Remedy: "wait until they have gone",
		})
	}
	if !wasLookedAt(pod) && len(pod.Spec.SchedulingGates) == 0 {
		reasons = append(reasons, Reason{
			Code: CodeNotScheduled, Text: fmt.Sprintf("the scheduler %q has not said anything of it yet", pod.Spec.SchedulerName),
			Remedy: "if that lasts, no such scheduler runs: mend the pod's schedulerName, or start it",
		})
	}
	return reasons
}

// wasLookedAt says whether a scheduler has tried to place the pod.
func wasLookedAt(pod *v1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c v1.PodCondition) bool { return c.Type == v1.PodScheduled })
}
