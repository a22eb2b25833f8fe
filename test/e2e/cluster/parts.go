package cluster

import (
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
)

const (
	loopback = "127.0.0.1"
	// advertised is what kubeadm is told instead of the loopback address, which it refuses. Nothing ever connects to it:
	// 198.18.0.0/15 is for benchmarks (RFC 2544).
	advertised   = "198.18.0.1"
	serviceRange = "10.96.0.0/16"
)

// kubeadmYAML configures kubeadm's phases. kubernetesVersion is given so that kubeadm does not ask the internet.
func (s *starter) kubeadmYAML() string {
	return fmt.Sprintf(`apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: %[1]s, bindPort: %[2]d}
nodeRegistration: {name: control-plane}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: %[3]s
clusterName: e2e
controlPlaneEndpoint: %[4]s:%[2]d
certificatesDir: %[5]q
networking: {serviceSubnet: %[6]s}
apiServer: {certSANs: [%[4]s, localhost]}
etcd: {external: {endpoints: [%[7]q]}}
`, advertised, s.apiPort, binaries.KubernetesVersion, s.address, s.pki, serviceRange, s.etcdURL)
}

// part is a program of the control plane.
type part struct {
	name      string
	arguments []string
}

// servers come first.
func (s *starter) servers() []part {
	return []part{
		{"etcd", s.etcdArguments()},
		{"kube-apiserver", s.apiServerArguments()},
	}
}

// clients need an API server that is ready.
func (s *starter) clients() []part {
	return []part{
		{"kube-controller-manager", s.controllerManagerArguments()},
		{"kube-scheduler", s.schedulerArguments()},
	}
}

func (s *starter) etcdArguments() []string {
	peerURL := fmt.Sprintf("http://%s:%d", loopback, s.etcdPeerPort)
	return []string{
		"--name=e2e", "--data-dir=" + filepath.Join(s.dir, "etcd"), "--log-level=warn",
		// The data does not outlive the test, so it need not reach the disk.
		"--unsafe-no-fsync",
		"--listen-client-urls=" + s.etcdURL, "--advertise-client-urls=" + s.etcdURL,
		"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL, "--initial-cluster=e2e=" + peerURL,
	}
}

func (s *starter) apiServerArguments() []string {
	return append(s.auditArguments(), []string{
		"--etcd-servers=" + s.etcdURL,
		"--bind-address=" + s.address, "--advertise-address=" + s.address, "--secure-port=" + strconv.Itoa(s.apiPort),
		// A loopback address may not be an endpoint of the service "kubernetes"; no pod here asks for it.
		"--endpoint-reconciler-type=none",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--enable-bootstrap-token-auth",
		"--allow-privileged", "--profiling=false", "--service-cluster-ip-range=" + serviceRange,
		"--client-ca-file=" + s.cert("ca.crt"),
		// For logs of pods: the API server trusts no kubelet that has not got its certificate from the cluster.
		"--kubelet-certificate-authority=" + s.cert("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate=" + s.cert("apiserver-kubelet-client.crt"), "--kubelet-client-key=" + s.cert("apiserver-kubelet-client.key"),
		"--tls-cert-file=" + s.cert("apiserver.crt"), "--tls-private-key-file=" + s.cert("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + s.cert("sa.pub"), "--service-account-signing-key-file=" + s.cert("sa.key"),
		"--requestheader-client-ca-file=" + s.cert("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + s.cert("front-proxy-client.crt"), "--proxy-client-key-file=" + s.cert("front-proxy-client.key"),
	}...)
}

func (s *starter) controllerManagerArguments() []string {
	kubeconfig := filepath.Join(s.dir, "controller-manager.conf")
	return []string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		// Nobody asks it anything, so it needs no port.
		"--secure-port=0", "--leader-elect=false", "--use-service-account-credentials",
		"--controllers=*,bootstrapsigner,tokencleaner", "--cluster-name=e2e",
		"--cluster-signing-cert-file=" + s.cert("ca.crt"), "--cluster-signing-key-file=" + s.cert("ca.key"),
		"--root-ca-file=" + s.cert("ca.crt"), "--service-account-private-key-file=" + s.cert("sa.key"),
		// A kubelet is heard of every ten seconds, later on a busy computer: the grace period stays what it is in any cluster.
		"--node-monitor-period=2s",
	}
}

func (s *starter) schedulerArguments() []string {
	kubeconfig := filepath.Join(s.dir, "scheduler.conf")
	return []string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--secure-port=0", "--leader-elect=false",
	}
}

func (s *starter) cert(name string) string { return filepath.Join(s.pki, name) }
