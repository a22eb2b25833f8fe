package app

import (
	goflag "flag"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
)

// usages replaces upstream's explanations where they are about other clouds.
var usages = map[string]string{
	"cloud-provider": "Cloud provider; only " + cloudprovider.ProviderName + " is built in.",
	"cloud-config": "Path of a cloud.conf with the credentials, as cloud-provider-openstack uses it (section [Global]). " +
		"Read again when it changes. See also --openstack-cloud.",
	"nodes": "Node group by the name of its stack, as `MIN:MAX:STACK`. Can be given more than once.",
	"node-group-auto-discovery": "Which stacks are node groups, as `heat:tag=TAG[,tag=KEY=VALUE...]`: those that carry all of these tags. " +
		"Can be given more than once; then a stack needs to fit one of them.",
	"enforce-node-group-min-size": "Grow a node group that is smaller than its minimum, or than the floor that load, a schedule or a forecast give it. " +
		"Without it floors only keep nodes from being removed.",
	"scale-down-delay-type-local": "Apply the --scale-down-delay-after-* flags to each node group by itself. Otherwise a node group that grows keeps all " +
		"others from shrinking.",
	"gpu-total": "Minimum and maximum number of GPUs in the cluster, as `TYPE:MIN:MAX`, where TYPE is the value of the label --openstack-gpu-label. " +
		"Can be given more than once.",
}

// defaults replaces upstream's defaults.
var defaults = map[string]string{
	"cloud-provider": cloudprovider.ProviderName,
	// Load works as the minimum of a node group. Without the first, core would wait for pods to pend all the same; without the
	// second, load that varies in one node group would keep all nodes of all others.
	"enforce-node-group-min-size": "true",
	"scale-down-delay-type-local": "true",
}

// foreign are the beginnings of upstream flags that do nothing here; --help leaves them out, and they are accepted.
var foreign = []string{"aws-", "gce-", "bulk-mig-", "clusterapi-", "regional", "ignore-taint"}

// adaptUpstream gives core's flags, which its package registers with the standard library, our defaults and explanations.
func adaptUpstream(set *goflag.FlagSet) error {
	for name, value := range defaults {
		f := set.Lookup(name)
		if f == nil {
			return fmt.Errorf("cluster-autoscaler has no flag --%s any more", name)
		}
		if err := f.Value.Set(value); err != nil {
			return fmt.Errorf("cluster-autoscaler's flag --%s can't be %s any more: %w", name, value, err)
		}
		f.DefValue = value
	}
	for name, usage := range usages {
		f := set.Lookup(name)
		if f == nil {
			return fmt.Errorf("cluster-autoscaler has no flag --%s any more", name)
		}
		f.Usage = usage
	}
	return nil
}

// isForeign says whether --help should leave a flag out.
func isForeign(f *pflag.Flag) bool {
	for _, prefix := range foreign {
		if strings.HasPrefix(f.Name, prefix) {
			return true
		}
	}
	return f.Hidden || f.Deprecated != ""
}
