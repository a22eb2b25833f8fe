package app

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// joining is what new members join with. It implements heatstack.Joining.
type joining struct {
	*bootstrap.Cluster
	tokens   *bootstrap.Tokens
	snapshot func() *nodegroups.Snapshot
}

// newJoining returns how machines join the program's cluster.
func (p *program) newJoining(config *rest.Config, reporter nodegroups.Reporter) *joining {
	sharing := p.TokenSharing
	if sharing == 0 {
		sharing = -1 // TokensOptions takes 0 for its default
	}
	return &joining{
		Cluster: bootstrap.NewCluster(p.client, config, p.APIServer),
		tokens: bootstrap.NewTokens(p.client, bootstrap.TokensOptions{
			Sharing: sharing, ProvisionTime: p.core.NodeGroupDefaults.MaxNodeProvisionTime,
			Reporter: reporter, Observer: p.metrics,
		}),
		snapshot: p.snapshot,
	}
}

// Token implements heatstack.Joining.
func (j *joining) Token(ctx context.Context, group string) (string, error) {
	return j.tokens.Token(ctx, group, j.tokens.ValidFor(j.snapshot(), group))
}

// sightings notes when the cloud was last read, and passes on what it observes.
type sightings struct {
	cloudprovider.Observer

	mu   sync.Mutex
	read time.Time
}

// Refreshed implements cloudprovider.Observer.
func (s *sightings) Refreshed(took time.Duration, err error) {
	s.Observer.Refreshed(took, err)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Now().Add(-took)
}

// sight is what tokens are judged by. The time is taken first: the snapshot may only be newer.
func (s *sightings) sight(snapshot func() *nodegroups.Snapshot) bootstrap.Sight {
	s.mu.Lock()
	read := s.read
	s.mu.Unlock()
	return bootstrap.Sight{Read: read, Snapshot: snapshot()}
}
