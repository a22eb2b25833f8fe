package machine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/component-base/logs"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/boot"
)

type flags struct {
	userData, stateDir string
	instance           boot.Instance
	size               Size
}

// NewCommand is the sub-command "machine". It runs until it is killed.
func NewCommand() *cobra.Command {
	f := &flags{}
	command := &cobra.Command{
		Use:          "machine",
		Short:        "Boot a played virtual machine into a Kubernetes node",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, _ []string) error { return f.boot(command.Context()) },
	}
	set := command.Flags()
	set.StringVar(&f.userData, "user-data", "", "file with the server's user_data, decoded")
	set.StringVar(&f.stateDir, "state-dir", "", "the machine's own directory; it holds its root file system")
	addInstanceFlags(set, &f.instance)
	set.IntVar(&f.size.VCPUs, "vcpus", 2, "the flavor's virtual processors")
	set.Int64Var(&f.size.RAMMiB, "ram-mib", 4096, "the flavor's memory in MiB")
	set.Int64Var(&f.size.DiskGiB, "disk-gib", 20, "the flavor's disk in GiB")
	return command
}

// addInstanceFlags adds what the cloud tells a machine about itself.
func addInstanceFlags(set *pflag.FlagSet, instance *boot.Instance) {
	set.StringVar(&instance.ID, "instance-id", "", "the server's UUID")
	set.StringVar(&instance.Hostname, "hostname", "", "the server's host name")
	set.StringVar(&instance.Zone, "availability-zone", "", "the server's availability zone")
	set.StringVar(&instance.Region, "region", "", "the server's region")
}

func (f *flags) boot(ctx context.Context) error {
	logs.InitLogs()
	if f.userData == "" || f.stateDir == "" || f.instance.ID == "" || f.instance.Hostname == "" {
		return errors.New("--user-data, --state-dir, --instance-id and --hostname are needed")
	}
	// Kubeconfigs that the kubelet writes name files by absolute path.
	stateDir, err := filepath.Abs(f.stateDir)
	if err != nil {
		return err
	}
	root := filepath.Join(stateDir, "root")
	arguments, err := firstBoot(f.userData, root, f.instance)
	if err != nil {
		return err
	}
	server, err := configuration(arguments, root)
	if err != nil {
		return err
	}
	if err := moveIntoRoot(server.BootstrapKubeconfig, root); err != nil {
		return fmt.Errorf("%s: %w", boot.BootstrapKubeconfigPath, err)
	}
	return runKubelet(ctx, server, stateDir, f.instance, f.size)
}
