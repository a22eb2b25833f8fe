package cloud

import (
	"context"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Rehearse is heatstack.Cloud's: what an update of a stack would be.
func (r *Reader) Rehearse(ctx context.Context, stackID string, by int, remove []nodegroups.Member) (*heatstack.Rehearsal, error) {
	return r.stacks.Rehearse(ctx, stackID, by, remove)
}
