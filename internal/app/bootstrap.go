package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// joining is what new members join with. It implements heatstack.Joining.
type joining struct {
	*bootstrap.Cluster
	client   kubernetes.Interface
	tokens   *bootstrap.Tokens
	snapshot func() *nodegroups.Snapshot
}

// Requests per second to Kubernetes when machines join. They do not share --kube-client-qps with core, whose five a second would
// make a scale-up of fifty wait.
const (
	joiningQPS   = 50
	joiningBurst = 100
)

// newJoining returns how machines join the program's cluster.
func (p *program) newJoining(reporter nodegroups.Reporter) (*joining, error) {
	config := rest.CopyConfig(p.config)
	config.QPS, config.Burst = joiningQPS, joiningBurst
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the connection to Kubernetes: %w", err)
	}
	sharing := p.TokenSharing
	if sharing == 0 {
		sharing = -1 // TokensOptions takes 0 for its default
	}
	return &joining{
		Cluster: bootstrap.NewCluster(client, config, p.APIServer),
		client:  client,
		tokens: bootstrap.NewTokens(client, bootstrap.TokensOptions{
			Sharing: sharing, ProvisionTime: p.core.NodeGroupDefaults.MaxNodeProvisionTime, Settle: p.WriteTimeout,
			Instance: instance(p.core.ConfigNamespace, p.leader.ResourceName),
			Reporter: reporter, Observer: p.observer,
		}),
		snapshot: p.snapshot,
	}, nil
}

// instance names this autoscaler among others of the cluster, as the leader's lease does: replicas that share the lease share
// the name. It is a label's value.
func instance(namespace, lease string) string {
	name := namespace + "." + lease
	if len(validation.IsValidLabelValue(name)) > 0 {
		sum := sha256.Sum256([]byte(name))
		return hex.EncodeToString(sum[:16])
	}
	return name
}

// Token implements heatstack.Joining.
func (j *joining) Token(ctx context.Context, group string) (string, error) {
	return j.tokens.Token(ctx, group, j.tokens.ValidFor(j.snapshot(), group))
}

// keepTokens revokes bootstrap tokens that are of no use any more, until ctx ends. A dry run has made none, and another program may be at
// work.
func (p *program) keepTokens(ctx context.Context, c *connection, nodes corelisters.NodeLister) {
	if !p.MintTokens || p.DryRun {
		return
	}
	c.join.tokens.Run(ctx, func() bootstrap.Sight { return c.sightings.sight(c.manager.Snapshot) }, nodes)
}

// noTokens is heatstack.Joining with --bootstrap-tokens=false: it asks the cluster for nothing.
type noTokens struct{}

var _ heatstack.Joining = noTokens{}

// Token implements heatstack.Joining.
func (noTokens) Token(_ context.Context, group string) (string, error) {
	return "", tokensAreOff(group)
}

// APIServer implements heatstack.Joining.
func (noTokens) APIServer(context.Context) (string, error) { return "", tokensAreOff("") }

// ClusterCA implements heatstack.Joining.
func (noTokens) ClusterCA(context.Context) (string, error) { return "", tokensAreOff("") }

func tokensAreOff(group string) error {
	return nodegroups.Problem{
		Reason: nodegroups.ReasonNoBootstrapToken, Severity: nodegroups.Warning, Group: group, Key: "--bootstrap-tokens", Value: "false",
		Message: "new members should join with minted bootstrap tokens, which are switched off",
		Remedy:  fmt.Sprintf("let the group join by its own means (%s=%s), or start with --bootstrap-tokens=true", nodegroups.KeyTokenSource, nodegroups.TokenOwn),
	}
}

// sightings notes when the cloud was last read, and passes on what it observes.
type sightings struct {
	cloudprovider.Observer
	// seen is called whenever the cloud was read.
	seen func()

	mu   sync.Mutex
	read time.Time
}

// Refreshed implements cloudprovider.Observer.
func (s *sightings) Refreshed(took time.Duration, err error) {
	s.Observer.Refreshed(took, err)
	if err != nil {
		return
	}
	s.seen()
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
