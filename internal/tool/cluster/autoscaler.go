package cluster

import (
	"context"
	"fmt"
	"strconv"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// Autoscaler finds the autoscaler's pods.
func (r *Reader) Autoscaler(ctx context.Context) (*installed.Running, error) {
	found, err := installed.Pods(ctx, r.client, r.autoscaler.Where())
	return found, cli.Explain(fmt.Sprintf("list pods in namespace %q", r.autoscaler.Namespace), err)
}

// FetchStatus reads path from the status port of a pod, through the API server.
func (r *Reader) FetchStatus(ctx context.Context, pod *v1.Pod, port int, path string) ([]byte, error) {
	body, err := r.client.CoreV1().Pods(pod.Namespace).ProxyGet("http", pod.Name, strconv.Itoa(port), path, nil).DoRaw(ctx)
	if err != nil {
		return nil, cli.Explain(fmt.Sprintf("get pods/proxy in namespace %q (port %d of pod %q)", pod.Namespace, port, pod.Name), err)
	}
	return body, nil
}
