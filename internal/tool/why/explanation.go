package why

import (
	"slices"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

// Explanation is the answer to a why.
type Explanation struct {
	model.TypeMeta `json:",inline"`
	Subject        Subject `json:"subject"`
	// State is one word for what is so, such as Pending or Staying; Summary says it in a sentence.
	State   string `json:"state"`
	Summary string `json:"summary"`
	// Reasons are why, the most likely first.
	Reasons []Reason `json:"reasons"`
	// NodeGroups say for each group whether a new node of it would help a pod.
	NodeGroups []GroupFit `json:"nodeGroups,omitempty"`
	// Said is what scheduler and cluster-autoscaler said of it lately, newest first.
	Said []model.Event `json:"said,omitempty"`
	// Checked and NotChecked say what the answer rests on.
	Checked    []string     `json:"checked,omitempty"`
	NotChecked []string     `json:"notChecked,omitempty"`
	Source     model.Source `json:"source"`
}

// Subject is what was asked about.
type Subject struct {
	// Kind is Pod, Node or NodeGroup.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// Reason is one reason.
type Reason struct {
	// Code is a stable word; one of the Code constants, or the code of a Problem.
	Code string `json:"code"`
	// NodeGroups are those that it is about; none: it is about the whole cluster or about the subject itself.
	NodeGroups []string `json:"nodeGroups,omitempty"`
	Text       string   `json:"text"`
	Remedy     string   `json:"remedy,omitempty"`
}

// GroupFit says whether a group would help a pod.
type GroupFit struct {
	Name string `json:"name"`
	// Fits: a new node of the group would take the pod, as far as that is checked.
	Fits bool `json:"fits"`
	// CanGrow: nothing is known to keep the group from growing. Members and stacks that have failed do not: more can be ordered.
	CanGrow bool `json:"canGrow"`
	// Obstacles are why not, and what has failed in the group lately.
	Obstacles []Reason `json:"obstacles,omitempty"`
}

// Codes of reasons.
const (
	// of the cluster
	CodeAutoscalerMissing = "AutoscalerNotRunning"
	CodeAutoscalerSilent  = "AutoscalerSilent"
	CodeAutoscalerStarts  = "AutoscalerStarting"
	CodeClusterUnhealthy  = "ClusterUnhealthy"
	CodeDryRun            = "DryRun"
	CodeMaxNodesTotal     = "MaxNodesTotal"
	CodeScaleDownDisabled = "ScaleDownDisabled"
	// of a group's growth
	CodeUnknownToCore   = "UnknownToAutoscaler"
	CodeAtMax           = "AtMaximum"
	CodeBackOff         = "BackOff"
	CodeGroupUnhealthy  = "GroupUnhealthy"
	CodeStackFailed     = "StackFailed"
	CodeGrowing         = "Growing"
	CodeNothingPending  = "NothingPending"
	CodeTemplateUnknown = "NewNodeUnknown"
	CodeNotReady        = "MembersNotReady"
	// of a pod on a group's node
	CodeInsufficient = "InsufficientResource"
	CodeTaint        = "UntoleratedTaint"
	CodeSelector     = "NodeSelector"
	CodeAffinity     = "NodeAffinity"
	CodeZone         = "Zone"
	CodeVolume       = "VolumeZone"
	// of a pod
	CodeNoGroups     = "NoNodeGroups"
	CodeGated        = "SchedulingGated"
	CodeDaemonSet    = "DaemonSetPod"
	CodeExpendable   = "ExpendablePod"
	CodeClaim        = "ClaimMissing"
	CodeVolumeLost   = "VolumeLost"
	CodeNominated    = "Preempting"
	CodeBound        = "WaitsForKubelet"
	CodeNotScheduled = "NotLookedAtYet"
	CodeSoon         = "NewNodeComing"
	CodeTurn         = "WaitsForAutoscaler"
	// of a node
	CodeForeign         = "NotAMember"
	CodeGroupBlocked    = "GroupBlocked"
	CodeLeaving         = "BeingRemoved"
	CodeAnnotated       = "ScaleDownDisabledAnnotation"
	CodeMinSize         = "MinimumSize"
	CodeFloor           = "Floor"
	CodeUsed            = "Used"
	CodeNotEvictable    = "PodNotSafeToEvict"
	CodeBudget          = "PodDisruptionBudget"
	CodeLocalStorage    = "LocalStorage"
	CodeNotReplicated   = "PodWithoutController"
	CodeCustomPod       = "PodOfCustomController"
	CodeSystemPod       = "SystemPod"
	CodeNoRoom          = "NoRoomForPods"
	CodeUnneeded        = "UnneededNotLongEnough"
	CodeDelay           = "ScaleDownDelay"
	CodeAllOrNothing    = "ZeroOrMax"
	CodeScaleDownFailed = "ScaleDownFailed"
)

// gather adds reasons, those of several groups with the same text as one.
func gather(reasons []Reason, more ...Reason) []Reason {
	for _, r := range more {
		i := slices.IndexFunc(reasons, func(known Reason) bool {
			return known.Code == r.Code && known.Text == r.Text && len(known.NodeGroups) > 0 && len(r.NodeGroups) > 0
		})
		if i < 0 {
			r.NodeGroups = slices.Clone(r.NodeGroups)
			reasons = append(reasons, r)
			continue
		}
		for _, name := range r.NodeGroups {
			if !slices.Contains(reasons[i].NodeGroups, name) {
				reasons[i].NodeGroups = append(reasons[i].NodeGroups, name)
			}
		}
	}
	return reasons
}
