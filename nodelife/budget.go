package nodelife

import (
	"slices"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// atOnceShare is the part of a group that may be under replacement at once, and one member in any case.
	atOnceShare = 0.1
	// groupPerHour bounds the replacements in one group. Who needs more has a bad image, flavor or network, and another
	// machine of the same will not do.
	groupPerHour = 4
	// clusterAtOnce bounds the replacements that are under way in the whole cluster.
	clusterAtOnce = 5
	// unreadyShare is the part of the nodes that may be not Ready, besides one: with more the cause is not in the machines.
	unreadyShare = 1.0 / 3
	// pauseFirst and pauseLast bound the pause of a group after a replacement that failed, doubled for each further one.
	pauseFirst, pauseLast = 10 * time.Minute, 4 * time.Hour
	// settleMargin is how much longer than the provision time a replacement may take: Heat has to work first.
	settleMargin = 5 * time.Minute
)

// replacement is one that was ordered.
type replacement struct {
	group, victim string
	at            time.Time
	// before are the servers that the group had.
	before map[string]bool
	// ended: it has become a node, or has failed.
	ended bool
}

// pause is the time for which a group is left alone.
type pause struct {
	until time.Time
	wait  time.Duration
}

// settle finds out which replacements have ended, and how.
func (r *repair) settle(s *sight) {
	claimed := map[string]bool{}
	for _, p := range r.history {
		g := s.snapshot.Group(p.group)
		switch {
		case p.ended:
		case g == nil:
			p.ended = true // nothing more will be done in it
		case r.hasSucceeded(p, g, s, claimed):
			p.ended = true
			delete(r.pauses, p.group)
		case s.now.Sub(p.at) > r.provisionTime(g)+settleMargin:
			p.ended = true
			r.failed(p.group, s.now)
			r.report(nodegroups.Problem{
				Reason: nodegroups.ReasonRepairFailed, Group: p.group, Key: "server", Value: p.victim,
				Message: "the member that was ordered in place of a broken one has not become a node in time; the group is left alone for a while",
				Remedy:  "see the stack's failures and the new server's console log",
			})
		}
	}
	r.history = slices.DeleteFunc(r.history, func(p *replacement) bool { return p.ended && s.now.Sub(p.at) >= time.Hour })
}

// hasSucceeded says whether the victim has gone and a new member is a Ready node, or the group is whole without one, because
// it has been made smaller since.
func (r *repair) hasSucceeded(p *replacement, g *nodegroups.Group, s *sight, claimed map[string]bool) bool {
	if _, m := s.snapshot.ByServer(p.victim); m != nil {
		return false
	}
	isWhole := true
	for _, m := range g.Members {
		node := s.byServer[m.ServerID]
		joined := m.State == nodegroups.Running && node != nil && nodegroups.IsReady(node)
		isWhole = isWhole && joined
		if joined && !p.before[m.ServerID] && !claimed[m.ServerID] {
			claimed[m.ServerID] = true
			return true
		}
	}
	return isWhole
}

// failed pauses a group, longer each time.
func (r *repair) failed(group string, now time.Time) {
	p := r.pauses[group]
	if p == nil {
		p = &pause{wait: pauseFirst / 2}
		r.pauses[group] = p
	}
	p.wait = min(p.wait*2, pauseLast)
	p.until = now.Add(p.wait)
}

// spent says which budget is used up for one more replacement in a group, empty if none is.
func (r *repair) spent(g *nodegroups.Group, now time.Time) string {
	groupHour, groupNow, hour, all := 0, 0, 0, 0
	for _, p := range r.history {
		isRecent := now.Sub(p.at) < time.Hour
		if isRecent {
			hour++
		}
		if !p.ended {
			all++
		}
		if p.group == g.Name {
			if isRecent {
				groupHour++
			}
			if !p.ended {
				groupNow++
			}
		}
	}
	p := r.pauses[g.Name]
	switch {
	case p != nil && now.Before(p.until):
		return heldBackOff
	case groupNow >= max(1, int(atOnceShare*float64(g.Target))):
		return heldGroupAtOnce
	case groupHour >= groupPerHour:
		return heldGroupPerHour
	case all >= clusterAtOnce:
		return heldClusterAtOnce
	case hour >= r.life.opts.RepairsPerHour:
		return heldClusterPerHour
	}
	return ""
}

// isOutage says whether so many nodes are not Ready that something else than a machine is broken: of the members' nodes,
// or of all nodes.
func isOutage(s *sight) bool {
	unready, unreadyMembers := 0, 0
	for _, node := range s.nodes {
		if !nodegroups.IsReady(node) {
			unready++
		}
	}
	for _, node := range s.byServer {
		if !nodegroups.IsReady(node) {
			unreadyMembers++
		}
	}
	tooMany := func(unready, all int) bool { return unready > 1 && float64(unready) > unreadyShare*float64(all) }
	return tooMany(unready, len(s.nodes)) || tooMany(unreadyMembers, len(s.byServer))
}
