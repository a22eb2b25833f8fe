// Package cluster starts a real Kubernetes control plane on the loopback interface, or on an address that other machines
// reach: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, with certificates made by kubeadm. It needs no
// privileges and nothing that is installed. There are no nodes, there is no bootstrap token, and nobody approves the certificate of a new node: that is the
// autoscaler's work, whose rights are those of deploy/kubernetes and no more.
package cluster

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// Cluster is a running control plane.
type Cluster struct {
	// Endpoint is the API server's URL.
	Endpoint string
	// Kubeconfig is the path of an administrator's kubeconfig.
	Kubeconfig string
	// CA is the cluster's certificate authority: PEM in base64, as kubeconfigs hold it.
	CA string
	// Config and Client speak to the API server as administrator.
	Config *rest.Config
	Client kubernetes.Interface

	parts   []*process.Process
	rules   *manifest
	kubeadm func(ctx context.Context, phase ...string) error
}

// Bounds of the waits. A loaded computer of two cores needs about 20 s in all.
const (
	startTimeout = 3 * time.Minute
	pollInterval = 100 * time.Millisecond
)

// Start starts a control plane that keeps its state in dir, an existing empty folder. binary is test/kubernetes, manifest the
// autoscaler's (see Manifest). The processes belong to the group: stop it to stop the cluster.
func Start(ctx context.Context, group *process.Group, binary, dir, manifest string) (*Cluster, error) {
	return StartWith(ctx, group, binary, dir, manifest, Options{})
}

// Options of StartWith. The zero value is fine.
type Options struct {
	// Address is where the API server listens: the loopback interface if empty.
	Address string
	// AuditLog is a file for what the autoscaler's account asks of the API server, in the form of Kubernetes' audit log, one
	// event a line. None if empty.
	AuditLog string
	// AuditNamespaces are namespaces whose service accounts are in the audit log too.
	AuditNamespaces []string
}

// StartOn is Start with an API server that listens on address, an IPv4 address of this computer, so that machines with a
// network of their own reach it. All else stays on the loopback interface.
func StartOn(ctx context.Context, group *process.Group, binary, dir, manifest, address string) (*Cluster, error) {
	return StartWith(ctx, group, binary, dir, manifest, Options{Address: address})
}

// StartWith is Start with options.
func StartWith(ctx context.Context, group *process.Group, binary, dir, manifest string, options Options) (*Cluster, error) {
	if options.Address == "" {
		options.Address = loopback
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	rules, err := readManifest(manifest)
	if err != nil {
		return nil, err
	}
	s := &starter{group: group, binary: binary, dir: dir, address: options.Address, auditLog: options.AuditLog, auditNamespaces: options.AuditNamespaces, rules: rules}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	c, err := s.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	return c, nil
}

// Err says which part of the control plane has died, if any.
func (c *Cluster) Err() error {
	var dead []error
	for _, part := range c.parts {
		dead = append(dead, part.Err())
	}
	return errors.Join(dead...)
}

// starter holds what is decided before anything runs.
type starter struct {
	group              *process.Group
	rules              *manifest
	binary, dir        string
	address            string // the API server's
	auditLog           string // empty for none
	auditNamespaces    []string
	apiPort, etcdPort  int
	etcdPeerPort       int
	endpoint, etcdURL  string
	kubeadmConfig, pki string
}

func (s *starter) prepare(ctx context.Context) error {
	for _, port := range []*int{&s.apiPort, &s.etcdPort, &s.etcdPeerPort} {
		var err error
		if *port, err = ports.Free(ctx); err != nil {
			return err
		}
	}
	s.endpoint = "https://" + net.JoinHostPort(s.address, strconv.Itoa(s.apiPort))
	s.etcdURL = "http://" + net.JoinHostPort(loopback, strconv.Itoa(s.etcdPort))
	s.pki = filepath.Join(s.dir, "pki")
	s.kubeadmConfig = filepath.Join(s.dir, "kubeadm.yaml")
	if err := os.WriteFile(s.kubeadmConfig, []byte(s.kubeadmYAML()), 0o600); err != nil {
		return err
	}
	if s.auditLog != "" {
		if err := os.WriteFile(s.auditPolicyPath(), []byte(s.auditPolicy()), 0o600); err != nil {
			return err
		}
	}
	if err := s.kubeadm(ctx, "certs", "all"); err != nil {
		return err
	}
	if err := s.kubeadm(ctx, "kubeconfig", "all", "--kubeconfig-dir", s.dir); err != nil {
		return err
	}
	return s.pointAtEndpoint("super-admin.conf", "controller-manager.conf", "scheduler.conf")
}

// run starts parts of the control plane.
func (c *Cluster) run(s *starter, parts []part) error {
	for _, part := range parts {
		p, err := s.group.Start(part.name, process.Options{}, s.binary, append([]string{part.name}, part.arguments...)...)
		if err != nil {
			return err
		}
		c.parts = append(c.parts, p)
	}
	return nil
}

func (s *starter) start(ctx context.Context) (*Cluster, error) {
	c := &Cluster{Endpoint: s.endpoint, Kubeconfig: filepath.Join(s.dir, "super-admin.conf"), rules: s.rules, kubeadm: s.kubeadm}
	ca, err := os.ReadFile(filepath.Join(s.pki, "ca.crt"))
	if err != nil {
		return nil, err
	}
	c.CA = base64.StdEncoding.EncodeToString(ca)
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return nil, err
	}
	c.Config.QPS, c.Config.Burst = 100, 200
	if c.Client, err = kubernetes.NewForConfig(c.Config); err != nil {
		return nil, err
	}
	if err := c.run(s, s.servers()); err != nil {
		return nil, err
	}
	if err := c.wait(ctx, "the API server to be ready", func(ctx context.Context) (bool, error) {
		_, err := c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, err
	}); err != nil {
		return nil, err
	}
	// kube-controller-manager gives up on an API server that is not healthy within 10 s (WaitForAPIServer), and nobody here
	// would start it again.
	if err := c.run(s, s.clients()); err != nil {
		return nil, err
	}
	if err := c.publish(ctx); err != nil {
		return nil, err
	}
	if err := c.rules.apply(ctx, c.Client); err != nil {
		return nil, err
	}
	return c, c.WaitForNamespace(ctx, metav1.NamespaceDefault)
}

// WaitForNamespace waits until pods can be made in a namespace: the controller manager has made its service account.
func (c *Cluster) WaitForNamespace(ctx context.Context, name string) error {
	return c.wait(ctx, "the default service account of namespace "+name, func(ctx context.Context) (bool, error) {
		_, err := c.Client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// wait polls until done says so; an error of done is not final but told if time runs out. A dead part of the control
// plane ends the wait.
func (c *Cluster) wait(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		if ok {
			return nil
		}
		if dead := c.Err(); dead != nil {
			return dead
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w", what, errors.Join(ctx.Err(), err))
		}
	}
}

func (s *starter) kubeadm(ctx context.Context, phase ...string) error {
	arguments := append([]string{"kubeadm", "init", "phase"}, phase...)
	_, err := process.Run(ctx, process.Options{}, s.binary, append(arguments, "--config", s.kubeadmConfig)...)
	return err
}

// pointAtEndpoint corrects the address in kubeconfigs that kubeadm has written; see advertised.
func (s *starter) pointAtEndpoint(names ...string) error {
	for _, name := range names {
		path := filepath.Join(s.dir, name)
		config, err := clientcmd.LoadFromFile(path)
		if err != nil {
			return err
		}
		for _, cluster := range config.Clusters {
			cluster.Server = s.endpoint
		}
		if err := clientcmd.WriteToFile(*config, path); err != nil {
			return err
		}
	}
	return nil
}
