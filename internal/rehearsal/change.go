package rehearsal

import (
	"context"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// grow splits the growth over the shards as the autoscaler does, and has each part planned.
func (a *Answer) grow(ctx context.Context, w World, g *nodegroups.Group) error {
	by := a.Wanted - a.Size
	if a.Wanted > g.MaxSize {
		a.Obstacle(fmt.Sprintf("the greatest size is %d (annotation %s): cluster-autoscaler would order no more than %d",
			g.MaxSize, nodegroups.KeyMaxSize, max(0, g.MaxSize-a.Size)))
	}
	if g.GrowthBlocked != nil {
		a.Obstacle(g.GrowthBlocked.Error())
	}
	if !a.Possible {
		return nil
	}
	placements, unplaced := nodegroups.Place(g.Stacks, by, nodegroups.PlacementOptions{})
	if unplaced > 0 {
		a.Obstacle(fmt.Sprintf("the stacks of the node group have no room for %d of %d members; add another stack with the same node-group name", unplaced, by))
	}
	for _, p := range placements {
		r, err := w.Stacks.Rehearse(ctx, p.Stack.ID, p.By, nil)
		if err != nil {
			return err
		}
		a.add(r, w.nodeOf)
	}
	return nil
}

// shrink shows what naming these nodes would do; without nodes, who could be named.
func (a *Answer) shrink(ctx context.Context, w World, g *nodegroups.Group, nodes []string) error {
	if a.Wanted < a.Min {
		a.Obstacle(fmt.Sprintf("the least size is %d now (annotation %s, or the floor that load gives): cluster-autoscaler takes no node below it",
			a.Min, nodegroups.KeyMinSize))
	}
	if len(nodes) == 0 {
		a.note("Nobody is named: a size alone never removes a machine here, since Heat would choose it. cluster-autoscaler picks nodes that are not " +
			"needed, drains them and names exactly those. Name nodes to see what their removal would send.")
		a.Candidates = w.candidates(g)
		return nil
	}
	byStack, given := map[string][]nodegroups.Member{}, map[*nodegroups.Member]string{}
	for _, name := range nodes {
		m, err := w.member(g, name)
		if err != nil {
			return err
		}
		if before, twice := given[m]; twice {
			return fmt.Errorf("%q and %q are the same member of node group %s, so that these are fewer nodes than %d; name each once", before, name, g.Name, len(nodes))
		}
		given[m] = name
		byStack[m.StackID] = append(byStack[m.StackID], *m)
	}
	for _, s := range g.Stacks {
		if len(byStack[s.ID]) == 0 {
			continue
		}
		r, err := w.Stacks.Rehearse(ctx, s.ID, 0, byStack[s.ID])
		if err != nil {
			return err
		}
		a.add(r, w.nodeOf)
	}
	a.note("cluster-autoscaler drains a node before its member is named. Whether it would do so is its own decision.")
	return nil
}

// member finds a member by its Node's name, its server's name or id, or its index.
func (w World) member(g *nodegroups.Group, name string) (*nodegroups.Member, error) {
	for i := range w.Nodes {
		if w.Nodes[i].Name != name {
			continue
		}
		if of, m := w.Snapshot.ByNode(&w.Nodes[i]); of != nil && of.Name == g.Name {
			return m, nil
		}
		return nil, fmt.Errorf("node %q is no member of node group %s", name, g.Name)
	}
	at := slices.IndexFunc(g.Members, func(m *nodegroups.Member) bool { return m.Name == name || m.ID() == name })
	if at < 0 {
		return nil, fmt.Errorf("node group %s has no member %q; name it as `kubectl get nodes` does", g.Name, name)
	}
	return g.Members[at], nil
}

// nodeOf is the name of the Node that a server is, empty if it is none.
func (w World) nodeOf(server string) string {
	_, wanted := w.Snapshot.ByServer(server)
	for i := range w.Nodes {
		if _, m := w.Snapshot.ByNode(&w.Nodes[i]); m != nil && m == wanted {
			return w.Nodes[i].Name
		}
	}
	return ""
}

// candidates are the group's members that are nodes, with what is known of whether they may go.
func (w World) candidates(g *nodegroups.Group) []Candidate {
	var out []Candidate
	for i := range w.Nodes {
		node := &w.Nodes[i]
		of, m := w.Snapshot.ByNode(node)
		if of == nil || of.Name != g.Name {
			continue
		}
		c := Candidate{Node: node.Name, Index: m.Index}
		if s := g.Stack(m.StackID); s != nil {
			c.Stack = s.Name
		}
		c.Removable, c.Why = w.removable(node)
		out = append(out, c)
	}
	return out
}

// Taints and the annotation by which core says what it thinks of a node
// (cluster-autoscaler/utils/taints/taints.go, core/scaledown/eligibility).
const (
	taintGoing     = "ToBeDeletedByClusterAutoscaler"
	taintCandidate = "DeletionCandidateOfClusterAutoscaler"
	annotationKeep = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
)

func (w World) removable(node *v1.Node) (yes bool, why string) {
	if node.Annotations[annotationKeep] == "true" {
		return false, "the Node has the annotation " + annotationKeep
	}
	for _, t := range node.Spec.Taints {
		switch t.Key {
		case taintGoing:
			return true, "cluster-autoscaler is removing it"
		case taintCandidate:
			return true, "cluster-autoscaler does not need it"
		}
	}
	if why, ok := w.Removable[node.Name]; ok {
		return true, why
	}
	return false, "cluster-autoscaler has not marked it as not needed"
}
