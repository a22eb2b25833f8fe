// Package cloudcontroller stands in for one controller of the OpenStack cloud controller manager: the cloud node
// lifecycle controller, which deletes the Node objects of servers that are gone. Nobody else in a cluster does that, and
// it is no work of the autoscaler.
package cloudcontroller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
)

// NodeLifecycle deletes Nodes whose server is gone.
type NodeLifecycle struct {
	Client kubernetes.Interface
	Cloud  machines.Cloud
	// Selector limits the nodes it looks at, as a label selector; all if empty.
	Selector string
	// Poll is the time between two looks.
	Poll time.Duration
	// OnError is told why a look has failed; it may be nil.
	OnError func(error)
}

// Run works until ctx ends.
func (l NodeLifecycle) Run(ctx context.Context) {
	ticker := time.NewTicker(l.Poll)
	defer ticker.Stop()
	for {
		if err := l.look(ctx); err != nil && ctx.Err() == nil && l.OnError != nil {
			l.OnError(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look lists the nodes first: a server that is made between the two lists must not seem to be gone.
func (l NodeLifecycle) look(ctx context.Context) error {
	nodes, err := l.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: l.Selector})
	if err != nil {
		return err
	}
	servers, err := l.Cloud.Servers(ctx)
	if err != nil {
		return err
	}
	exists := map[string]bool{}
	for _, server := range servers {
		exists[server.ID] = true
	}
	var errs []error
	for _, node := range nodes.Items {
		id, ours := serverID(&node)
		if !ours || exists[id] {
			continue
		}
		// By UID: a new server may have taken the name meanwhile.
		options := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(node.UID))}
		if err := l.Client.CoreV1().Nodes().Delete(ctx, node.Name, options); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("delete node %s: %w", node.Name, err))
		}
	}
	return errors.Join(errs...)
}

func serverID(node *v1.Node) (string, bool) {
	return strings.CutPrefix(node.Spec.ProviderID, "openstack:///")
}
