package tool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// The ways in which the tool is called. Errors and help say the one that was used.
const (
	// Plugin is the tool as a plugin of kubectl.
	Plugin = "kubectl openstack-nodegroups"
	// Subcommand is the first argument of the autoscaler's own program that makes it the tool.
	Subcommand = "nodegroups"
	// OfAutoscaler is the tool as that subcommand.
	OfAutoscaler = "cluster-autoscaler-openstack " + Subcommand
)

const about = `Show node groups that cluster-autoscaler-openstack scales, and say why they are as they are.

Without any set-up it reads the cluster with your kubeconfig, and the stacks and servers with your OpenStack credentials (--cloud, --cloud-config or
OS_* variables). Where the autoscaler runs with --status-address, its own status is read, through the API server, and no OpenStack credentials
are needed.`

// Main runs the tool and returns its exit code: 0 if all is well, 1 if not, 2 if it was called in a wrong way. program is how it
// was called, Plugin or OfAutoscaler. It ends on SIGINT, SIGTERM and when its output is read no more.
func Main(program string, args []string, streams genericiooptions.IOStreams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer klog.Flush()
	return Run(ctx, program, args, streams)
}

// Run is Main until ctx ends.
func Run(ctx context.Context, program string, args []string, streams genericiooptions.IOStreams) int {
	options := cli.NewOptions(program, streams)
	root, begun := newRoot(options) //nolint:contextcheck // a command has its context from ExecuteContext
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return cli.ExitOK
	}
	if !*begun {
		// cobra's own errors have no type: what goes wrong before a command begins is in the command line.
		err = cli.Usage(err)
	}
	var silent *cli.ExitError
	if !errors.As(err, &silent) || silent.Err != nil {
		_, _ = fmt.Fprintf(streams.ErrOut, "error: %v\n", err)
	}
	return cli.ExitCode(err)
}

// New returns the whole tool, for the reference.
func New(program string, streams genericiooptions.IOStreams) *cobra.Command {
	root, _ := newRoot(cli.NewOptions(program, streams))
	return root
}

// newRoot returns the tool, and whether one of its commands has begun.
func newRoot(options *cli.Options) (root *cobra.Command, begun *bool) {
	begun = new(bool)
	root = &cobra.Command{
		Use:         "kubectl-openstack_nodegroups",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: options.Program},
		Short:       "Show node groups of cluster-autoscaler-openstack and say why they are as they are",
		Long:        about,
		Args:        cobra.NoArgs,
		// cobra makes the flag --version of it.
		Version: build.Version(),
		// Run says what went wrong; a mistake deserves one sentence, not the whole help.
		SilenceErrors: true, SilenceUsage: true,
		// kubectl completes its plugins' arguments through __complete, which stays.
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.Check(); err != nil {
				return err
			}
			*begun = true
			cmd.SetContext(options.Context(cmd.Context()))
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate(build.Line(root.Use, "") + "\n")
	root.SetIn(options.In)
	root.SetOut(options.Out)
	root.SetErr(options.ErrOut)
	options.AddFlags(root.PersistentFlags())
	for _, command := range commands {
		root.AddCommand(command(options))
	}
	return root, begun
}
