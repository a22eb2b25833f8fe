// Package installed finds the autoscaler that runs in a cluster, and reads what its flags say. It knows both forms, the embedded one
// and the one beside a stock cluster-autoscaler, in one pod or in two Deployments.
//
// The autoscaler is recognised by its labels, which are those of the Helm chart and of deploy/kubernetes, or by its flags: names,
// images and labels may be the operator's own. Deployments and Pods need one right each, to list them in one namespace.
package installed
