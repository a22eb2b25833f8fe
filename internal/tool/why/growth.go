package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// growthReasons are why a group can't grow, whoever asks for it. What else went wrong there is in failureReasons.
func (f *facts) growthReasons(g *model.NodeGroup) []Reason {
	var reasons []Reason
	say := func(code, text, remedy string) {
		reasons = append(reasons, Reason{Code: code, NodeGroups: []string{g.Name}, Text: text, Remedy: remedy})
	}
	for _, p := range []*model.Problem{g.Blocked, g.GrowthBlocked} {
		if p != nil {
			say(p.Code, "it is left alone: "+sentence(p.String()), p.Remedy)
		}
	}
	if f.CoreIsFresh() && !f.Core.Initializing && g.Core == nil && g.Blocked == nil {
		say(CodeUnknownToCore, "cluster-autoscaler's status does not know the group",
			"compare the tags of its stacks with the autoscaler's --node-group-auto-discovery; or its groups are those of another project or cluster")
	}
	if g.AtMax() {
		say(CodeAtMax, fmt.Sprintf("it is at its maximum size, %d", *g.MaxSize), "raise node-group-max-size (the tag of its stack, or --nodes)")
	}
	if g.Core != nil && g.Core.ScaleUp == model.ScaleUpBackOff {
		text, remedy := f.backOff(g)
		say(CodeBackOff, text, remedy)
	}
	if g.Core != nil && g.Core.Health == "Unhealthy" {
		say(CodeGroupUnhealthy, "cluster-autoscaler takes the group for unhealthy: too many of its members are no Ready nodes",
			"see why they are not Ready (describe "+g.Name+"): the kubelet does not join, or has stopped")
	}
	return reasons
}

// remedies for failures of members, by code.
var remedies = map[string]string{
	nodegroups.CodeQuotaExceeded: "raise the project's quota or free some of it (openstack quota show --usage)",
	nodegroups.CodeNoValidHost:   "no host has room for the flavor: let the cloud's operator add some, or give the pods another node group with another flavor or zone",
	nodegroups.CodeNotFound:      "mend the stack's parameters: something that they name is not there",
	nodegroups.CodeUnauthorized:  "the credentials, or the stack's trust, do not allow it: update the stack once as the user whose credentials the autoscaler has",
	nodegroups.CodeRateLimited:   "the cloud has too much to do; it is tried again",
	nodegroups.CodeTimeout:       "the cloud was too slow; it is tried again",
	nodegroups.CodeInvalid:       "mend the stack's parameters or template",
}

func remedyFor(code string) string {
	if remedy, ok := remedies[code]; ok {
		return remedy
	}
	return "see the cloud's own words; it is tried again"
}

// failureReasons are what went wrong in a group without keeping it from growing: stacks in a failed state, which are updated all the
// same, and members that could not be made, once for each kind of failure. What is said as the reason of a back-off is left out.
func (f *facts) failureReasons(g *model.NodeGroup) []Reason {
	reasons := failedMembers(g)
	if g.Core != nil && g.Core.ScaleUp == model.ScaleUpBackOff {
		reasons = slices.DeleteFunc(reasons, func(r Reason) bool { return r.Code == g.Core.BackoffCode })
	}
	for i := range g.Stacks {
		s := &g.Stacks[i]
		if s.Blocked == nil && strings.HasSuffix(s.Status, "_FAILED") {
			reasons = append(reasons, Reason{
				Code: CodeStackFailed, NodeGroups: []string{g.Name},
				Text:   fmt.Sprintf("its stack %q is %s: %s", s.Name, s.Status, sentence(cli.OrUnknown(s.Reason))),
				Remedy: fmt.Sprintf("openstack stack failures list %s; it is tried again a few times, and any update of the stack starts anew", s.Name),
			})
		}
	}
	return reasons
}

func failedMembers(g *model.NodeGroup) []Reason {
	var reasons []Reason
	seen := map[string]int{}
	for i := range g.Members {
		m := &g.Members[i]
		if m.State != "failed" || m.FailureCode == "" {
			continue
		}
		if seen[m.FailureCode]++; seen[m.FailureCode] > 1 {
			continue
		}
		reasons = append(reasons, Reason{
			Code: m.FailureCode, NodeGroups: []string{g.Name}, Remedy: remedyFor(m.FailureCode),
			Text: fmt.Sprintf("a member could not be made: %s: %s", m.FailureCode, sentence(m.FailureMessage)),
		})
	}
	return reasons
}

// Defaults of cluster-autoscaler's flags (config/flags/flags.go).
const (
	initialBackOff = 5 * time.Minute
	longestBackOff = 30 * time.Minute
)

// backOff says why cluster-autoscaler does not try to grow the group, and until when.
func (f *facts) backOff(g *model.NodeGroup) (text, remedy string) {
	first, longest := f.flags().Duration("initial-node-group-backoff-duration", initialBackOff), f.flags().Duration("max-node-group-backoff-duration", longestBackOff)
	text = "cluster-autoscaler does not try to grow it after a failure"
	if g.Core.ScaleUpSince != nil {
		text += fmt.Sprintf(" %s ago", cli.Age(f.At, g.Core.ScaleUpSince))
	}
	code := g.Core.BackoffCode
	switch {
	case code != "":
		text += fmt.Sprintf(": %s: %s", code, sentence(g.Core.BackoffMessage))
	default:
		// Before 1.30 the status did not tell it; the Event does.
		if e := lastEvent(g.Events, "ScaleUpFailed", "FailedToScaleUpGroup", "ScaleUpTimedOut"); e != nil {
			text += ": " + sentence(e.Message)
			for known := range remedies {
				if strings.Contains(e.Message, known) {
					code = known
				}
			}
		}
	}
	remedy = fmt.Sprintf("it tries again after %s, doubled with each further failure up to %s", span(first), span(longest))
	if code != "" {
		remedy = remedyFor(code) + "; " + remedy
	}
	return text, remedy
}
