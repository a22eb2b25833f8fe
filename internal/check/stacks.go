package check

import (
	"context"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// checkStacks tells what the autoscaler itself thinks of the stacks: the problems are its own.
func checkStacks(_ context.Context, w *World, f *findings) {
	if w.Snapshot == nil {
		w.noStacks(f)
		return
	}
	bad := map[string]bool{}
	for _, p := range w.Snapshot.Problems() {
		thing := thingOf(p)
		bad[p.Group] = true
		short := p
		short.Group, short.Stack, short.Node, short.Remedy = "", "", "", ""
		if p.Severity == nodegroups.Blocking {
			f.fail(thing, p.Remedy, "%s: %s", p.Reason, short.Error())
		} else {
			f.warn(thing, p.Remedy, "%s: %s", p.Reason, short.Error())
		}
	}
	for _, g := range w.Snapshot.Groups() {
		if g.Blocked != nil || g.GrowthBlocked != nil || bad[g.Name] {
			continue
		}
		names := make([]string, 0, len(g.Stacks))
		for _, s := range g.Stacks {
			names = append(names, s.Name+" ("+s.Status+")")
		}
		f.ok("node group "+g.Name, "%d members, from %d to %d, in %s", g.Target, g.MinSize, g.MaxSize, strings.Join(names, ", "))
	}
	if len(w.Snapshot.Groups()) == 0 {
		f.fail("node groups", "tag a stack, or correct --node-group-auto-discovery: see docs/how-to/make-a-node-group.md",
			"no stack of project %s is a node group (%s)", w.project(), w.Setup.Wanted)
	}
}

// noStacks says why the node groups are not known: if the cloud does not tell them to somebody who is signed in, the autoscaler can
// do nothing.
func (w *World) noStacks(f *findings) {
	why := w.lacks(needGroups)
	if w.Session != nil && w.SnapshotErr != nil {
		f.fail("stacks", "see what is said, and the checks endpoints and access", "%s", why)
		return
	}
	f.skip("stacks", "", "%s", why)
}

func (w *World) project() string {
	if w.Session == nil {
		return ""
	}
	return w.Session.Facts().ProjectName
}

// thingOf says what a problem is about.
func thingOf(p nodegroups.Problem) string {
	var parts []string
	for _, part := range [][2]string{{"node group ", p.Group}, {"stack ", p.Stack}, {"node ", p.Node}} {
		if part[1] != "" {
			parts = append(parts, part[0]+part[1])
		}
	}
	if len(parts) == 0 {
		return p.Reason
	}
	return strings.Join(parts, ", ")
}
