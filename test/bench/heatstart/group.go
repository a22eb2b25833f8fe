package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

//go:embed stack.yaml
var template string

// pace is the pause between two looks at the cloud, and so how exact the result is.
const pace = 200 * time.Millisecond

// group is a node group: stacks of equal size.
type group struct {
	client *api.Client
	prefix string // of the names of the stacks and, by the template, of their servers
	stacks []*stack
}

type stack struct {
	name, id string
	size     int
}

// measure makes a node group, lets it grow by one member several times and returns the mean time of a start. Then it deletes the group,
// unless it is to be left.
func measure(ctx context.Context, client *api.Client, members, stacks, starts int, leave bool) (_ time.Duration, err error) {
	g := &group{client: client, prefix: fmt.Sprintf("heatstart-%d-%d", stacks, time.Now().Unix())}
	defer func() {
		if leave && err == nil {
			return
		}
		// Also when it was interrupted: the stacks are to go.
		if cleanErr := g.remove(context.WithoutCancel(ctx)); err == nil {
			err = cleanErr
		}
	}()
	if err := g.create(ctx, members, stacks); err != nil {
		return 0, err
	}
	var sum time.Duration
	for i := range starts {
		took, err := g.start(ctx, g.stacks[i%len(g.stacks)])
		if err != nil {
			return 0, err
		}
		fmt.Printf("start %d of %d with %d members in %d stacks: %.1f s\n", i+1, starts, members+i, stacks, took.Seconds())
		sum += took
	}
	return sum / time.Duration(starts), nil
}

// create makes all stacks at once and waits until they are complete.
func (g *group) create(ctx context.Context, members, stacks int) error {
	for i := range stacks {
		s := &stack{name: fmt.Sprintf("%s-%d", g.prefix, i), size: members / stacks}
		var made struct {
			Stack struct {
				ID string `json:"id"`
			} `json:"stack"`
		}
		err := g.ask(ctx, http.MethodPost, api.Orchestration, "/stacks", map[string]any{
			"stack_name": s.name, "template": template, "parameters": map[string]any{"node_count": s.size}, "timeout_mins": 30,
		}, http.StatusCreated, &made)
		if err != nil {
			return err
		}
		s.id = made.Stack.ID
		g.stacks = append(g.stacks, s)
	}
	for _, s := range g.stacks {
		if err := g.settled(ctx, s, "CREATE_COMPLETE"); err != nil {
			return err
		}
	}
	return nil
}

// start grows one stack by one, and returns how long the new server took to appear.
func (g *group) start(ctx context.Context, s *stack) (time.Duration, error) {
	before, err := g.servers(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	s.size++
	err = g.ask(ctx, http.MethodPatch, api.Orchestration, "/stacks/"+s.name+"/"+s.id,
		map[string]any{"parameters": map[string]any{"node_count": s.size}}, http.StatusAccepted, nil)
	if err != nil {
		return 0, err
	}
	for now := before; now == before; {
		if err := wait(ctx); err != nil {
			return 0, fmt.Errorf("no new server of %s: %w", s.name, err)
		}
		if now, err = g.servers(ctx); err != nil {
			return 0, err
		}
	}
	took := time.Since(began)
	return took, g.settled(ctx, s, "UPDATE_COMPLETE")
}

// servers counts the group's servers.
func (g *group) servers(ctx context.Context) (int, error) {
	var list struct {
		Servers []struct{} `json:"servers"`
	}
	err := g.ask(ctx, http.MethodGet, api.Compute, "/servers?name="+g.prefix, nil, http.StatusOK, &list)
	return len(list.Servers), err
}

// settled waits until nothing is in progress in the stack, and wants this status then.
func (g *group) settled(ctx context.Context, s *stack, status string) error {
	for {
		var view struct {
			Stack struct {
				Status string `json:"stack_status"`
				Reason string `json:"stack_status_reason"`
			} `json:"stack"`
		}
		path := "/stacks/" + s.name + "/" + s.id + "?resolve_outputs=False"
		if err := g.ask(ctx, http.MethodGet, api.Orchestration, path, nil, http.StatusOK, &view); err != nil {
			return err
		}
		if view.Stack.Status == status {
			return nil
		}
		if !strings.HasSuffix(view.Stack.Status, "_IN_PROGRESS") {
			return fmt.Errorf("stack %s is %s: %s", s.name, view.Stack.Status, view.Stack.Reason)
		}
		if err := wait(ctx); err != nil {
			return fmt.Errorf("stack %s is still %s: %w", s.name, view.Stack.Status, err)
		}
	}
}

// remove deletes all stacks and waits until they are gone.
func (g *group) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var all errgroup.Group
	for _, s := range g.stacks {
		all.Go(func() error {
			path := "/stacks/" + s.name + "/" + s.id
			if err := g.ask(ctx, http.MethodDelete, api.Orchestration, path, nil, http.StatusNoContent, nil); err != nil {
				return err
			}
			return g.settled(ctx, s, "DELETE_COMPLETE")
		})
	}
	return all.Wait()
}

// ask sends a request and wants this code.
func (g *group) ask(ctx context.Context, method, service, path string, body any, code int, into any) error {
	answer, err := g.client.Do(ctx, method, service, path, body)
	if err != nil {
		return err
	}
	if answer.Code != code {
		return fmt.Errorf("%s %s: %d: %.300s", method, path, answer.Code, answer.Body)
	}
	if into == nil {
		return nil
	}
	return answer.JSON(into)
}

func wait(ctx context.Context) error {
	select {
	case <-time.After(pace):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
