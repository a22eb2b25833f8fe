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

	dir, address           string
	kubernetes, autoscaler string
}

// Progress is told, in words, what is being done. It may take long.
type Progress func(what string)

// StartBase builds the programs and starts the control plane. Close it in any case, also after an error.
func StartBase(ctx context.Context, progress Progress) (*Base, error) {
	return StartBaseOn(ctx, "127.0.0.1", progress)
}

// StartBaseOn is StartBase with an API server at an address of this computer that machines with a network of their own
// reach.
func StartBaseOn(ctx context.Context, address string, progress Progress) (*Base, error) {
	b := &Base{address: address}
	return b, b.start(ctx, progress)
}

func (b *Base) start(ctx context.Context, progress Progress) error {
	builder, err := binaries.New()
	if err != nil {
		return err
	}
	b.Root = builder.Root
	// Binaries that are there already, such as one out of a release.
	b.kubernetes, b.autoscaler = os.Getenv("E2E_KUBERNETES"), os.Getenv("E2E_AUTOSCALER")
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
	manifest := filepath.Join(b.Root, "deploy", "kubernetes", "cluster-autoscaler-openstack.yaml")
	b.Cluster, err = cluster.StartOn(ctx, b.Processes, b.kubernetes, dir, manifest, b.address)
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
