package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// joinTime is how long a machine may take to become a node before it is said (--max-node-provision-time).
const joinTime = 15 * time.Minute

func checkNodes(_ context.Context, w *World, f *findings) {
	forms := map[string]int{}
	byMember := map[*nodegroups.Member][]string{}
	var foreign, hidden, control []string
	for i := range w.nodes {
		node := &w.nodes[i]
		g, m := w.Snapshot.ByNode(node)
		if g == nil {
			foreign = append(foreign, node.Name)
			continue
		}
		byMember[m] = append(byMember[m], node.Name)
		if node.Spec.ProviderID == "" {
			hidden = append(hidden, node.Name)
			continue
		}
		if _, is := node.Labels["node-role.kubernetes.io/control-plane"]; is {
			control = append(control, node.Name)
		}
		forms[formOf(node.Spec.ProviderID)]++
	}
	if len(hidden) > 0 {
		f.fail("provider ids", "start the kubelets with --provider-id=openstack:///SERVER_ID, or run the OpenStack cloud controller manager",
			"%s of our node groups have none: cluster-autoscaler can't match them with their machines, so that they are kept out of its sight", some(hidden))
	}
	switch {
	case len(forms) > 1:
		f.warn("provider ids", "nothing has to be done; a cloud controller manager that was set up anew often changes the form", "several forms: %s", count(forms))
	case len(forms) == 1:
		f.ok("provider ids", "%s", count(forms))
	}
	if len(control) > 0 {
		f.warn("control plane", "keep control planes out of node groups: they could be removed", "%s are members of a node group", some(control))
	}
	if len(foreign) > 0 {
		f.ok("foreign nodes", "%d of %d nodes belong to no node group and are left alone: %s", len(foreign), len(w.nodes), some(foreign))
	}
	w.checkMembers(byMember, f)
}

// checkMembers looks at it from the members' side.
func (w *World) checkMembers(byMember map[*nodegroups.Member][]string, f *findings) {
	for _, g := range w.Snapshot.Groups() {
		var without, twice []string
		ready := 0
		for _, m := range g.Members {
			nodes := byMember[m]
			switch {
			case len(nodes) > 1:
				twice = append(twice, fmt.Sprintf("%s (%s)", m.Name, strings.Join(nodes, ", ")))
			case len(nodes) == 1:
				ready++
			case m.State == nodegroups.Running && !m.Created.IsZero() && w.now().Sub(m.Created) > joinTime:
				without = append(without, m.Name)
			}
		}
		thing := "node group " + g.Name
		if len(twice) > 0 {
			f.fail(thing, "delete the Node that is not the machine's, or give each machine a provider id of its own", "machines that are several nodes: %s", some(twice))
		}
		if len(without) > 0 {
			f.warn(thing, "see \"When a machine does not join\" in docs/how-to/bring-your-own-cluster.md", "machines that run and are no nodes: %s", some(without))
		}
		if len(twice)+len(without) == 0 {
			f.ok(thing, "%d of %d members are nodes", ready, len(g.Members))
		}
	}
}

// formOf is a provider id without what differs from node to node.
func formOf(providerID string) string {
	_, region, err := nodegroups.ParseProviderID(providerID)
	switch {
	case err != nil:
		return "another"
	case region != "":
		return nodegroups.FormatProviderID(region, "ID")
	case strings.HasPrefix(providerID, "openstack://"):
		return nodegroups.FormatProviderID("", "ID")
	}
	return "ID"
}

func count(forms map[string]int) string {
	parts := make([]string, 0, len(forms))
	for form, n := range forms {
		parts = append(parts, fmt.Sprintf("%d as %s", n, form))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// some are the first of many names.
func some(names []string) string {
	const most = 5
	slices.Sort(names)
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// checkTemplate compares each ready node of a group with the node that a new one is expected to be.
func checkTemplate(_ context.Context, w *World, f *findings) {
	for _, g := range w.Snapshot.Groups() {
		thing := "node group " + g.Name
		template, err := nodegroups.TemplateNode(g, w.Setup.Template)
		if err != nil {
			f.fail(thing, "see what is said", "what a new node would be is not known: %v", err)
			continue
		}
		compared, differ := 0, map[nodegroups.Difference][]string{}
		words := map[nodegroups.Difference][2]string{}
		for i := range w.nodes {
			node := &w.nodes[i]
			if of, _ := w.Snapshot.ByNode(node); of == nil || of.Name != g.Name || !nodegroups.IsReady(node) {
				continue
			}
			compared++
			for _, d := range nodegroups.Drift(template, node) {
				if message, remedy := d.Explain(template, node); message != "" {
					differ[d] = append(differ[d], node.Name)
					words[d] = [2]string{message, remedy}
				}
			}
		}
		for d, nodes := range differ {
			f.warn(fmt.Sprintf("%s, %s %s", thing, d.Kind, d.Name), words[d][1], "expected %q, found %q on %s: %s", d.Template, d.Real, some(nodes), words[d][0])
		}
		switch {
		case compared == 0:
			f.skip(thing, "", "it has no ready node to compare with")
		case len(differ) == 0:
			f.ok(thing, "%d ready nodes are as expected: %s CPU, %s memory, %s pods allocatable", compared, template.Status.Allocatable.Cpu(),
				template.Status.Allocatable.Memory(), template.Status.Allocatable.Pods())
		}
	}
}
