package app

import (
	"errors"
	"slices"

	"github.com/spf13/pflag"
	"k8s.io/autoscaler/cluster-autoscaler/version"
)

// form is one of the programs that are made of this package.
type form struct {
	name, about string
	// core are the names of cluster-autoscaler's flags that mean something to the program; nil for all of them.
	core []string
	// without are the names of our own flags that mean nothing to it.
	without []string
	// grpc: it has the flags of the gRPC server.
	grpc bool
}

// embedded is cluster-autoscaler with our provider inside.
var embedded = form{name: "cluster-autoscaler-openstack", about: about}

// external is our provider beside a stock cluster-autoscaler.
var external = form{
	name: "cluster-autoscaler-openstack-grpc", about: externalAbout, grpc: true,
	core: []string{
		"address", "cloud-config", "kube-client-burst", "kube-client-qps", "kubeconfig", "kubernetes", "max-node-provision-time", "namespace",
		"node-group-auto-discovery", "nodes", "profiling", "scan-interval", "status-config-map-name", "user-agent",
		"force-delete-unregistered-nodes",
	},
	// Nothing would be removed after core had drained it.
	without: []string{"dry-run"},
}

const externalAbout = `cluster-autoscaler-openstack-grpc serves Heat stacks as node groups to a stock cluster-autoscaler, which is started with
--cloud-provider=externalgrpc and a --cloud-config that names the address of this program.

Usage:
  cluster-autoscaler-openstack-grpc --cloud-config=FILE --node-group-auto-discovery=heat:tag=TAG[,tag=TAG...] [flags]
`

// coreVersion is the version of the cluster-autoscaler inside, empty if there is none.
func (f *form) coreVersion() string {
	if f.grpc {
		return ""
	}
	return version.ClusterAutoscalerVersion
}

// ours are the names of our own flags.
func (f *form) ours() map[string]bool {
	set, flags := pflag.NewFlagSet("", pflag.ContinueOnError), new(Flags)
	flags.Register(set)
	if f.grpc {
		flags.registerGRPC(set)
	}
	names := map[string]bool{}
	set.VisitAll(func(f *pflag.Flag) { names[f.Name] = true })
	return names
}

// knows says whether a flag means something to the program. ours are the names of our own flags.
func (f *form) knows(flag *pflag.Flag, ours map[string]bool) bool {
	switch {
	case f.core == nil:
		return true
	case ours[flag.Name]:
		return !slices.Contains(f.without, flag.Name)
	case isLogging(flag):
		return true
	}
	return slices.Contains(f.core, flag.Name)
}

// refuse finds flags that are given and mean nothing to the program.
func (f *form) refuse(line *pflag.FlagSet, ours map[string]bool) error {
	var m mistakes
	line.Visit(func(flag *pflag.Flag) {
		m.unless(f.knows(flag, ours), flag.Name, flag.Value, "not a flag of this program", "give it to cluster-autoscaler itself, or leave it out")
	})
	return errors.Join(m...)
}
