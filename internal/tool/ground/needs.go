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
	needs = access.NeedsOf(groups, ceilometer.SourceGnocchi, false)
	heat := heatstack.NewHeat(g.Session)
	for _, group := range groups {
		for _, s := range group.Stacks {
			template, err := heat.GetTemplate(ctx, s.Name, s.ID)
			files := map[string]string{}
			if err == nil {
				files, err = heat.GetFiles(ctx, s.Name, s.ID)
			}
			if err != nil {
				notes = append(notes, fmt.Sprintf("The template of stack %s can't be read (%s): if it has volumes or load balancers, give --with-volumes or --with-load-balancers.",
					s.Name, openstack.Message(err)))
				continue
			}
			needs = needs.Or(access.NeedsOfTemplate(template, files))
		}
	}
	return needs, notes
}
