package nodelife

import (
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// What a member may suffer from. These are values of a metric's label and must not be changed.
//
// cluster-autoscaler 1.33 itself removes members that failed before they ran, and members that have not become nodes within
// their provision time, as long as that leaves the minimum size (static_autoscaler.go, removeOldUnregisteredNodes). A node that
// has stopped reporting it removes only as an unneeded one, after --scale-down-unready-time, above the minimum, if it is
// used little enough; it never replaces one. So the first two are always ours and the others only at the minimum.
const (
	// ailmentError: its server has run and is in ERROR, and the node is not Ready.
	ailmentError = "Error"
	// ailmentShutOff: its server is SHUTOFF by nobody's order, and the node is not Ready.
	ailmentShutOff = "ShutOff"
	// ailmentStuckInBuild: its server has not run within the provision time.
	ailmentStuckInBuild = "StuckInBuild"
	// ailmentNeverJoined: its server runs, and within the provision time it has not become a node.
	ailmentNeverJoined = "NeverJoined"
)

// absenceMargin is how long cluster-autoscaler is given to see for itself that a provision time is over.
const absenceMargin = time.Minute

// illness is a member that is ill, or may become so: one that is no node yet.
type illness struct {
	group  *nodegroups.Group
	member *nodegroups.Member
	node   *v1.Node // nil if it has none
	// ailment is what it suffers from now; since is when that was first seen.
	ailment string
	since   time.Time
	// least is the group's minimum size now, the floor that load wants included: cluster-autoscaler removes nothing below it.
	least int
	// stopped and askAgain keep what Nova said of a stop, so that it is not asked in every look.
	stopped  string
	askAgain time.Time
}

// isAbsent says whether the ailment is that there is no node.
func isAbsent(ailment string) bool {
	return ailment == ailmentStuckInBuild || ailment == ailmentNeverJoined
}

// ailmentOf says what a member suffers from, empty if nothing is known to be wrong. A node that is Ready is well, whatever
// Nova says: a failed resize or migration leaves a machine in ERROR that runs. Every status but these is somebody's order
// (PAUSED, SUSPENDED, RESCUE, SHELVED...) or passes (REBOOT, REBUILD, RESIZE...).
func ailmentOf(m *nodegroups.Member, node *v1.Node) string {
	switch {
	case m.ServerID == "", m.State != nodegroups.Running && m.State != nodegroups.Creating:
		return ""
	case node != nil && (nodegroups.IsReady(node) || isBeingRemoved(node)):
		return ""
	case node != nil:
		return downAilment(m.Status, m.Launched)
	case m.State == nodegroups.Creating:
		return ailmentStuckInBuild
	case m.Status == nodegroups.ServerActive, downAilment(m.Status, m.Launched) != "":
		return ailmentNeverJoined
	}
	return ""
}

// downAilment is what the server of a joined node suffers from, by Nova's status.
func downAilment(status string, launched bool) string {
	switch {
	case status == nodegroups.ServerError && launched:
		return ailmentError
	case status == nodegroups.ServerShutOff:
		return ailmentShutOff
	}
	return ""
}

// follow brings the cases up to date: ailments that go on keep their time, what is well again is forgotten.
func (r *repair) follow(s *sight) {
	present := map[string]bool{}
	for _, g := range s.snapshot.Groups() {
		for _, m := range g.Members {
			node := s.byServer[m.ServerID]
			ailment := ailmentOf(m, node)
			if ailment == "" {
				continue
			}
			present[m.ServerID] = true
			c := r.cases[m.ServerID]
			if c == nil || isAbsent(c.ailment) != isAbsent(ailment) {
				c = &illness{since: s.now}
				r.cases[m.ServerID] = c
			}
			c.group, c.member, c.node, c.ailment, c.least = g, m, node, ailment, s.snapshot.MinSize(g)
		}
	}
	for id := range r.cases {
		if !present[id] {
			delete(r.cases, id)
		}
	}
}

// isDue says whether an illness has lasted long enough, and is not cluster-autoscaler's to deal with.
func (r *repair) isDue(c *illness, now time.Time) bool {
	if !isAbsent(c.ailment) {
		return now.Sub(c.since) >= r.life.opts.RepairAfter
	}
	if r.life.opts.ForcedRemoval || c.group.Target > c.least {
		return false
	}
	return now.Sub(c.since) >= r.provisionTime(c.group)+absenceMargin
}

// provisionTime is how long a member of a group may take to become a node.
func (r *repair) provisionTime(g *nodegroups.Group) time.Duration {
	if t := g.Config.Options.MaxNodeProvisionTime; t != nil {
		return *t
	}
	return r.life.opts.ProvisionTime
}
