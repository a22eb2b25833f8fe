package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// certificates counts what is decided about CertificateSigningRequests.
type certificates struct {
	decisions *prometheus.CounterVec
	waits     *prometheus.HistogramVec
}

func newCertificates() certificates {
	return certificates{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "csr_decisions_total",
			Help: "Requests for nodes' certificates by signer, decision (approved, denied, pending) and reason; once each.",
		}, []string{"signer", "decision", "reason"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "csr_approval_duration_seconds",
			Help:    "Time from the making of a request for a node's certificate to its approval.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"signer"}),
	}
}

func (c *certificates) collectors() []prometheus.Collector {
	return []prometheus.Collector{c.decisions, c.waits}
}

// CSRDecided counts a decision; it belongs to bootstrap.ApprovalObserver, as does the next.
func (m *Metrics) CSRDecided(signer, decision, reason string) {
	m.certificates.decisions.WithLabelValues(signer, decision, reason).Inc()
}

// CSRApproved notes how long a request has waited.
func (m *Metrics) CSRApproved(signer string, after time.Duration) {
	m.certificates.waits.WithLabelValues(signer).Observe(after.Seconds())
}
