package heatstack

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Machines looks at single servers, and shuts them down. It is safe for concurrent use. Errors are those of package
// internal/openstack's client, except nodegroups.ErrNoServer.
type Machines struct{ nova *novaClient }

// NewMachines returns the servers behind these clients.
func NewMachines(clients ComputeClients) *Machines {
	return &Machines{nova: &novaClient{clients: clients}}
}

// Server reads one server.
func (m *Machines) Server(ctx context.Context, id string) (nodegroups.Server, error) {
	var answer struct {
		Server *serverAnswer `json:"server"`
	}
	if _, err := m.nova.get(ctx, &answer, "", "servers", id); err != nil {
		return nodegroups.Server{}, fmt.Errorf("reading server %s: %w", id, orGone(err))
	}
	if answer.Server == nil || answer.Server.ID != id {
		return nodegroups.Server{}, fmt.Errorf("reading server %s: that server is not in the answer: %w", id, errBadAnswer)
	}
	s := answer.Server.server()
	return nodegroups.Server{ID: s.ID, Status: s.Status, TaskState: s.TaskState, Launched: s.Launched, Fault: s.Fault}, nil
}

// orGone marks Nova's own 404.
func orGone(err error) error {
	if saysNone(err, novaHasNone) {
		return fmt.Errorf("%w: %w", nodegroups.ErrNoServer, err)
	}
	return err
}

// LastStop returns the id of the user who ordered the last stop of a server that is SHUTOFF; "" if nobody did.
//
// Nova's record of actions tells. When Nova finds a machine off that it believed to run, because its guest shut it down or
// its host died, it calls its own stop in nobody's name, so that the action has no user (nova/compute/manager.py,
// _sync_instance_power_state). A record in which the machine was started, and not stopped since, says the same.
func (m *Machines) LastStop(ctx context.Context, id string) (user string, err error) {
	var answer struct {
		Actions *[]struct {
			Action string `json:"action"`
			User   string `json:"user_id"`
		} `json:"instanceActions"`
	}
	if _, err := m.nova.get(ctx, &answer, "", "servers", id, "os-instance-actions"); err != nil {
		return "", fmt.Errorf("reading the actions of server %s: %w", id, orGone(err))
	}
	if answer.Actions == nil {
		return "", fmt.Errorf("reading the actions of server %s: no key instanceActions: %w", id, errBadAnswer)
	}
	for _, a := range *answer.Actions { // the newest first
		switch a.Action {
		case "stop":
			return a.User, nil
		case "start", "reboot", "create":
			return "", nil
		}
	}
	return "", fmt.Errorf("the actions of server %s tell neither its making nor a stop: %w", id, errBadAnswer)
}

// Stop tells a server to shut down. Nova gives the guest 60 s for it by default (nova.conf, shutdown_timeout, or the image's
// os_shutdown_timeout) and then switches it off. It returns at once.
func (m *Machines) Stop(ctx context.Context, id string) error {
	client, err := m.nova.clients.Compute(ctx)
	if err != nil {
		return err
	}
	//nolint:bodyclose // gophercloud closes the body that it does not decode
	_, err = client.Post(ctx, serviceURL(client, "servers", id, "action"), map[string]any{"os-stop": nil}, nil,
		&gophercloud.RequestOpts{OkCodes: []int{http.StatusAccepted}})
	if err != nil {
		return fmt.Errorf("stopping server %s: %w", id, orGone(err))
	}
	return nil
}
