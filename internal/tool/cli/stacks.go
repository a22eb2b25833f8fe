package cli

import (
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
)

// UsualTag is the tag that the documentation gives stacks that are node groups. It is looked for if nothing else is known.
const UsualTag = "cluster-autoscaler-enabled"

// UsualStacks are the stacks with UsualTag.
func UsualStacks() []heatstack.Discovery { return []heatstack.Discovery{{Tags: []string{UsualTag}}} }

// ParseStacks reads which stacks are node groups, as the autoscaler's own flags --node-group-auto-discovery and --nodes say. The error
// names the tool's flag that goes before them.
func ParseStacks(autoDiscovery, nodes []string) (discovery []heatstack.Discovery, named []heatstack.NamedStack, err error) {
	for _, spec := range autoDiscovery {
		d, err := heatstack.ParseDiscovery(spec)
		if err != nil {
			return nil, nil, fmt.Errorf("%w; give --node-group-auto-discovery", err)
		}
		discovery = append(discovery, d)
	}
	for _, spec := range nodes {
		n, err := heatstack.ParseNamed(spec)
		if err != nil {
			return nil, nil, fmt.Errorf("%w; give --nodes", err)
		}
		named = append(named, n)
	}
	return discovery, named, nil
}
