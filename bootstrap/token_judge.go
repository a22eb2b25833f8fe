package bootstrap

import (
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// clockTolerance is how far Nova's clock, which dates servers, may be behind the API server's, which dates tokens.
const clockTolerance = 2 * time.Minute

// judge decides which tokens are needed, at one moment.
type judge struct {
	sight Sight
	opts  TokensOptions
	// now and read, the sight's time, are in the API server's time.
	now, read time.Time
	// joined are the members that have a Node.
	joined map[string]bool
}

// verdict says why a token is to be deleted, "" if it is to be kept.
func (j *judge) verdict(k *token) RevokedReason {
	if k.isExpired(j.now) {
		return RevokedExpired
	}
	group := j.sight.Snapshot.Group(k.group)
	if group == nil {
		if j.read.After(k.created.Add(j.opts.Sharing+j.opts.Settle)) && j.seesAll(k.group) {
			return RevokedGone
		}
		return ""
	}
	provision := provisionTime(group, j.opts.ProvisionTime)
	if !j.read.After(j.settled(k, provision)) {
		return "" // a change of a stack that carries it may not be seen yet
	}
	if group.Blocked != nil || !isCalm(group) {
		return ""
	}
	for _, m := range group.Members {
		if j.mayUse(m, k, provision) {
			return ""
		}
	}
	return RevokedJoined
}

// settled is when every change of a stack that carries the token has been made: nobody shares it any more, and the last one
// who did has sent it.
func (j *judge) settled(k *token, provision time.Duration) time.Time {
	last := k.expires.Add(-provision)
	if shared := k.created.Add(j.opts.Sharing); shared.After(last) {
		last = shared
	}
	return last.Add(j.opts.Settle)
}

// isCalm tells whether all that was ordered is to be seen: Heat's classic engine shows a growth only when it is through.
func isCalm(g *nodegroups.Group) bool {
	for _, s := range g.Stacks {
		if s.Busy || s.Blocked != nil || !s.Known {
			return false
		}
	}
	return true
}

// mayUse tells whether a member may still want to join with the token.
func (j *judge) mayUse(m *nodegroups.Member, k *token, provision time.Duration) bool {
	switch m.State {
	case nodegroups.Failed, nodegroups.Deleting, nodegroups.Lost:
		return false // what is made in its place gets another token, or this one again
	case nodegroups.Creating, nodegroups.Running:
	}
	switch {
	case j.joined[m.ID()]:
		return false
	case m.Created.IsZero():
		return true
	case m.Created.Before(k.created.Add(-clockTolerance)):
		return false // it was made with an older one
	}
	return m.State == nodegroups.Creating || j.now.Sub(m.Created) < provision+clockTolerance
}

// seesAll tells whether a node group that is not in the snapshot does not exist, and is not only unreadable.
func (j *judge) seesAll(group string) bool {
	for _, p := range j.sight.Snapshot.Problems() {
		if p.Reason == nodegroups.ReasonStackUnreadable || p.Group == group {
			return false
		}
	}
	return true
}

// provisionTime is how long a member of the group may take to become a node.
func provisionTime(g *nodegroups.Group, fallback time.Duration) time.Duration {
	if own := g.Config.Options.MaxNodeProvisionTime; own != nil {
		return *own
	}
	return fallback
}
