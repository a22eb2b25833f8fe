package check

import (
	"context"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// read reads something of a service, at a path below its version.
func read(ctx context.Context, client *gophercloud.ServiceClient, path string, into any) error {
	//nolint:bodyclose // gophercloud closes the body when it decodes it
	_, err := client.Get(ctx, client.ServiceURL(path), into, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return err
}

// message is what the cloud says of an error.
func message(err error) string { return openstack.Message(err) }
