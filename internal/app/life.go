package app

import (
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// newLife is what looks after the nodes of c's groups. It looks as often as core's loop runs.
func (p *program) newLife(c *connection) *nodelife.Life {
	return nodelife.New(c.groups, c.machines, c.nodes, nodelife.Options{
		Repair: p.Repair, RepairAfter: p.RepairAfter, RepairsPerHour: p.RepairsPerHour, DeleteNodes: p.DeleteNodes,
		ProvisionTime: p.core.NodeGroupDefaults.MaxNodeProvisionTime, ForcedRemoval: p.core.ForceDeleteLongUnregisteredNodes,
		Cloud:    func() string { return nodelife.CloudName(c.session.Region(), c.session.ProjectID()) },
		Interval: p.core.ScanInterval, DryRun: p.DryRun, Reporter: c.reporter, Observer: p.observer,
	})
}
