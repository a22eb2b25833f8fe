// Package tool is the operator's tool: "kubectl openstack-nodegroups", which is also "cluster-autoscaler-openstack nodegroups". It
// reads and explains; nothing that it does by itself changes a stack or the cluster.
//
// Package cli holds what all commands share. Each command is a package of its own with a constructor that takes *cli.Options and
// returns a *cobra.Command; commands.go lists them.
package tool
