package ground

import (
	"context"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// Needs are what the node groups ask of the cloud: by their annotations, and by the templates of their stacks. The notes say what
// could not be read.
func (g *Ground) Needs(ctx context.Context) (needs access.Needs, notes []string) {
	groups := g.Snapshot.Groups()
	needs, unread := access.NeedsOfStacks(ctx, heatstack.NewHeat(g.Session), groups)
	for _, u := range unread {
		notes = append(notes, fmt.Sprintf("The template of stack %s can't be read (%s): if it has volumes or load balancers, give --with-volumes or --with-load-balancers.",
			u.Stack, openstack.Message(u.Err)))
	}
	return needs.Or(access.NeedsOf(groups, ceilometer.SourceGnocchi, false)), notes
}
