package machine

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	remote "k8s.io/cri-client/pkg"
	fakeremote "k8s.io/cri-client/pkg/fake"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/certificate/bootstrap"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/eviction"
	"k8s.io/kubernetes/pkg/kubemark"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/boot"
)

// longestSocketPath is what fits into a Unix socket's address (sun_path of unix(7), less the final zero).
const longestSocketPath = 107

// runKubelet joins the cluster and runs the node until the process ends. It returns only with an error.
func runKubelet(ctx context.Context, server *options.KubeletServer, stateDir string, instance boot.Instance, size Size) error {
	nodeName := types.NodeName(instance.Hostname)
	if server.HostnameOverride != "" {
		nodeName = types.NodeName(server.HostnameOverride)
	}
	adapt(server, stateDir, string(nodeName))
	if err := joinCluster(ctx, server, nodeName); err != nil {
		return err
	}
	client, heartbeat, err := clients(server)
	if err != nil {
		return err
	}
	manager, err := newContainerManager(server, size)
	if err != nil {
		return err
	}
	socket := filepath.Join(stateDir, "cri.sock")
	if len(socket) > longestSocketPath {
		return fmt.Errorf("%s is too long for a socket; use a state directory with a shorter path", socket)
	}
	runtime := fakeremote.NewFakeRemoteRuntime()
	if err := runtime.Start("unix://" + socket); err != nil {
		return fmt.Errorf("container runtime: %w", err)
	}
	logger := klog.FromContext(ctx)
	runtimeService, err := remote.NewRemoteRuntimeService("unix://"+socket, 15*time.Second, noop.NewTracerProvider(), &logger)
	if err != nil {
		return fmt.Errorf("container runtime: %w", err)
	}
	cadvisor := &hardware{Fake: cadvisortest.Fake{NodeName: string(nodeName)}, size: size, instance: instance}
	kubemark.NewHollowKubelet(&server.KubeletFlags, &server.KubeletConfiguration, client, heartbeat,
		cadvisor, runtime.ImageService, runtimeService, manager).Run(ctx)
	return nil
}

// adapt turns off what needs root, cgroups or a real network, and moves every path into the machine's own directory.
func adapt(server *options.KubeletServer, stateDir, nodeName string) {
	server.HostnameOverride = nodeName
	server.RootDirectory = filepath.Join(stateDir, "kubelet")
	server.CertDirectory = filepath.Join(stateDir, "kubelet", "pki")
	server.PodLogsDir = filepath.Join(stateDir, "pod-logs")
	server.StaticPodPath = ""
	server.ContainerRuntimeEndpoint = "unix://" + filepath.Join(stateDir, "cri.sock")
	server.ResolverConfig = ""
	server.CgroupsPerQOS = false
	server.CgroupRoot, server.KubeletCgroups, server.SystemCgroups = "", "", ""
	server.EnforceNodeAllocatable = nil
	server.ProtectKernelDefaults = false
	server.MaxOpenFiles = 1024
	// Nobody asks the kubelet for logs or a shell, and a port per machine would have to be free on this computer.
	server.EnableServer, server.ReadOnlyPort = false, 0
	if server.NodeIP == "" {
		server.NodeIP = hostAddress()
	}
}

// hostAddress is an address of this computer, which all machines share, as none has a network of its own. The kubelet
// would otherwise look the node's name up in DNS at every heartbeat. Empty if there is only the loopback interface.
func hostAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, address := range addresses {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	return ""
}

// joinCluster gets the node's client certificate by TLS bootstrap, as the kubelet does at its first start.
func joinCluster(ctx context.Context, server *options.KubeletServer, nodeName types.NodeName) error {
	start := time.Now()
	if err := os.MkdirAll(server.CertDirectory, 0o700); err != nil {
		return err
	}
	if err := bootstrap.LoadClientCert(ctx, server.KubeConfig, server.BootstrapKubeconfig, server.CertDirectory, nodeName); err != nil {
		return fmt.Errorf("TLS bootstrap: %w", err)
	}
	klog.FromContext(ctx).Info("Joined the cluster: the client certificate is there", "node", nodeName, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// clients are the node's connections to the API server: one for everything and one, with a short timeout, for heartbeats.
func clients(server *options.KubeletServer) (client, heartbeat *kubernetes.Clientset, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", server.KubeConfig)
	if err != nil {
		return nil, nil, err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.UserAgent = "kubelet (machine)"
	config.QPS, config.Burst = float32(server.KubeAPIQPS), int(server.KubeAPIBurst)
	if client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, nil, err
	}
	forHeartbeat := rest.CopyConfig(config)
	forHeartbeat.QPS, forHeartbeat.Timeout = -1, server.NodeStatusUpdateFrequency.Duration
	heartbeat, err = kubernetes.NewForConfig(forHeartbeat)
	return client, heartbeat, err
}

func newContainerManager(server *options.KubeletServer, size Size) (*containerManager, error) {
	kube, err := resources(server.KubeReserved)
	if err != nil {
		return nil, err
	}
	system, err := resources(server.SystemReserved)
	if err != nil {
		return nil, err
	}
	thresholds, err := eviction.ParseThresholdConfig(nil, server.EvictionHard, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	capacity := size.capacity()
	return &containerManager{
		ContainerManager: cm.NewStubContainerManager(),
		capacity:         capacity,
		reserved:         reservation(capacity, kube, system, thresholds),
	}, nil
}
