package metrics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestTokensAreCounted(t *testing.T) {
	now := nodegroups.NewSnapshot([]*nodegroups.Group{groupOf(fake.Stack("a", 1)), groupOf(fake.Stack("b", 1))}, nil)
	m := metrics.New(func() *nodegroups.Snapshot { return now }, nil)
	m.TokenMinted("a")
	m.TokenMinted("b")
	m.TokenMinted("a")
	m.TokenRevoked("a", bootstrap.RevokedJoined)
	m.TokensLive(map[string]bootstrap.Live{"a": {Count: 2}, "b": {Count: 1}})
	require.Equal(t, []string{
		"bootstrap_tokens{node_group=a} 2", "bootstrap_tokens{node_group=b} 1",
		"bootstrap_tokens_minted_total{node_group=a} 2", "bootstrap_tokens_minted_total{node_group=b} 1",
		"bootstrap_tokens_revoked_total{node_group=a,reason=joined} 1",
	}, scrape(t, m, "bootstrap_tokens"))

	now = nodegroups.NewSnapshot([]*nodegroups.Group{groupOf(fake.Stack("a", 1))}, nil)
	m.TokensLive(nil)
	require.Equal(t, "bootstrap_tokens{node_group=a} 0", scrape(t, m, "bootstrap_tokens")[0])
	require.NotContains(t, scrape(t, m, "bootstrap_tokens"), "bootstrap_tokens{node_group=b} 0", "the group is gone")
}
