//go:build vm

package vm_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	// firstBootTimeout bounds a control plane's way from power-on to its last manifest, on an overloaded machine too.
	firstBootTimeout = 12 * time.Minute
	// podTimeout bounds the time until the autoscaler's pod runs, and until it has made a node.
	podTimeout = 4 * time.Minute
	autoscaler = "cluster-autoscaler-openstack"
	system     = metav1.NamespaceSystem
)

// TestControlPlane: the user_data of cluster.yaml's control plane makes a cluster of nothing, with the autoscaler in it as a pod,
// which gives the stack its first node.
func TestControlPlane(t *testing.T) {
	c := launchCluster(t)
	c.until(t, firstBootTimeout, "the last manifest to be applied", func(ctx context.Context) error {
		if err := c.connect(ctx); err != nil {
			return err
		}
		_, err := c.client.AppsV1().Deployments(system).Get(ctx, autoscaler, metav1.GetOptions{})
		return err
	})
	complete := time.Now()
	fmt.Printf("bench vm_cluster_s %.1f s\n", complete.Sub(c.poweredOn).Seconds())
	c.announcesItself(t)
	c.hasEverything(t)

	c.until(t, podTimeout, "the autoscaler's pod to run", func(ctx context.Context) error {
		deployment, err := c.client.AppsV1().Deployments(system).Get(ctx, autoscaler, metav1.GetOptions{})
		if err == nil && deployment.Status.AvailableReplicas == 0 {
			err = fmt.Errorf("none of %d is available", deployment.Status.Replicas)
		}
		return err
	})
	c.getsItsFirstNode(t)
	fmt.Printf("bench vm_cluster_first_node_s %.1f s\n", time.Since(complete).Seconds())
}

// announcesItself: cluster-info, which everybody may read, says where the API server is and whom it is signed by.
func (c *wholeCluster) announcesItself(t *testing.T) {
	t.Helper()
	require.Equal(t, apiServer, c.config.Host)
	anonymous, err := kubernetes.NewForConfig(rest.AnonymousClientConfig(c.config))
	require.NoError(t, err)
	info, err := anonymous.CoreV1().ConfigMaps(metav1.NamespacePublic).Get(t.Context(), "cluster-info", metav1.GetOptions{})
	require.NoError(t, err)
	announced, err := clientcmd.RESTConfigFromKubeConfig([]byte(info.Data["kubeconfig"]))
	require.NoError(t, err)
	assert.Equal(t, apiServer, announced.Host)
	assert.Equal(t, string(c.config.CAData), string(announced.CAData))
}

// hasEverything: the control plane is a node, all that deploy/kubernetes has is there, the autoscaler has its credential, and no
// token is left that nobody uses.
func (c *wholeCluster) hasEverything(t *testing.T) {
	t.Helper()
	nodes, err := c.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: "node-role.kubernetes.io/control-plane"})
	require.NoError(t, err)
	require.Len(t, nodes.Items, 1)
	assert.Equal(t, controlPlaneName, nodes.Items[0].Name)
	assert.Equal(t, c.server(controlPlaneName).ID, world.ServerOf(&nodes.Items[0]))

	folder := filepath.Join(base.Root, "deploy", "kubernetes")
	output, err := process.Run(t.Context(), process.Options{}, os.Getenv("E2E_KUBERNETES"), "kubectl", "--kubeconfig="+c.kubeconfig,
		"--cache-dir="+t.TempDir(), "get", "--filename="+filepath.Join(folder, "cluster-autoscaler-openstack.yaml"),
		"--filename="+filepath.Join(folder, "kubeadm-join.yaml"))
	require.NoError(t, err, "%s", output)
	_, err = c.client.CoreV1().ConfigMaps(system).Get(t.Context(), "network-plugin", metav1.GetOptions{})
	require.NoError(t, err, "the network plugin that is given inline")

	secret, err := c.client.CoreV1().Secrets(system).Get(t.Context(), autoscaler, metav1.GetOptions{})
	require.NoError(t, err)
	conf := string(secret.Data["cloud.conf"])
	for _, line := range []string{
		fmt.Sprintf("auth-url=%q\n", c.sim.AuthURL()), fmt.Sprintf("application-credential-id=%q\n", c.credential),
		fmt.Sprintf("application-credential-secret=%q\n", c.secret),
	} {
		assert.Contains(t, conf, line)
	}
	tokens, err := c.client.CoreV1().Secrets(system).List(t.Context(), metav1.ListOptions{FieldSelector: "type=" + string(v1.SecretTypeBootstrapToken)})
	require.NoError(t, err)
	for _, token := range tokens.Items {
		assert.Equal(t, bootstrap.ManagedBy, token.Labels[bootstrap.ManagedByLabel], "Secret %s", token.Name)
	}
}

// getsItsFirstNode: the least number of nodes is one and there was none, so the autoscaler makes it, and lets it in.
func (c *wholeCluster) getsItsFirstNode(t *testing.T) {
	t.Helper()
	const first = clusterName + "-0"
	c.until(t, podTimeout, "the stack's first node", func(context.Context) error {
		stack, _ := c.sim.Stack(c.stack)
		if stack.Status != "UPDATE_COMPLETE" || stack.Parameters["node_count"] != "1" {
			return fmt.Errorf("the stack is %s with node_count %s: %s", stack.Status, stack.Parameters["node_count"], stack.Reason)
		}
		return nil
	})
	server := c.server(first)
	assert.Contains(t, server.UserData, apiServer)
	assert.Contains(t, server.UserData, base64.StdEncoding.EncodeToString(c.config.CAData))
	assert.Regexp(t, `\b[a-z0-9]{6}\.[a-z0-9]{16}\b`, server.UserData, "a token")

	c.until(t, nodeTimeout, first+" to be ready", func(ctx context.Context) error {
		node, err := c.client.CoreV1().Nodes().Get(ctx, first, metav1.GetOptions{})
		if err == nil && !world.IsReady(node) {
			err = fmt.Errorf("node %s: %+v", node.Name, node.Status.Conditions)
		}
		if err == nil {
			assert.Equal(t, server.ID, world.ServerOf(node))
		}
		return err
	})
}

// server is the cloud's server of that name, zero if there is none.
func (c *wholeCluster) server(name string) simulator.Server {
	for _, server := range c.sim.Servers() {
		if server.Name == name {
			return server
		}
	}
	return simulator.Server{}
}
