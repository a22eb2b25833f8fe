// cluster-autoscaler-openstack is Kubernetes' cluster-autoscaler for clusters whose nodes are made by OpenStack Heat.
package main

import (
	"os"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/app"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool"
)

func main() {
	// The autoscaler has flags only, so that no argument of its can be meant.
	if len(os.Args) > 1 && os.Args[1] == tool.Subcommand {
		// cobra takes over the process's flags, in which cluster-autoscaler's packages have registered some of theirs.
		pflag.CommandLine = pflag.NewFlagSet(tool.OfAutoscaler, pflag.ContinueOnError)
		os.Exit(tool.Main(tool.OfAutoscaler, os.Args[2:], genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
	}
	os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr))
}
