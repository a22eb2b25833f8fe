// Package nodegroupstest offers what tests of node groups need: Stacks, a cloud in memory that keeps state and fails on
// demand, and builders for stacks, members and groups.
package nodegroupstest
