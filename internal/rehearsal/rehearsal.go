package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Stacks plans updates. *heatstack.Cloud is one.
type Stacks interface {
	Rehearse(ctx context.Context, stackID string, by int, remove []nodegroups.Member) (*heatstack.Rehearsal, error)
}

// Request is what is asked.
type Request struct {
	// Group is the node group's name; Size the number of members that it is to have.
	Group string
	Size  int
	// Nodes are the nodes that are to go, by the name of the Node or the server, or the server's id. Only with a Size below the group's.
	Nodes []string
}

// World is what is known when the question is asked.
type World struct {
	Snapshot *nodegroups.Snapshot
	Stacks   Stacks
	// Nodes are the cluster's Nodes; nil if they could not be read.
	Nodes []v1.Node
	// Removable says, for nodes that cluster-autoscaler would remove now, why it thinks so; nil if it is not known.
	Removable map[string]string
}

// Answer is what would happen.
type Answer struct {
	Group string `json:"group"`
	// Size is the target size as it is, Wanted the one that was asked for, Min (with the floor of load, if it is known) and Max the limits.
	Size   int `json:"size"`
	Wanted int `json:"wanted"`
	Min    int `json:"min"`
	Max    int `json:"max"`
	// Possible says that all of it would be ordered.
	Possible bool `json:"possible"`
	// Updates is how many updates (PATCH requests) would be sent.
	Updates int `json:"updates"`
	// Obstacles say why it is not possible, or not at once; Notes what else there is to know.
	Obstacles []string `json:"obstacles,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	// Stacks are the shards that would be changed.
	Stacks []Update `json:"stacks,omitempty"`
	// Candidates are the nodes among which cluster-autoscaler would choose, when none was named.
	Candidates []Candidate `json:"candidates,omitempty"`
}

// Update is what would be sent for one stack.
type Update struct {
	Stack  string `json:"stack"`
	Status string `json:"status"`
	Was    int    `json:"was"`
	Size   int    `json:"size"`
	// Sends: it would be sent now; else Why says why not.
	Sends bool   `json:"sends"`
	Why   string `json:"why,omitempty"`
	// Parameters are the update's; secret ones are masked.
	Parameters map[string]any `json:"parameters,omitempty"`
	// New are the indices of new members, Named the members that go.
	New   []string `json:"new,omitempty"`
	Named []Named  `json:"named,omitempty"`
}

// Named is a member that would go.
type Named struct {
	Node   string `json:"node,omitempty"`
	Index  string `json:"index"`
	Server string `json:"server"`
}

// Candidate is a node that could go.
type Candidate struct {
	Node      string `json:"node"`
	Stack     string `json:"stack"`
	Index     string `json:"index"`
	Removable bool   `json:"removable"`
	Why       string `json:"why,omitempty"`
}

// Rehearse answers. An error means that the question can't be answered; that it is not possible is an answer.
func Rehearse(ctx context.Context, w World, r Request) (*Answer, error) {
	g := w.Snapshot.Group(r.Group)
	if g == nil {
		names := make([]string, 0, len(w.Snapshot.Groups()))
		for _, g := range w.Snapshot.Groups() {
			names = append(names, g.Name)
		}
		return nil, fmt.Errorf("there is no node group %q; there are: %s", r.Group, strings.Join(names, ", "))
	}
	if r.Size < 0 {
		return nil, fmt.Errorf("a size of %d: write a number from 0 up", r.Size)
	}
	a := &Answer{Group: g.Name, Size: g.Target, Wanted: r.Size, Min: w.Snapshot.MinSize(g), Max: g.MaxSize, Possible: true}
	if g.Blocked != nil {
		a.Obstacle(g.Blocked.Error())
	}
	switch {
	case len(r.Nodes) > 0 && g.Target-r.Size != len(r.Nodes):
		return nil, fmt.Errorf("node group %s has %d members, so that a size of %d names %d nodes, and %d are given", g.Name, g.Target, r.Size,
			max(0, g.Target-r.Size), len(r.Nodes))
	case r.Size > g.Target:
		return a, a.grow(ctx, w, g)
	case r.Size < g.Target:
		return a, a.shrink(ctx, w, g, r.Nodes)
	}
	a.note("The node group has this size; nothing would be sent.")
	return a, nil
}

// Obstacle adds a reason why it is not possible.
func (a *Answer) Obstacle(text string) {
	a.Possible = false
	if !slices.Contains(a.Obstacles, text) {
		a.Obstacles = append(a.Obstacles, text)
	}
}

func (a *Answer) note(format string, args ...any) {
	a.Notes = append(a.Notes, fmt.Sprintf(format, args...))
}

// add takes over what the planner says of one stack.
func (a *Answer) add(r *heatstack.Rehearsal, nodeOf func(server string) string) {
	u := Update{Stack: r.Stack, Status: r.Status, Was: r.Was, Size: r.Size, Sends: r.Sends, Parameters: r.Parameters, New: r.New}
	for _, m := range r.Named {
		u.Named = append(u.Named, Named{Node: nodeOf(m.ServerID), Index: m.Index, Server: m.ServerID})
	}
	if r.Why != nil {
		u.Why = r.Why.Error()
		a.Obstacle(fmt.Sprintf("stack %s: %s", r.Stack, u.Why))
	}
	if r.Sends {
		a.Updates++
	}
	a.Stacks = append(a.Stacks, u)
}
