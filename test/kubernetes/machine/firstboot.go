package machine

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/boot"
)

// NewFirstBootCommand is the sub-command "firstboot": it does to a root file system what cloud-init does to it at a machine's
// first boot, and prints the kubelet's arguments, one a line, as the kubelet's service unit would give them.
func NewFirstBootCommand() *cobra.Command {
	var userData, root string
	var instance boot.Instance
	command := &cobra.Command{
		Use:          "firstboot",
		Short:        "Write a server's user_data to a root file system and print the kubelet's arguments",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			if userData == "" || root == "" || instance.ID == "" || instance.Hostname == "" {
				return errors.New("--user-data, --root, --instance-id and --hostname are needed")
			}
			arguments, err := firstBoot(userData, root, instance)
			if err != nil {
				return err
			}
			for _, argument := range arguments {
				if _, err := fmt.Fprintln(command.OutOrStdout(), argument); err != nil {
					return err
				}
			}
			return nil
		},
	}
	set := command.Flags()
	set.StringVar(&userData, "user-data", "", "file with the server's user_data, decoded")
	set.StringVar(&root, "root", "", "the root file system to write to")
	addInstanceFlags(set, &instance)
	return command
}

// firstBoot writes the files of user_data below root and returns the kubelet's arguments. Paths in them are the machine's
// own, not yet below root.
func firstBoot(userData, root string, instance boot.Instance) ([]string, error) {
	text, err := os.ReadFile(userData)
	if err != nil {
		return nil, err
	}
	config, err := boot.ParseUserData(text, instance)
	if err != nil {
		return nil, err
	}
	if err := config.WriteTo(root); err != nil {
		return nil, err
	}
	if !config.StartsKubelet() {
		return nil, errors.New("user_data does not start the kubelet: no runcmd names systemctl and kubelet")
	}
	return boot.KubeletArguments(root)
}
