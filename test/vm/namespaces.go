package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// SharedDisk are flags of kubelets that share a disk with everything else on this machine: it may be full, and they go on.
var SharedDisk = []string{"--eviction-hard=memory.available<50Mi", "--image-gc-high-threshold=100"}

// Node starts a server as a node on this machine's kernel, in namespaces of its own: the kubelet, containerd and runc are
// real, cloud-init's part is played by test/kubernetes. The kubelet gets these flags besides those of its user_data.
//
// Killing the process ends the node at once with its containers, mounts and network. Its cgroups are left: see RemoveCgroups.
func (h *Host) Node(group *process.Group, server machines.Server, name, dir string, flags ...string) (*process.Process, error) {
	if err := os.WriteFile(filepath.Join(dir, "user_data"), server.UserData, 0o600); err != nil {
		return nil, err
	}
	cgroup := h.cgroups + "-" + name
	if err := makeCgroup(cgroup); err != nil {
		return nil, err
	}
	env := map[string]string{
		"IMAGE": h.Image, "PROGRAMS": h.programs, "DIR": dir, "ID": server.ID, "NAME": strings.ToLower(server.Name), "ZONE": server.Zone,
		"BRIDGE": h.Network.Bridge, "PLUG": h.Network.PlugName(), "MAC": server.MAC, "GATEWAY": h.Network.Gateway,
		"ADDRESS": fmt.Sprintf("%s/%d", server.Address, h.Network.Prefix), "CGROUP": cgroup,
	}
	var options process.Options
	for key, value := range env {
		options.Env = append(options.Env, "NODE_"+key+"="+value)
	}
	// --kill-child: what is in the namespaces ends with unshare, and unshare with this process.
	arguments := []string{"--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--ipc", h.node}
	return group.Start(name, options, "unshare", append(arguments, flags...)...)
}

const cgroupRoot = "/sys/fs/cgroup"

// hierarchies are the roots below which a cgroup has to be made: one for each controller, or the one of version 2.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		return []string{cgroupRoot}, nil
	}
	found, err := filepath.Glob(filepath.Join(cgroupRoot, "*", "cgroup.procs"))
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found, err
}

// makeCgroup makes a cgroup with all the controllers that the kubelet looks for in it.
func makeCgroup(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		// In version 2 a cgroup has the controllers that its parent passes on. The machine may not have all of these.
		for _, controller := range []string{"cpu", "cpuset", "memory", "hugetlb", "pids"} {
			_ = os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0o600)
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		// A new cpuset of version 1 is empty and takes no process.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			text, err := os.ReadFile(filepath.Join(root, file))
			if err != nil {
				continue // another controller, or version 2
			}
			if err := os.WriteFile(filepath.Join(path, file), text, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveCgroups removes the cgroups of the host's nodes, which must have ended. It tries until ctx ends: the kernel empties a
// cgroup a moment after its processes are gone.
func (h *Host) RemoveCgroups(ctx context.Context) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for {
		var left error
		for _, root := range roots {
			nodes, err := filepath.Glob(filepath.Join(root, h.cgroups+"-*"))
			if err != nil {
				return err
			}
			for _, node := range nodes {
				if err := removeCgroup(node); err != nil {
					left = err
				}
			}
		}
		if left == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cgroups are left: %w", left)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// removeCgroup removes a cgroup and those below it. The files in a cgroup are the kernel's and go with it.
func removeCgroup(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := removeCgroup(filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	return os.Remove(path)
}
