// Package cloudprovider shows node groups to cluster-autoscaler: it implements its CloudProvider and NodeGroup
// interfaces over nodegroups.Manager.
//
// cluster-autoscaler's loop has no recover and little tolerance: one error from TargetSize or NodeGroupForNode aborts
// the loop for every group, one nil template ends the process. So this package answers every question from memory, turns
// its own panics into safe answers, and never lets what is wrong with one group reach the others. Only Refresh and the
// writes (IncreaseSize, DeleteNodes, DecreaseTargetSize) wait for the cloud.
package cloudprovider
