// Package nodegroups is the domain of the autoscaler: what a node group is, how it is configured, which members it has,
// how large it wants to be, what a new node of it would look like and why it can or cannot be scaled.
//
// It knows neither cluster-autoscaler nor gophercloud types. What it needs from the cloud it says in the interface
// Stacks; package heatstack implements it, package cloudprovider shows the result to cluster-autoscaler.
package nodegroups
