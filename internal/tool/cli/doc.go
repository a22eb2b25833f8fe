// Package cli holds what all commands of the operator's tool share: flags, connections to Kubernetes and OpenStack, how results are
// printed, exit codes.
package cli
