// kubectl-openstack_nodegroups is the plugin of kubectl with which operators look at node groups: "kubectl openstack-nodegroups".
package main

import (
	"os"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool"
)

func main() {
	os.Exit(tool.Main(tool.Plugin, os.Args[1:], genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
}
