// Package alerts tests what the chart and deploy/grafana have for Prometheus: alert rules and the queries of the dashboard with
// Prometheus' own code, and the objects of its operator and of cert-manager with their own types. It is a module of its own, since
// nothing else needs theirs.
package alerts
