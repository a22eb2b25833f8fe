//go:build lab

package ceilometer_test

import (
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// group is a node group: a stack of deploy/heat/nodegroup.yaml. Its servers carry its name as metering.server_group.
type group struct {
	*cloud
	name, flavor string
	id           string // the stack's
	agent        *agent
	interval     time.Duration // of polling
	load         load
}

// launch makes the stack; complete has to be called.
func (g *group) launch(nodes int) {
	g.t.Helper()
	template, err := os.ReadFile("../../deploy/heat/nodegroup.yaml")
	require.NoError(g.t, err)
	g.agent.set(g.name, g.load)
	var made struct {
		Stack struct {
			ID string `json:"id"`
		} `json:"stack"`
	}
	g.ask(http.MethodPost, api.Orchestration, "/stacks", map[string]any{
		"stack_name": g.name, "template": string(template), "timeout_mins": 10,
		"parameters": map[string]any{
			"node_count": nodes, "node_group": g.name, "flavor": g.flavor, "image": "node-image", "network": "nodes",
			"api_server": "https://10.0.0.10:6443", "cluster_ca": "Y2EK", "bootstrap_token": "abcdef.0123456789abcdef",
		},
	}, &made, http.StatusCreated)
	g.id = made.Stack.ID
	g.t.Cleanup(g.remove)
}

func (g *group) path() string { return "/stacks/" + g.name + "/" + g.id }

// status is the stack's; empty if there is none.
func (g *group) status() string {
	g.t.Helper()
	var all struct {
		Stacks []struct {
			Name   string `json:"stack_name"`
			Status string `json:"stack_status"`
			Reason string `json:"stack_status_reason"`
		} `json:"stacks"`
	}
	g.ask(http.MethodGet, api.Orchestration, "/stacks", nil, &all, http.StatusOK)
	for _, s := range all.Stacks {
		if s.Name == g.name {
			require.NotContainsf(g.t, s.Status, "FAILED", "%s: %s", g.name, s.Reason)
			return s.Status
		}
	}
	return ""
}

func (g *group) complete() {
	g.t.Helper()
	g.wait(func() string { return g.name + " to be complete" }, func() bool { return strings.HasSuffix(g.status(), "_COMPLETE") })
}

// shrink removes one member.
func (g *group) shrink(nodes int, member string) {
	g.t.Helper()
	g.ask(http.MethodPatch, api.Orchestration, g.path(), map[string]any{
		"parameters": map[string]any{"node_count": nodes, "nodes_to_remove": []string{member}},
	}, nil, http.StatusAccepted)
}

// remove deletes the stack and waits until it is gone.
func (g *group) remove() {
	g.t.Helper()
	g.ask(http.MethodDelete, api.Orchestration, g.path(), nil, nil, http.StatusNoContent)
	g.wait(func() string { return g.name + " to go" }, func() bool { return g.status() == "" })
}

// server is a member as Nova knows it.
type server struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Created  time.Time         `json:"created"`
	Metadata map[string]string `json:"metadata"`
	Flavor   struct {
		VCPUs int `json:"vcpus"`
		RAM   int `json:"ram"`
	} `json:"flavor"`
}

// servers are the group's, by the index of the member.
func (g *group) servers() map[string]server {
	g.t.Helper()
	var all struct {
		Servers []server `json:"servers"`
	}
	g.ask(http.MethodGet, api.Compute, "/servers/detail", nil, &all, http.StatusOK)
	servers := map[string]server{}
	for _, s := range all.Servers {
		if s.Metadata["metering.server_group"] == g.name {
			servers[s.Metadata["node_index"]] = s
		}
	}
	return servers
}

// reboot lets Nova reboot a server, whose counter of processor time begins at 0 then.
func (g *group) reboot(id string) {
	g.t.Helper()
	g.ask(http.MethodPost, api.Compute, "/servers/"+id+"/action", map[string]any{"reboot": map[string]any{"type": "HARD"}}, nil, http.StatusAccepted)
	g.load.Boot++
	g.agent.set(g.name, g.load)
}

// subject is the group as a source of load is asked for it.
func (g *group) subject() ceilometer.Subject {
	g.t.Helper()
	subject := ceilometer.Subject{Group: g.name, ServerGroup: g.name}
	for _, s := range g.servers() {
		if s.Status == "ACTIVE" {
			subject.Machines = append(subject.Machines, ceilometer.Machine{ServerID: s.ID, Created: s.Created, VCPUs: s.Flavor.VCPUs, RAMMiB: s.Flavor.RAM})
		}
	}
	return subject
}
