package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// timeline prints what happens, with the time since the start. Safe for concurrent use.
type timeline struct {
	start time.Time

	mu  sync.Mutex
	out io.Writer
}

func newTimeline(out io.Writer) *timeline { return &timeline{start: time.Now(), out: out} }

// Say prints what the demo does.
func (t *timeline) Say(format string, arguments ...any) { t.print("demo", format, arguments...) }

func (t *timeline) print(who, format string, arguments ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.ReplaceAll(fmt.Sprintf(format, arguments...), "\n", "\n"+strings.Repeat(" ", 24))
	// A terminal that has gone away is no reason to stop tidying up.
	_, _ = fmt.Fprintf(t.out, "t+%6.1fs  %-10s  %s\n", time.Since(t.start).Seconds(), who, text)
}

// machine is told what happens to machines.
func (t *timeline) machine(event machines.Event) {
	switch event.Kind {
	case machines.Started:
		t.print("machine", "%s is active and boots from its user_data", event.Name)
	case machines.Stopped:
		t.print("machine", "%s is gone", event.Name)
	case machines.Crashed:
		t.print("machine", "%s crashed: %v", event.Name, event.Err)
	}
}

const watchInterval = 150 * time.Millisecond

// watch prints every change of pods, nodes and stacks until the returned function is called.
func (t *timeline) watch(ctx context.Context, w *world.World) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		seen := map[string]string{}
		for {
			for _, look := range []func(context.Context, *world.World) ([]sight, error){pods, tokens, requests, nodes, stacks, floors} {
				// What cannot be read now is read at the next tick.
				if now, err := look(ctx, w); err == nil {
					t.compare(seen, now)
				}
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// sight is something that is watched: what it is, and what it looks like now.
type sight struct{ who, key, text string }

// compare prints what looks different from before.
func (t *timeline) compare(seen map[string]string, now []sight) {
	for _, s := range append(now, gone(seen, now)...) {
		key := s.who + "/" + s.key
		if seen[key] != s.text {
			seen[key] = s.text
			t.print(s.who, "%s", strings.TrimSpace(s.key+" "+s.text))
		}
	}
}

func pods(ctx context.Context, w *world.World) ([]sight, error) {
	list, err := w.Pods(ctx, "")
	if err != nil {
		return nil, err
	}
	var waiting, running int
	for _, pod := range list {
		switch {
		case pod.Status.Phase == v1.PodRunning:
			running++
		case pod.Spec.NodeName == "":
			waiting++
		}
	}
	starting := len(list) - running - waiting
	return []sight{{who: "pods", text: fmt.Sprintf("%d pending, %d starting, %d running", waiting, starting, running)}}, nil
}

func nodes(ctx context.Context, w *world.World) ([]sight, error) {
	list, err := w.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	sights := make([]sight, 0, len(list))
	for _, node := range list {
		text := "has joined the cluster, not ready yet"
		if world.IsReady(&node) {
			text = "is Ready"
		}
		for _, taint := range node.Spec.Taints {
			if taint.Key == "ToBeDeletedByClusterAutoscaler" {
				text = "is not needed any more: the autoscaler removes it"
			}
		}
		sights = append(sights, sight{"node", node.Name, text})
	}
	return sights, nil
}

// floors shows what the autoscaler tells of floors, by its newest Event for each node group.
func floors(ctx context.Context, w *world.World) ([]sight, error) {
	newest, err := w.FloorNotices(ctx)
	if err != nil {
		return nil, err
	}
	sights := make([]sight, 0, len(newest))
	for group, text := range newest {
		sights = append(sights, sight{"floor", group, "has " + text})
	}
	return sights, nil
}

func stacks(ctx context.Context, w *world.World) ([]sight, error) {
	var sights []sight
	for _, group := range w.Groups() {
		stack, err := group.Stack(ctx)
		if err != nil {
			return nil, err
		}
		text := fmt.Sprintf("%s, node_count %d", stack.Status, stack.Count())
		if removed := stack.Parameters["nodes_to_remove"]; removed != "" {
			text += ", nodes_to_remove " + removed
		}
		sights = append(sights, sight{"stack", group.Name, text})
	}
	return sights, nil
}
