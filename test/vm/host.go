package vm

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// Host is what machines run on: the hypervisor.
type Host struct {
	// Image is the folder of the node image: "disk" and "linux" for virtual machines, the tree "root" for nodes in namespaces.
	Image string
	// Network is what the machines are plugged into.
	Network *Network

	// programs is a folder with test/kubernetes and the container images; disk is a file system with the same in it.
	programs, disk string
	node           string // the script that runs a node in namespaces
	cgroups        string // what the names of their cgroups begin with
}

// PodImage is the container image that every machine has; its program waits until it is told to end.
const PodImage = "localhost/pause:1"

// nobody is the user that programs run as that need no rights.
const nobody = "65535:65535"

// setupTimeout bounds the making of disks, which takes seconds.
const setupTimeout = 2 * time.Minute

// NewHost makes a host that keeps its files in dir, an existing folder. scripts is this package's folder, kubernetes and
// pause are the programs of test/kubernetes and test/vm/pause. What the names of the cgroups begin with, cgroups, must be this
// host's alone.
func NewHost(ctx context.Context, dir, scripts, image, kubernetes, pause, cgroups string, network *Network) (*Host, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	h := &Host{
		Image: image, Network: network, node: filepath.Join(scripts, "node"), cgroups: cgroups,
		programs: filepath.Join(dir, "kubernetes"), disk: filepath.Join(dir, "kubernetes.disk"),
	}
	if err := os.MkdirAll(filepath.Join(h.programs, "images"), 0o755); err != nil {
		return nil, err
	}
	if err := copyProgram(kubernetes, filepath.Join(h.programs, "kubernetes")); err != nil {
		return nil, err
	}
	podImage := ContainerImage{References: []string{PodImage}, Program: pause, User: nobody}
	if err := podImage.write(filepath.Join(h.programs, "images", "pause.tar")); err != nil {
		return nil, fmt.Errorf("container image: %w", err)
	}
	return h, h.makeDisk(ctx)
}

// With makes a host on the same network whose virtual machines have these container images too. Its files go to dir, an existing
// folder on the same file system as the host's own.
func (h *Host) With(ctx context.Context, dir string, images ...ContainerImage) (*Host, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	other, err := h.ForNodes(dir, images)
	if err != nil {
		return nil, err
	}
	other.disk = filepath.Join(dir, "kubernetes.disk")
	return other, other.makeDisk(ctx)
}

// ForNodes makes a host on the same network whose nodes in namespaces have these container images too, and those of archives that
// containerd reads. Its virtual machines have what the host's have. Its files go to dir as those of With.
func (h *Host) ForNodes(dir string, images []ContainerImage, archives ...string) (*Host, error) {
	other := *h
	other.programs = filepath.Join(dir, "kubernetes")
	if err := os.MkdirAll(filepath.Join(other.programs, "images"), 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"kubernetes", filepath.Join("images", "pause.tar")} {
		if err := os.Link(filepath.Join(h.programs, name), filepath.Join(other.programs, name)); err != nil {
			return nil, err
		}
	}
	for i, image := range images {
		if err := image.write(filepath.Join(other.programs, "images", fmt.Sprintf("more-%d.tar", i))); err != nil {
			return nil, fmt.Errorf("container image %v: %w", image.References, err)
		}
	}
	for i, archive := range archives {
		if err := copyProgram(archive, filepath.Join(other.programs, "images", fmt.Sprintf("archive-%d.tar", i))); err != nil {
			return nil, err
		}
	}
	return &other, nil
}

// diskSize is the size of the disk of programs. What is empty takes no room.
const diskSize = "1G"

func (h *Host) makeDisk(ctx context.Context) error {
	// The label is what the image's fstab mounts.
	_, err := process.Run(ctx, process.Options{}, "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-L", "kubernetes", "-d", h.programs, h.disk, diskSize)
	return err
}

func copyProgram(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		_ = target.Close()
		return err
	}
	return target.Close()
}
