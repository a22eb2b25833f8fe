//go:build vm

package vm_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

const (
	clusterName      = "prod"
	controlPlaneName = clusterName + "-control-plane"
	// The simulated cloud gives this address to its first server, whatever its port says.
	controlPlaneAddress = "10.0.0.1"
	apiServer           = "https://" + controlPlaneAddress + ":6443"
	// Where the image's admin-conf.service listens.
	adminConf       = controlPlaneAddress + ":6444"
	podNetwork      = "10.244.0.0/16"
	autoscalerImage = "registry.example.com/cluster-autoscaler-openstack:1.0"
	// requestTimeout bounds one call of the API server, which is not there at first.
	requestTimeout = 10 * time.Second
)

// networkPlugin is what the control plane applies as its network plugin. The real one is in the image of the machine.
const networkPlugin = "{apiVersion: v1, kind: ConfigMap, metadata: {name: network-plugin, namespace: kube-system}}\n"

// wholeCluster is a stack of deploy/heat/cluster.yaml. Its control plane is a virtual machine, its nodes are nodes in namespaces.
type wholeCluster struct {
	sim                *simulator.Simulator
	stack              string // its id
	credential, secret string
	controlPlanes      *vm.Host
	machines           *machines.Machines
	poweredOn          time.Time // written once, long before it is read

	kubeconfig string // the administrator's, as a file
	config     *rest.Config
	client     kubernetes.Interface // nil until there is an API server
}

func launchCluster(t *testing.T) *wholeCluster {
	t.Helper()
	// In real time: a machine that asks for a certificate before its server was made, by the cloud's clock, is refused.
	c := &wholeCluster{sim: simulator.New(simulator.Options{})}
	t.Cleanup(c.sim.Close)
	// Here the autoscaler is a pod, and the cloud is where pods reach it.
	require.NoError(t, c.sim.Start(net.JoinHostPort(host.Network.Gateway, "0")))
	require.NoError(t, host.Network.Route(t.Context(), podNetwork, controlPlaneAddress))
	c.prepareControlPlanes(t)
	c.followServers(t)
	c.kubeconfig = filepath.Join(t.TempDir(), "admin.conf")

	c.sim.AddNetwork("public")
	c.sim.AddFlavor(simulator.Flavor{Name: "control-plane", VCPUs: 2, RAMMiB: 3072, DiskGiB: 20})
	c.credential, c.secret = c.sim.AddApplicationCredential("demo", "demo", clusterName)
	template, err := os.ReadFile(filepath.Join(base.Root, "deploy", "heat", "cluster.yaml"))
	require.NoError(t, err)
	c.stack, err = c.sim.CreateStack("demo", simulator.StackSpec{Name: clusterName, Template: string(template), Parameters: map[string]any{
		"auth_url": c.sim.AuthURL(), "application_credential_id": c.credential, "application_credential_secret": c.secret,
		"autoscaler_image": autoscalerImage, "kubernetes_version": binaries.KubernetesVersion,
		"cni_manifest": "", "cni_inline": base64.StdEncoding.EncodeToString([]byte(networkPlugin)),
		"external_network": "public", "node_cidr": "10.0.0.0/16", "api_address": controlPlaneAddress, "pod_cidr": podNetwork,
		"control_plane_flavor": "control-plane", "control_plane_image": "node-image", "flavor": "m1.small", "image": "node-image",
		"config_drive": true, "min_nodes": 1, "max_nodes": 2,
	}})
	require.NoError(t, err)
	return c
}

// prepareControlPlanes makes the disk of a control plane, with the container images that it would pull.
func (c *wholeCluster) prepareControlPlanes(t *testing.T) {
	t.Helper()
	images, err := vm.ControlPlaneImages(t.Context(), os.Getenv("E2E_KUBERNETES"), *pause, binaries.KubernetesVersion)
	require.NoError(t, err)
	// As the Dockerfile makes it.
	images = append(images, vm.ContainerImage{References: []string{autoscalerImage}, Program: os.Getenv("E2E_AUTOSCALER"), User: "65532:65532"})
	folder := filepath.Join(*dir, "control-plane")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	c.controlPlanes, err = host.With(t.Context(), folder, images...)
	require.NoError(t, err)
}

// followServers switches on the machine of every server until the test ends.
func (c *wholeCluster) followServers(t *testing.T) {
	t.Helper()
	cloud, err := world.Simulated(t.Context(), c.sim, t.TempDir())
	require.NoError(t, err)
	// Not the test's own temporary folder: its path is too long for sockets.
	folder, err := os.MkdirTemp("", "vm-") //nolint:usetesting // see above
	require.NoError(t, err)
	processes := process.NewGroup(base.Logs())
	c.machines = machines.New(processes, cloud.Hypervisor, machines.Options{
		Dir: folder,
		SwitchOn: func(group *process.Group, server machines.Server, name, dir string) (*process.Process, error) {
			if server.Name != controlPlaneName {
				return host.Node(group, server, name, dir)
			}
			c.poweredOn = time.Now()
			return c.controlPlanes.VirtualMachine(group, server, name, dir)
		},
		OnEvent: func(event machines.Event) {
			t.Logf("machine %s of server %s (%s): %v", event.Kind, event.Name, event.ServerID, event.Err)
		},
	})
	background, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); c.machines.Run(background) }()
	t.Cleanup(func() {
		stop()
		<-ended
		if t.Failed() {
			c.showPods(t)
			showConsoles(t, clusterName)
		}
		processes.Stop()
		require.NoError(t, os.RemoveAll(folder))
	})
}

// connect gets the administrator's kubeconfig and makes the clients of it.
func (c *wholeCluster) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", adminConf)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return err
	}
	text, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return errors.New("kubeadm has not written the administrator's kubeconfig")
	}
	if c.config, err = clientcmd.RESTConfigFromKubeConfig(text); err != nil {
		return err
	}
	c.config.Timeout = requestTimeout
	if c.client, err = kubernetes.NewForConfig(c.config); err != nil {
		return err
	}
	return os.WriteFile(c.kubeconfig, text, 0o600)
}

// showPods logs how the system's pods are, and the end of the log of the autoscaler's.
func (c *wholeCluster) showPods(t *testing.T) {
	t.Helper()
	if c.client == nil {
		return
	}
	// The test's own context has ended by now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), closeTimeout)
	defer cancel()
	pods, err := c.client.CoreV1().Pods(system).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Logf("pods: %v", err)
		return
	}
	lines := int64(60)
	for _, pod := range pods.Items {
		t.Logf("pod %s: %s %s %+v", pod.Name, pod.Status.Phase, pod.Status.Message, pod.Status.ContainerStatuses)
		if pod.Labels["app"] == autoscaler {
			log, err := c.client.CoreV1().Pods(system).GetLogs(pod.Name, &v1.PodLogOptions{TailLines: &lines}).DoRaw(ctx)
			t.Logf("the end of its log (%v):\n%s", err, log)
		}
	}
}

// until polls until check returns nil. A machine that has died ends the wait, as nothing would come of it.
func (c *wholeCluster) until(t *testing.T, timeout time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	var missing error
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, timeout, true, func(ctx context.Context) (bool, error) {
		if err := c.machines.Err(); err != nil {
			return false, err
		}
		missing = check(ctx)
		return missing == nil, nil
	})
	require.NoError(t, err, "waited for %s: %v", what, missing)
}
