// Package replay plays a history of load through the policies that floors are made by, and judges them by the time above target and
// by node-hours. It is what forecasts are measured with, and what the load report tells of.
//
// The load between the middles of two buckets goes straight. A bucket is known a minute after its end. The reactive policy is the one of
// HorizontalPodAutoscaler: each minute, nothing within the tolerance of 10 %, else ceil(load / target), the largest recommendation of the
// last 10 minutes. Machines that are too many go at once, those that start first; a start takes the boot time. Node-hours count machines
// that start too. A policy with forecasts is compared with the reactive policy at equal node-hours: that with the target which, in
// hindsight, spends as much.
package replay
