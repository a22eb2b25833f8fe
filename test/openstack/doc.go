// Package simulator is a simulated OpenStack: Keystone, Heat, Nova, as much of Glance and Neutron as templates need, and as much
// of Gnocchi as a reader of load needs, with a Ceilometer that fills it (StartCeilometer, SetLoad, SetWork),
// over HTTP on one port, with state.
//
// It reproduces what was measured on a real cloud (OpenStack Zed) and what matters to an autoscaler: a removal list that
// ignores names it does not know and lets the highest index die, indices that are never used again, two updates at the
// same moment of which one is lost, updates that supersede each other, failures by quota and by lack of hosts with their
// own words and their own timing, servers deleted behind Heat's back, parameters that are hidden, and answers that are not JSON.
// The conformance suite in test/conformance runs unchanged against a real cloud and against this package; where the
// two differ, this package is wrong.
//
// # Time
//
// Nothing here sleeps. Every change of state is an event in a queue, and events are due on a virtual clock. Each call, by
// HTTP or in Go, first runs what has become due. With a fake clock a test decides what has happened; with the real
// clock and Options.Speed a demonstration runs faster than a real cloud.
//
// # Two doors
//
// Clients under test use HTTP. Tests prepare the cloud, play the part of other people (PatchStack, DeleteServer), break things
// (Inject, SetNoValidHost, SetQuota, LoseUpdates) and look at what truly happened (Servers, Deaths, Updates) through
// the methods of Simulator, all of which are safe for concurrent use.
package simulator
