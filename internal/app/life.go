package app

import (
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// newLife is what looks after the nodes of c's groups. It looks as often as core's loop runs.
func newLife(c *cloud, s *settings, session *openstack.Session, m *metrics.Metrics, reporter nodegroups.Reporter) *nodelife.Life {
	return nodelife.New(c.manager, c.machines, c.nodes, nodelife.Options{
		Repair: s.Repair, RepairAfter: s.RepairAfter, RepairsPerHour: s.RepairsPerHour, DeleteNodes: s.DeleteNodes,
		ProvisionTime: s.core.NodeGroupDefaults.MaxNodeProvisionTime, ForcedRemoval: s.core.ForceDeleteLongUnregisteredNodes,
		Cloud:    func() string { return nodelife.CloudName(session.Region(), session.ProjectID()) },
		Interval: s.core.ScanInterval, DryRun: s.DryRun, Reporter: reporter, Observer: m,
	})
}
