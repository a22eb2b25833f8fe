// Package ceilometer turns load, as OpenStack Telemetry or Prometheus measure it, into floors of node groups. A Source reads a
// signal per node group, strategies turn it into a wanted size, and a policy says which signals, targets, windows and limits a
// group has. Data that is missing, stale, partial or absurd is no opinion, never a size.
package ceilometer
