package cloudprovider

import (
	"context"
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// large is a provider of 50 groups of 100 members, and their nodes.
func large(b *testing.B) (*Provider, []*v1.Node) {
	b.Helper()
	var stacks []*nodegroups.Stack
	var nodes []*v1.Node
	for g := range 50 {
		name := fmt.Sprint("g", g)
		stacks = append(stacks, fake.Stack(name, 100, fake.InGroup(name, 0, 200)))
		for i := range 100 {
			nodes = append(nodes, nodeOf(name, i, threeSlashes+fake.ServerID(name, i)))
		}
	}
	p, err := New(context.Background(), nodegroups.NewManager(fake.NewStacks(stacks...), nil, nodegroups.ManagerOptions{}),
		Options{Template: templateOf, RefreshInterval: -1})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Refresh(); err != nil {
		b.Fatal(err)
	}
	return p, nodes
}

func BenchmarkNodeGroupForNode(b *testing.B) {
	p, nodes := large(b)
	for i := 0; b.Loop(); i++ {
		if g, err := p.NodeGroupForNode(nodes[i%len(nodes)]); g == nil || err != nil {
			b.Fatal(g, err)
		}
	}
}

func BenchmarkNodes(b *testing.B) {
	p, nodes := large(b)
	for _, n := range nodes {
		_, _ = p.NodeGroupForNode(n)
	}
	groups := p.NodeGroups()
	for i := 0; b.Loop(); i++ {
		if list, err := groups[i%len(groups)].Nodes(); len(list) != 100 || err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	p, nodes := large(b)
	for _, n := range nodes {
		_, _ = p.NodeGroupForNode(n)
	}
	for b.Loop() {
		if err := p.Refresh(); err != nil {
			b.Fatal(err)
		}
	}
}
