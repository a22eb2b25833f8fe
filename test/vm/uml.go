package vm

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// VirtualMachine starts a server as a virtual machine under User Mode Linux, a Linux kernel that is an ordinary process, so
// that it runs where there is no KVM. Its console is the process' output. It has one processor whatever the flavor says.
func (h *Host) VirtualMachine(group *process.Group, server machines.Server, name, dir string) (*process.Process, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	files, err := configDrive(server, h.Network)
	if err != nil {
		return nil, err
	}
	drive := filepath.Join(dir, "config-drive")
	if err := writeConfigDrive(ctx, drive, dir, files); err != nil {
		return nil, err
	}
	tap, err := h.Network.Tap(ctx)
	if err != nil {
		return nil, err
	}
	// Its memory is a file in TMPDIR that it unlinks at once.
	options := process.Options{Env: []string{"TMPDIR=" + dir}}
	// The machine's programs are processes too, and would live on if only the kernel's were killed. --kill-child: the first process of
	// their namespace, the kernel's, ends with unshare, and with it all others.
	return group.Start(name, options, "unshare", "--pid", "--fork", "--kill-child", filepath.Join(h.Image, "linux"),
		fmt.Sprintf("mem=%dM", server.RAMMiB), "umid="+server.ID, "uml_dir="+dir,
		// The image stays as it is: what is written goes to a sparse file beside.
		"ubd0="+filepath.Join(dir, "disk")+","+filepath.Join(h.Image, "disk"), "ubd1r="+drive, "ubd2r="+h.disk,
		"root=/dev/ubda", "rw",
		fmt.Sprintf("vec0:transport=tap,ifname=%s,depth=64,gro=1,mac=%s", tap, server.MAC), "net.ifnames=0",
		"con=null", "con0=fd:0,fd:1", "systemd.show_status=1", "panic=1")
}
