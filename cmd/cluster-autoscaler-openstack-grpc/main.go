// cluster-autoscaler-openstack-grpc serves OpenStack Heat stacks as node groups to a stock cluster-autoscaler.
package main

import (
	"os"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/app"
)

func main() {
	os.Exit(app.ExternalMain(os.Args[1:], os.Stdout, os.Stderr))
}
