package metrics

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
)

// tokens counts bootstrap tokens. Nothing in it tells one token from another.
type tokens struct {
	minted, revoked *prometheus.CounterVec
	live            *prometheus.GaugeVec
}

func newTokens(counter func(name, help string, labels ...string) *prometheus.CounterVec) tokens {
	return tokens{
		minted: counter("bootstrap_tokens_minted_total", "Bootstrap tokens that were made for new members.", "node_group"),
		revoked: counter("bootstrap_tokens_revoked_total",
			"Bootstrap tokens that were deleted, by reason: joined (every member that could use it is a node), expired, gone (the node group).",
			"node_group", "reason"),
		live: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "bootstrap_tokens", Help: "Bootstrap tokens of ours that the cluster accepts now.",
		}, []string{"node_group"}),
	}
}

func (t *tokens) collectors() []prometheus.Collector {
	return []prometheus.Collector{t.minted, t.revoked, t.live}
}

// TokenMinted counts a token that was made; it belongs to bootstrap.TokenObserver, as do the following.
func (m *Metrics) TokenMinted(group string) { m.tokens.minted.WithLabelValues(group).Inc() }

// TokenRevoked counts a token that was deleted.
func (m *Metrics) TokenRevoked(group string, reason bootstrap.RevokedReason) {
	m.tokens.revoked.WithLabelValues(group, string(reason)).Inc()
}

// TokensLive notes how many tokens there are. A node group that had some before and has none now is at 0; one that is gone
// disappears.
func (m *Metrics) TokensLive(byGroup map[string]bootstrap.Live) {
	m.mu.Lock()
	defer m.mu.Unlock()
	snapshot := m.snapshot()
	maps.DeleteFunc(m.withTokens, func(group string, _ bool) bool {
		isOver := byGroup[group].Count == 0
		if isOver && snapshot.Group(group) == nil {
			m.tokens.live.DeleteLabelValues(group)
		} else if isOver {
			m.tokens.live.WithLabelValues(group).Set(0)
		}
		return isOver
	})
	for group, live := range byGroup {
		m.tokens.live.WithLabelValues(group).Set(float64(live.Count))
		m.withTokens[group] = true
	}
}

var _ bootstrap.TokenObserver = (*Metrics)(nil)
