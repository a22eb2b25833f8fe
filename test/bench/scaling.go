package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
)

// benchScaling counts the calls of a refresh while ten groups are being scaled, and prints the costliest refresh.
func benchScaling(ctx context.Context, print func(string, float64, string)) error {
	const groups, each, scaled = 20, 10, 10
	r, err := newRig(ctx, cloudSpec{Groups: groups, MembersEach: each, Speed: 5})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.expectGroups(groups, each); err != nil {
		return err
	}
	list := r.provider.NodeGroups()
	if err := forEach(scaled, func(i int) error { return list[i].IncreaseSize(2) }); err != nil {
		return err
	}
	most := int64(0)
	deadline := time.Now().Add(2 * time.Minute)
	for busy := true; busy; {
		if time.Now().After(deadline) {
			return fmt.Errorf("the groups were still being scaled after 2 minutes")
		}
		before := r.calls.all.Load()
		if err := r.provider.Refresh(); err != nil {
			return err
		}
		most = max(most, r.calls.all.Load()-before)
		busy = false
		for _, g := range r.manager.Snapshot().Groups() {
			for _, s := range g.Stacks {
				busy = busy || s.Busy
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	print("refresh_calls_scaling_k10", float64(most), "calls")
	return nil
}

// benchScaleDown counts the updates of stacks that it takes to remove 100 nodes of 4 groups, each by a DeleteNodes of its
// own, all at once, as core does.
func benchScaleDown(ctx context.Context, print func(string, float64, string)) error {
	const groups, each = 4, 25
	r, err := newRig(ctx, cloudSpec{Groups: groups, MembersEach: each, Speed: 5})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.expectGroups(groups, each); err != nil {
		return err
	}
	var nodes []*v1.Node
	for _, servers := range r.info.Servers {
		for _, id := range servers {
			nodes = append(nodes, node(id))
		}
	}
	before := r.calls.patches.Load()
	err = forEach(len(nodes), func(i int) error {
		g, err := r.provider.NodeGroupForNode(nodes[i])
		if err != nil {
			return err
		}
		return g.DeleteNodes(nodes[i : i+1])
	})
	if err != nil {
		return err
	}
	for _, g := range r.provider.NodeGroups() {
		if target, err := g.TargetSize(); err != nil || target != 0 {
			return fmt.Errorf("group %s has target size %d (%w) after all its nodes were removed", g.Id(), target, err)
		}
	}
	print("scale_down_patches_n100_g4", float64(r.calls.patches.Load()-before), "patches")
	return nil
}

// forEach does something n times at once.
func forEach(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = do(i)
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}
