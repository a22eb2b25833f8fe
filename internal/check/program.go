package check

import (
	"context"

	"k8s.io/client-go/kubernetes"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
)

// program is the autoscaler as a Deployment in the cluster runs it.
type program struct {
	// Deployment has no name if none was found; err says why it could not be looked for.
	installed.Deployment
	err error
}

// findProgram looks for the autoscaler among the Deployments.
func findProgram(ctx context.Context, client kubernetes.Interface, where installed.Where) *program {
	found, err := installed.Deployments(ctx, client, where)
	if err != nil || len(found) == 0 {
		return &program{err: err}
	}
	return &program{Deployment: found[0]}
}
