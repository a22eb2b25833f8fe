package model

import (
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/known"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// FromSnapshot turns what the provider's own reading has found into node groups, and the problems that belong to none of them.
// Floors that the snapshot has are taken over; a group that may have one which the snapshot does not have is FloorUnknown.
func FromSnapshot(snapshot *nodegroups.Snapshot, memoryOverheadPercent float64) (groups []NodeGroup, others []Problem) {
	at := map[string]int{}
	for i, g := range snapshot.Groups() {
		at[g.Name] = i
		groups = append(groups, fromGroup(snapshot, g, memoryOverheadPercent))
	}
	for _, p := range snapshot.Problems() {
		if i, ok := at[p.Group]; ok {
			groups[i].Problems = append(groups[i].Problems, Problem(*known.Problem(&p)))
			continue
		}
		others = append(others, Problem(*known.Problem(&p)))
	}
	return groups, others
}

// fromGroup is FromStatus of what a report would say, so that both ways show the same.
func fromGroup(snapshot *nodegroups.Snapshot, g *nodegroups.Group, overhead float64) NodeGroup {
	said := known.Group(snapshot, g)
	node, err := nodegroups.TemplateNode(g, nodegroups.TemplateOptions{MemoryOverheadPercent: overhead})
	if err != nil {
		said.TemplateError = err.Error()
	} else {
		said.Template = known.Template(node)
	}
	out := FromStatus(&said)
	out.FloorUnknown = out.Floor == nil && g.Config.Load.Given()
	return out
}
