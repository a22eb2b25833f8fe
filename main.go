// cluster-autoscaler-openstack is Kubernetes' cluster-autoscaler for clusters whose nodes are made by OpenStack Heat.
package main

import (
	"os"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr))
}
