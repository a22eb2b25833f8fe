package model

import (
	"fmt"
	"strings"
)

// What Status of a NodeGroup may be.
const (
	// StatusOK: as many nodes are Ready as are ordered, and the group may grow and shrink.
	StatusOK = "OK"
	// StatusGrowing: members are being made; StatusShrinking: members are being removed.
	StatusGrowing   = "Growing"
	StatusShrinking = "Shrinking"
	// StatusNotReady: members run whose nodes are not Ready.
	StatusNotReady = "NotReady"
	// StatusFailing: members could not be made, or were lost.
	StatusFailing = "Failing"
	// StatusBackOff: cluster-autoscaler does not try to grow the group for a while.
	StatusBackOff = "BackOff"
	// StatusNoGrowth: it may shrink, not grow. StatusBlocked: it is left alone.
	StatusNoGrowth = "NoGrowth"
	StatusBlocked  = "Blocked"
	// StatusUnknown: its size is not known.
	StatusUnknown = "Unknown"
)

// ScaleUpBackOff is cluster-autoscaler's word for a group that it does not try to grow.
const ScaleUpBackOff = "Backoff"

// Count is how many members are in a state, such as "failed".
func (g *NodeGroup) Count(state string) int {
	n := 0
	for i := range g.Members {
		if g.Members[i].State == state {
			n++
		}
	}
	return n
}

// Least is the size below which nothing is removed: the floor or the minimum size; nil if it is not known.
func (g *NodeGroup) Least() *int {
	if g.MinSize == nil || g.FloorUnknown {
		return nil
	}
	least := *g.MinSize
	if g.Floor != nil {
		least = max(least, g.Floor.Size)
	}
	return &least
}

// AtMax says whether the group is at its maximum size.
func (g *NodeGroup) AtMax() bool {
	return g.TargetSize != nil && g.MaxSize != nil && *g.TargetSize >= *g.MaxSize
}

// Judge sets Status and Reason: what hinders most goes first.
func (g *NodeGroup) Judge() {
	switch {
	case g.Blocked != nil:
		g.Status, g.Reason = StatusBlocked, g.Blocked.Short()
	case g.GrowthBlocked != nil:
		g.Status, g.Reason = StatusNoGrowth, g.GrowthBlocked.Short()
	case g.Core != nil && g.Core.ScaleUp == ScaleUpBackOff:
		g.Status, g.Reason = StatusBackOff, g.backOffText()
	case g.Count("failed")+g.Count("lost") > 0:
		g.Status, g.Reason = StatusFailing, g.failureText()
	case g.TargetSize == nil:
		g.Status, g.Reason = StatusUnknown, "its size is not known"
	case g.Count("creating") > 0:
		g.Status, g.Reason = StatusGrowing, fmt.Sprintf("%d being made", g.Count("creating"))
	case g.Count("deleting") > 0:
		g.Status, g.Reason = StatusShrinking, fmt.Sprintf("%d being removed", g.Count("deleting"))
	case g.ReadyNodes != nil && g.TargetSize != nil && *g.ReadyNodes < *g.TargetSize:
		g.Status, g.Reason = StatusNotReady, fmt.Sprintf("%d of %d nodes are not Ready", *g.TargetSize-*g.ReadyNodes, *g.TargetSize)
	default:
		g.Status, g.Reason = StatusOK, ""
		if g.AtMax() {
			g.Reason = "at its maximum size"
		}
	}
}

func (g *NodeGroup) backOffText() string {
	text := "no growth for a while after a failure"
	if g.Core.BackoffCode != "" || g.Core.BackoffMessage != "" {
		text += ": " + strings.TrimPrefix(g.Core.BackoffCode+": "+g.Core.BackoffMessage, ": ")
	}
	return text
}

func (g *NodeGroup) failureText() string {
	for i := range g.Members {
		if m := &g.Members[i]; m.FailureCode != "" {
			return fmt.Sprintf("%d could not be made: %s: %s", g.Count("failed"), m.FailureCode, m.FailureMessage)
		}
	}
	return fmt.Sprintf("%d failed, %d lost", g.Count("failed"), g.Count("lost"))
}

// Short is the problem in a few words.
func (p *Problem) Short() string {
	text := p.Code + ": "
	if p.Key != "" && p.Value != "" {
		text += p.Key + "=" + p.Value + ": "
	}
	return text + p.Message
}

// String is the whole problem without its remedy.
func (p *Problem) String() string {
	text := p.Message
	switch {
	case p.Key != "" && p.Value != "":
		text = fmt.Sprintf("%s=%q: %s", p.Key, p.Value, text)
	case p.Key != "":
		text = fmt.Sprintf("%s: %s", p.Key, text)
	}
	if p.Stack != "" {
		text = fmt.Sprintf("stack %q: %s", p.Stack, text)
	}
	return text
}
