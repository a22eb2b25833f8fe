package world

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// MainJob plays the whole life of a node group, on any cloud, and checks every step: from no node to three because of
// pending pods, then the one node whose pod goes, and no other, then down to none, and no bootstrap token is left.
type MainJob struct {
	World *World
	// Timeout bounds each step.
	Timeout time.Duration
	// Say is told what is about to happen, in a sentence.
	Say func(format string, arguments ...any)
	// Flags are added to the autoscaler's.
	Flags []string
	// Spec is the node group; one without anything special if its Name is empty.
	Spec GroupSpec
	// Start starts the autoscaler; nil starts the world's, with Flags.
	Start func(context.Context) error
}

// mainJobApps each need more than half of the processor of the usual flavor, so that each needs a node of its own.
var mainJobApps = []string{"shop", "mail", "wiki"}

// Run returns the node group, which has no members then.
func (j MainJob) Run(ctx context.Context) (*Group, error) {
	w := j.World
	if j.Spec.Name == "" {
		j.Spec.Name = "workers"
	}
	j.Spec.Max = 5
	j.Say("creating the Heat stack of node group %q: no node now, five at most", w.stackName(j.Spec.Name))
	group, err := w.CreateGroup(ctx, j.Spec)
	if err != nil {
		return nil, err
	}
	if err := j.start(ctx); err != nil {
		return nil, err
	}
	j.Say("deploying %d applications; each fills more than half a node, and there is no node", len(mainJobApps))
	for _, app := range mainJobApps {
		if err := w.Deploy(ctx, Workload{Name: app, Replicas: 1, CPU: "600m"}); err != nil {
			return nil, err
		}
	}
	servers, err := group.WaitForSize(ctx, j.Timeout, len(mainJobApps))
	if err != nil {
		return nil, err
	}
	for _, app := range mainJobApps {
		if err := w.WaitForRunning(ctx, j.Timeout, app, 1); err != nil {
			return nil, err
		}
	}
	j.Say("all applications run: scaled up from 0 to %d", len(servers))
	if err := j.emptyOne(ctx, group, servers); err != nil {
		return nil, err
	}
	j.Say("deleting the other applications: nothing needs a node any more")
	for _, app := range mainJobApps {
		if err := w.Undeploy(ctx, app); err != nil {
			return nil, err
		}
	}
	if _, err := group.WaitForSize(ctx, j.Timeout, 0); err != nil {
		return nil, err
	}
	if err := w.Until(ctx, j.Timeout, "the nodes to leave the cluster", func(ctx context.Context) error {
		nodes, err := w.Nodes(ctx)
		if err == nil && len(nodes) > 0 {
			err = fmt.Errorf("%d are left", len(nodes))
		}
		return err
	}); err != nil {
		return nil, err
	}
	j.Say("scaled down to 0")
	return group, j.waitForNoToken(ctx)
}

// start starts the autoscaler.
func (j MainJob) start(ctx context.Context) error {
	if j.Start != nil {
		j.Say("starting the autoscaler")
		return j.Start(ctx)
	}
	if j.World.external {
		j.Say("starting cluster-autoscaler-openstack-grpc, and a stock cluster-autoscaler that asks it")
	} else {
		j.Say("starting cluster-autoscaler-openstack")
	}
	return j.World.StartAutoscaler(ctx, append([]string{"--bootstrap-token-sharing=" + mainJobSharing.String()}, j.Flags...)...)
}

// mainJobSharing is short, as all of it waits until the token may be of no more use to anybody.
const mainJobSharing = 10 * time.Second

// waitForNoToken waits until nothing is left with which a machine could join.
func (j MainJob) waitForNoToken(ctx context.Context) error {
	err := j.World.Until(ctx, j.Timeout, "the bootstrap token to be revoked", func(ctx context.Context) error {
		tokens, err := j.World.Tokens(ctx)
		if err == nil && len(tokens) > 0 {
			err = fmt.Errorf("%d are left", len(tokens))
		}
		return err
	})
	if err == nil {
		j.Say("no bootstrap token is left")
	}
	return err
}

// emptyOne takes the application from the node in the middle: the highest index would go by itself if Heat were only told
// a lower count, and the lowest is the oldest.
func (j MainJob) emptyOne(ctx context.Context, group *Group, servers map[string]Server) error {
	placements, err := j.placements(ctx)
	if err != nil {
		return err
	}
	victim := servers[middle(servers)]
	var app string
	for name, placement := range placements {
		if placement.serverID == victim.ID {
			app = name
		}
	}
	if app == "" {
		return fmt.Errorf("no application runs on %s: %v", victim.Name, placements)
	}
	j.Say("deleting application %q, which runs on %s: this node, and no other, should go", app, victim.Name)
	if err := j.World.Undeploy(ctx, app); err != nil {
		return err
	}
	left, err := group.WaitForSize(ctx, j.Timeout, len(servers)-1)
	if err != nil {
		return err
	}
	for index, server := range servers {
		now, there := left[index]
		switch {
		case server.ID == victim.ID && there:
			return fmt.Errorf("%s is still there", victim.Name)
		case server.ID != victim.ID && now.ID != server.ID:
			return fmt.Errorf("%s (%s) should have stayed; at its index is now %+v", server.Name, server.ID, now)
		}
	}
	delete(placements, app)
	after, err := j.placements(ctx)
	if err != nil {
		return err
	}
	for name, placement := range placements {
		if after[name] != placement {
			return fmt.Errorf("application %s was disturbed: it was %+v and is %+v", name, placement, after[name])
		}
	}
	j.Say("exactly %s has gone, and nothing else was disturbed", victim.Name)
	return nil
}

// placement is an application's pod and the server it runs on.
type placement struct {
	pod      types.UID
	serverID string
}

func (j MainJob) placements(ctx context.Context) (map[string]placement, error) {
	nodes, err := j.World.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	serverOf := map[string]string{}
	for _, node := range nodes {
		serverOf[node.Name] = ServerOf(&node)
	}
	pods, err := j.World.Pods(ctx, "")
	if err != nil {
		return nil, err
	}
	result := map[string]placement{}
	for _, pod := range pods {
		if pod.Labels[appLabel] == "" { // none of the job's
			continue
		}
		result[pod.Labels[appLabel]] = placement{pod.UID, serverOf[pod.Spec.NodeName]}
	}
	return result, nil
}

// middle is the index in the middle.
func middle(servers map[string]Server) string {
	indices := make([]int, 0, len(servers))
	for index := range servers {
		number, err := strconv.Atoi(index)
		if err != nil {
			// An index that is no number sorts first, and what follows will tell.
			number = -1
		}
		indices = append(indices, number)
	}
	slices.Sort(indices)
	return strconv.Itoa(indices[len(indices)/2])
}
