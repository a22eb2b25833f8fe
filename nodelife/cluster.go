package nodelife

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// Cluster is the Nodes of a Kubernetes cluster. It is safe for concurrent use.
type Cluster struct {
	client kubernetes.Interface
	lister atomic.Pointer[corelisters.NodeLister]
}

// NewCluster returns the cluster behind client. It knows no Node before Watch.
func NewCluster(client kubernetes.Interface) *Cluster { return &Cluster{client: client} }

// Watch makes the cluster list its Nodes from a watch.
func (c *Cluster) Watch(lister corelisters.NodeLister) { c.lister.Store(&lister) }

var errNotWatched = errors.New("nodes are not watched yet")

// nodes lists all Nodes from memory. They are shared and must not be changed.
func (c *Cluster) nodes() ([]*v1.Node, error) {
	lister := c.lister.Load()
	if lister == nil {
		return nil, errNotWatched
	}
	return (*lister).List(labels.Everything())
}

// find returns a Node by name from memory.
func (c *Cluster) find(name string) (*v1.Node, error) {
	lister := c.lister.Load()
	if lister == nil {
		return nil, errNotWatched
	}
	return (*lister).Get(name)
}

// annotate sets annotations of this very Node; a null takes one away.
func (c *Cluster) annotate(ctx context.Context, node *v1.Node, annotations map[string]*string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": node.UID, "annotations": annotations}})
	if err != nil {
		return err
	}
	if _, err := c.client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("annotating node %s: %w", node.Name, err)
	}
	return nil
}

// fresh reads a Node from the API server.
func (c *Cluster) fresh(ctx context.Context, name string) (*v1.Node, error) {
	return c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
}

// remove deletes exactly this Node as it was read: not one that has taken its name, and not if anything about it has
// changed since, such as a sign of life.
func (c *Cluster) remove(ctx context.Context, node *v1.Node) error {
	return c.client.CoreV1().Nodes().Delete(ctx, node.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &node.UID, ResourceVersion: &node.ResourceVersion},
	})
}

// isBeingRemoved says whether cluster-autoscaler is removing the node.
func isBeingRemoved(node *v1.Node) bool {
	for i := range node.Spec.Taints {
		if node.Spec.Taints[i].Key == toBeDeletedTaint {
			return true
		}
	}
	return false
}
