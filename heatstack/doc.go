// Package heatstack makes node groups out of Heat stacks: it discovers them, reads them at a constant number of calls,
// resizes them, removes exactly the members that are named, and says why something failed.
//
// It is the only package that talks to Heat and Nova. It implements nodegroups.Stacks.
package heatstack
