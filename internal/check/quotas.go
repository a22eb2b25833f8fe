package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/quota"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const moreQuota = "ask the cloud's operator for more, or lower node-group-max-size"

func checkQuotas(ctx context.Context, w *World, f *findings) {
	volumes := false
	all, first := quota.Take{}, map[string]quota.Take{}
	var flavorless []string // node groups that may grow by what nobody knows
	for _, g := range w.Snapshot.Groups() {
		by := max(0, g.MaxSize-g.Target)
		volumes = volumes || g.BootVolumeGiB > 0
		all.Add(quota.TakeOf(g, by))
		if by > 0 {
			first[g.Name] = quota.TakeOf(g, 1)
			if g.Flavor == nil {
				flavorless = append(flavorless, g.Name)
			}
		}
	}
	limits := quota.Read(ctx, w.Session, volumes)
	for service, err := range limits.Unknown {
		f.skip(service+"'s quota", "", "it can't be read: %v", err)
	}
	for _, l := range limits.All {
		needed := all[l.Name]
		left, limited := l.Left()
		switch {
		case !limited:
			f.ok(l.Name, "no limit; %d used", l.Used)
		case left >= needed && len(flavorless) > 0 && slices.Contains(quota.OfFlavor, l.Name):
			f.skip(l.Name, "see the check stacks: the flavor is in the template or in the parameter flavor",
				"%d of %d are left, but what a new member takes is not known: no flavor is known of node group %s", left, l.Limit, strings.Join(flavorless, ", "))
		case left >= needed:
			f.ok(l.Name, "%d of %d are left, the node groups may take %d more", left, l.Limit, needed)
		case blocksAll(l, first):
			f.fail(l.Name, moreQuota, "%d of %d are left: no node group can grow by even one", left, l.Limit)
		default:
			f.warn(l.Name, moreQuota, "%d of %d are left, the node groups may ask for %d more", left, l.Limit, needed)
		}
	}
	w.checkServerGroups(ctx, limits.MembersPerServerGroup, f)
	for _, g := range w.Snapshot.Groups() {
		checkResources(g, f)
	}
}

// blocksAll says whether a quota keeps every group that may grow from growing by one.
func blocksAll(l quota.Limit, first map[string]quota.Take) bool {
	left, limited := l.Left()
	if !limited || len(first) == 0 {
		return false
	}
	for _, take := range first {
		if take[l.Name] <= left {
			return false
		}
	}
	return true
}

// checkServerGroups looks at the server groups that hold members: Nova limits how many servers one may have.
func (w *World) checkServerGroups(ctx context.Context, most int, f *findings) {
	if most <= 0 {
		return
	}
	client, err := w.Session.Compute(ctx)
	if err != nil {
		return
	}
	var answer struct {
		Groups []struct {
			Name    string   `json:"name"`
			Members []string `json:"members"`
		} `json:"server_groups"`
	}
	if err := read(ctx, client, "os-server-groups", &answer); err != nil {
		f.skip("server groups", "", "they can't be listed: %s", message(err))
		return
	}
	for _, sg := range answer.Groups {
		var owner *nodegroups.Group
		for _, id := range sg.Members {
			if g, _ := w.Snapshot.ByServer(id); g != nil {
				owner = g
			}
		}
		if owner == nil {
			continue
		}
		thing := "members of server group " + sg.Name
		more := max(0, owner.MaxSize-owner.Target)
		switch {
		case len(owner.Stacks) == 1 && len(sg.Members)+more > most:
			f.warn(thing, moreQuota, "%d of %d, and node group %s may grow by %d", len(sg.Members), most, owner.Name, more)
			continue
		case len(sg.Members) >= most && more > 0:
			f.warn(thing, moreQuota, "%d of %d: the stack of node group %s that has it can't grow, and its other stacks have to", len(sg.Members), most, owner.Name)
			continue
		}
		f.ok(thing, "%d of %d", len(sg.Members), most)
	}
}

// checkResources compares a group's greatest size with what Heat's limit of resources in a tree of stacks allows for its stacks.
func checkResources(g *nodegroups.Group, f *findings) {
	thing := "Heat's resources per stack, node group " + g.Name
	room := len(g.Stacks) * nodegroups.DefaultMaxMembersPerStack
	names := make([]string, 0, len(g.Stacks))
	for _, s := range g.Stacks {
		names = append(names, s.Name)
	}
	if g.MaxSize > room {
		f.warn(thing, "add stacks with the same node-group name", "its greatest size is %d, and %s can have %d members by Heat's default limit of 1000 resources",
			g.MaxSize, strings.Join(names, ", "), room)
		return
	}
	f.ok(thing, "%s", fmt.Sprintf("room for %d members, its greatest size is %d", room, g.MaxSize))
}
