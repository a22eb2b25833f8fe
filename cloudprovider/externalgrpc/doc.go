// Package externalgrpc serves a cloud provider over gRPC to a stock cluster-autoscaler (--cloud-provider=externalgrpc), whose
// version is that of the cluster: one server for 1.25 to 1.37. The protocol has changed in between; the server fills the old
// and the new form of each field, so that it needs not know who asks. See wire.go for what differs.
//
// The protocol carries less than cluster-autoscaler's interface. What cannot be had through it:
//   - HasInstance, prices of anything but the price file, and errors with a class for a scale-up that is refused;
//   - scaling of a node group to zero or its maximum at once (autoscaling-options-zeroormaxnodescaling): stock clients make a
//     new object for the group of each node, and core compares them by identity, so that such a group never shrinks;
//   - the startup time of nodes for groups with options of their own, in clients from 1.35 until their question carries it
//     (kubernetes/autoscaler#10245): those read 0 out of every answer;
//   - options of a group's own in clients before 1.29, which have no field for the provision time and would take 0 for it.
package externalgrpc
