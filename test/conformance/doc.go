// Package conformance says how Heat and Nova behave where an autoscaler depends on it, as cases that run unchanged against
// a real cloud and against the simulated one of test/openstack. The verdicts must be the same: where they differ, the
// simulator is wrong.
//
// A cloud is a Target. A case is a function with a name; Cases lists them all. Run gives one verdict per case, which
// Verdicts keeps, writes to a file and compares with another run's.
package conformance
