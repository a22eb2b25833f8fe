package main

import (
	"context"
	"fmt"
	"os"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// benchResources counts what Heat makes for one more node of the templates in deploy/heat, by the difference between two sizes of a
// stack on the simulated cloud. Everything counts that Heat compares with max_resources_per_stack, also the stack that holds a node
// and its port.
func benchResources(_ context.Context, print func(string, float64, string)) error {
	for _, number := range []struct {
		name, template string
		// subnet: each node has a port of its own on it, which Heat makes as a part of the server.
		subnet bool
	}{
		{"resources_per_node", "nodegroup.yaml", false}, {"resources_per_node_with_port", "nodegroup.yaml", true},
		{"resources_per_node_with_special_port", "nodegroup-with-ports.yaml", false},
	} {
		name, template := number.name, number.template
		few, err := resourcesOf(template, 2, number.subnet)
		if err != nil {
			return fmt.Errorf("%s: %w", template, err)
		}
		many, err := resourcesOf(template, 12, number.subnet)
		if err != nil {
			return fmt.Errorf("%s: %w", template, err)
		}
		print(name, float64(many-few)/10, "resources")
	}
	return nil
}

// resourcesOf makes a stack with so many nodes and counts its resources, those of nested stacks and these stacks among them.
func resourcesOf(template string, nodes int, subnet bool) (int, error) {
	const folder = "deploy/heat/"
	text, err := os.ReadFile(folder + template) //nolint:gosec // a file of the repository
	if err != nil {
		return 0, fmt.Errorf("run this in the repository's folder: %w", err)
	}
	node, err := os.ReadFile(folder + "node-with-port.yaml")
	if err != nil {
		return 0, err
	}
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	sim := simulator.New(simulator.Options{Clock: clock})
	defer sim.Close()
	parameters := map[string]any{
		"node_count": nodes, "flavor": "m1.small", "image": "node-image", "network": "nodes",
		"api_server": "https://10.0.0.10:6443", "cluster_ca": "Y2EK", "bootstrap_token": "abcdef.0123456789abcdef",
	}
	if subnet {
		parameters["subnet"] = "nodes-subnet"
	}
	id, err := sim.CreateStack("demo", simulator.StackSpec{
		Name: "workers", Template: string(text), Files: map[string]string{"node-with-port.yaml": string(node)}, Parameters: parameters,
	})
	if err != nil {
		return 0, err
	}
	for !sim.Settled() {
		next, ok := sim.NextEvent()
		if !ok {
			return 0, fmt.Errorf("the stack does not come to rest")
		}
		clock.Step(max(next, time.Millisecond))
	}
	if stack, _ := sim.Stack(id); stack.Status != "CREATE_COMPLETE" {
		return 0, fmt.Errorf("%s: %s", stack.Status, stack.Reason)
	}
	return len(sim.ResourceTypes(id)), nil
}
