// Package bootstrap lets new machines into the cluster, and nobody else.
//
// A machine that a scale-up makes gets a bootstrap token that was minted for it minutes before, belongs to one node group
// and dies when its machines have joined. The token by itself admits nobody: the certificate that its bearer asks for is
// approved only if the name in it is that of a server which the cloud has just made for that very node group and which is
// no node yet.
//
// It knows Kubernetes and node groups; what it has to ask the cloud it asks through interfaces of its own.
package bootstrap
