package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// Base is what worlds share: the programs and a running control plane.
type Base struct {
	// Root is the repository's top folder.
	Root string
	// Cluster is the control plane.
	Cluster *cluster.Cluster
	// Processes holds everything that was started.
	Processes *process.Group

	dir                                 string
	options                             BaseOptions
	kubernetes, autoscaler, descheduler string
}

// Progress is told, in words, what is being done. It may take long.
type Progress func(what string)

// StartBase builds the programs and starts the control plane. Close it in any case, also after an error.
func StartBase(ctx context.Context, progress Progress) (*Base, error) {
	return StartBaseWith(ctx, BaseOptions{}, progress)
}

// StartBaseOn is StartBase with an API server at an address of this computer that machines with a network of their own
// reach.
func StartBaseOn(ctx context.Context, address string, progress Progress) (*Base, error) {
	return StartBaseWith(ctx, BaseOptions{Address: address}, progress)
}

// BaseOptions of StartBaseWith. The zero value is fine.
type BaseOptions struct {
	// Address is where the API server listens: the loopback interface if empty.
	Address string
	// Manifest is a file with the autoscaler's account and rights, in place of deploy/kubernetes.
	Manifest string
	// Descheduler has the descheduler built as well, before anything runs that its building would disturb.
	Descheduler bool
	// AuditLog is a file for what the autoscaler's account asks of the API server; see cluster.Options.
	AuditLog string
	// AuditNamespaces are namespaces whose service accounts are in the audit log too.
	AuditNamespaces []string
}

// StartBaseWith is StartBase with options.
func StartBaseWith(ctx context.Context, options BaseOptions, progress Progress) (*Base, error) {
	b := &Base{options: options}
	return b, b.start(ctx, progress)
}

func (b *Base) start(ctx context.Context, progress Progress) error {
	builder, err := binaries.New()
	if err != nil {
		return err
	}
	b.Root = builder.Root
	// Binaries that are there already, such as one out of a release.
	b.kubernetes, b.autoscaler, b.descheduler = os.Getenv("E2E_KUBERNETES"), os.Getenv("E2E_AUTOSCALER"), os.Getenv("E2E_DESCHEDULER")
	if b.kubernetes == "" {
		progress("building Kubernetes (etcd, control plane, kubelet): minutes the first time, a second later on")
		if b.kubernetes, err = builder.Kubernetes(ctx); err != nil {
			return err
		}
	}
	if b.autoscaler == "" {
		progress("building cluster-autoscaler-openstack")
		if b.autoscaler, err = builder.Autoscaler(ctx); err != nil {
			return err
		}
	}
	if b.descheduler == "" && b.options.Descheduler {
		progress("building the descheduler: minutes the first time, a second later on")
		if b.descheduler, err = builder.Descheduler(ctx); err != nil {
			return err
		}
	}
	// Not the tests' own temporary folder: its path is too long for the sockets of the machines.
	if b.dir, err = os.MkdirTemp("", "e2e-"); err != nil {
		return err
	}
	logs, err := b.subdirectory("logs")
	if err != nil {
		return err
	}
	b.Processes = process.NewGroup(logs)
	dir, err := b.subdirectory("cluster")
	if err != nil {
		return err
	}
	progress("starting etcd, kube-apiserver, kube-controller-manager and kube-scheduler")
	manifest := b.options.Manifest
	if manifest == "" {
		manifest = filepath.Join(b.Root, "deploy", "kubernetes", "cluster-autoscaler-openstack.yaml")
	}
	b.Cluster, err = cluster.StartWith(ctx, b.Processes, b.kubernetes, dir, manifest,
		cluster.Options{Address: b.options.Address, AuditLog: b.options.AuditLog, AuditNamespaces: b.options.AuditNamespaces})
	return err
}

// Logs is the folder with a file for each process, named after it.
func (b *Base) Logs() string { return filepath.Join(b.dir, "logs") }

func (b *Base) subdirectory(name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	return dir, os.MkdirAll(dir, 0o700)
}

// Close stops everything and removes every trace but the programs. With E2E_KEEP set the logs stay, and it says where.
func (b *Base) Close() error {
	if b.Processes != nil {
		b.Processes.Stop()
	}
	if b.dir == "" {
		return nil
	}
	if os.Getenv("E2E_KEEP") != "" {
		_, err := fmt.Fprintf(os.Stderr, "kept: %s\n", b.dir)
		return err
	}
	if err := os.RemoveAll(b.dir); err != nil {
		return errors.Join(errors.New("the temporary folder could not be removed"), err)
	}
	return nil
}

// Kubernetes is the path of test/kubernetes, the program that is also kubectl.
func (b *Base) Kubernetes() string { return b.kubernetes }

// Autoscaler is the path of the product's program.
func (b *Base) Autoscaler() string { return b.autoscaler }
