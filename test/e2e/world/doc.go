// Package world puts everything together that an end-to-end run needs: a Kubernetes control plane, a cloud (simulated or
// real), machines for its servers, node groups as Heat stacks, workloads, and the autoscaler's own binary.
//
// A Base is started once: it holds what is expensive and can be shared. A World is one scenario on it, with a cloud, node
// groups, a namespace and an autoscaler of its own. Worlds do not see each other: all their nodes carry the world's
// label, and all their pods ask for it.
package world
