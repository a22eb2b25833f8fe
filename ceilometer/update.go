package ceilometer

import (
	"context"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// update is Update, one at a time.
func (f *Floors) update(_ context.Context, _ []*nodegroups.Group) map[string]nodegroups.Floor {
	return nil
}
