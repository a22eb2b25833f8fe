package installed

import (
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// project is in the names of this project's images and programs.
const project = "cluster-autoscaler-openstack"

// toolCommand is the argument that makes the autoscaler's program the operator's tool.
const toolCommand = "nodegroups"

// Program is the autoscaler as the containers of a pod run it.
type Program struct {
	// Core are the flags of the container in which cluster-autoscaler's loop runs, Provider those of the one with the provider. Both are
	// the same in the embedded form.
	Core, Provider Flags
	// Image is that of the loop's container. External: the loop is a stock one.
	Image    string
	External bool
}

// programOf reads the containers of a pod. labelled: its labels say that it is the autoscaler; without them its flags must.
func programOf(spec *v1.PodSpec, labelled bool) (Program, bool) {
	p := Program{}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		flags := containerFlags(c)
		switch {
		case runsTool(c):
		case isStock(flags):
			p.Core, p.Image, p.External = flags, c.Image, true
		case isProvider(c, flags, labelled):
			p.take(c, flags)
		}
	}
	if p.Provider == nil && labelled {
		if c := likeliest(spec.Containers); c != nil {
			p.take(c, containerFlags(c))
		}
	}
	return p, p.Provider != nil
}

// take takes a container for the provider's.
func (p *Program) take(c *v1.Container, flags Flags) {
	p.Provider = flags
	if p.Core == nil {
		p.Core, p.Image = flags, c.Image
	}
}

// tells says whether its flags name node groups.
func (p *Program) tells() bool {
	return len(p.Provider["node-group-auto-discovery"])+len(p.Provider["nodes"]) > 0
}

// isAlone says that the loop, a stock one, must be elsewhere: this is only the server that it asks.
func (p *Program) isAlone() bool { return !p.External && p.Provider.Last("grpc-address") != "" }

// containerFlags are the flags that a container is started with.
func containerFlags(c *v1.Container) Flags { return ParseFlags(slices.Concat(c.Command, c.Args)) }

// isStock says whether these are the flags of a stock cluster-autoscaler that asks a provider over gRPC.
func isStock(flags Flags) bool { return flags.Last("cloud-provider") == "externalgrpc" }

// isProvider says whether a container has the provider, by its flags. --nodes alone is any autoscaler's: then image or labels decide.
func isProvider(c *v1.Container, flags Flags, labelled bool) bool {
	return strings.HasPrefix(flags.Last("node-group-auto-discovery"), "heat:") ||
		flags.Last("nodes") != "" && (labelled || strings.Contains(c.Image, project))
}

// likeliest is the container of a pod with the autoscaler's labels that has the provider, if no flag tells: they may be in a script.
func likeliest(containers []v1.Container) *v1.Container {
	var first *v1.Container
	for i := range containers {
		c := &containers[i]
		switch {
		case runsTool(c) || isStock(containerFlags(c)):
		case strings.Contains(c.Image, project):
			return c
		case first == nil:
			first = c
		}
	}
	return first
}

// isTool says whether a pod runs the operator's tool only.
func isTool(spec *v1.PodSpec) bool {
	return len(spec.Containers) > 0 && !slices.ContainsFunc(spec.Containers, func(c v1.Container) bool { return !runsTool(&c) })
}

// runsTool says whether a container runs the operator's tool, whose flags are much like the autoscaler's.
func runsTool(c *v1.Container) bool {
	words := slices.Concat(c.Command, c.Args)
	first := slices.Index(words, toolCommand)
	return first == 0 || first == 1 && !strings.HasPrefix(words[0], "-") || len(words) > 0 && strings.HasSuffix(words[0], "kubectl-openstack_nodegroups")
}
