// Package ceilometer holds tests of a real Ceilometer that feeds a real Gnocchi, see test/lab: node groups that Heat makes have a known
// load, and what ceilometer/gnocchi reads of it has to be that load. Their build tag is lab, as nothing of it can be played.
package ceilometer
