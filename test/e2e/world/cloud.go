package world

import (
	"context"
	"os"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
)

// Cloud is an OpenStack that a world runs on.
type Cloud struct {
	// Session is signed in as the user who owns the stacks.
	Session *openstack.Session
	// Administrator is signed in as an administrator of the cloud.
	Administrator *openstack.Session
	// Hypervisor knows the servers and their user_data.
	Hypervisor machines.Cloud
	// Arguments and Env make the autoscaler sign in as the same user.
	Arguments, Env []string
	// Image, Network and Flavor are what nodes are made of if a node group does not say otherwise.
	Image, Network, Flavor string
	// Disposable: the cloud ends with the world, so that its stacks need not be deleted.
	Disposable bool
}

// The simulator's and the lab's furniture has the same names.
const (
	usualImage   = "node-image"
	usualNetwork = "nodes"
	usualFlavor  = "m1.small"
	usualUser    = "demo"
	usualAdmin   = "admin"
)

// noRateLimit: tests read the cloud far more often than an autoscaler may.
const noRateLimit = -1

// Real makes a Cloud of two entries of the clouds.yaml that OS_CLIENT_CONFIG_FILE names: the user's, and that of an
// administrator, who alone may read the servers' user_data.
func Real(ctx context.Context, user, administrator string) (*Cloud, error) {
	session, err := openstack.NewSession(ctx, openstack.Options{Cloud: user, Rate: noRateLimit})
	if err != nil {
		return nil, err
	}
	asAdministrator, err := openstack.NewSession(ctx, openstack.Options{Cloud: administrator, Rate: noRateLimit})
	if err != nil {
		return nil, err
	}
	compute, err := asAdministrator.Compute(ctx)
	if err != nil {
		return nil, err
	}
	return &Cloud{
		Session: session, Administrator: asAdministrator,
		Hypervisor: machines.Nova{Compute: compute, ProjectID: session.ProjectID()},
		Arguments:  []string{"--openstack-cloud=" + user},
		Env:        []string{"OS_CLIENT_CONFIG_FILE=" + os.Getenv("OS_CLIENT_CONFIG_FILE")},
		Image:      usualImage, Network: usualNetwork, Flavor: usualFlavor,
	}, nil
}
