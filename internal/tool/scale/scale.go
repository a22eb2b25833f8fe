// Package scale is the command scale, which only rehearses.
package scale

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/quota"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/rehearsal"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/ground"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// errNotDry says why sizes are not set by hand.
var errNotDry = errors.New("sizes belong to the autoscaler, which would undo what is set by hand or, worse, lose track of it while it works; nothing was done. " +
	"To see what would happen: --dry-run. To have more nodes: raise the annotation node-group-min-size (or node-group-max-size) of the stack, " +
	"or give it headroom or a schedule. To have fewer: lower it, or \"kubectl drain\" the node, which the autoscaler then removes as not needed; " +
	"\"openstack server delete\" for a machine that is broken")

// Result is what -o json and -o yaml print.
type Result struct {
	metav1.TypeMeta `json:",inline"`
	rehearsal.Answer
}

type command struct {
	*cli.Options
	dryRun bool
	nodes  []string
}

// New returns the command.
func New(o *cli.Options) *cobra.Command {
	c := &command{Options: o}
	cmd := &cobra.Command{
		Use:   "scale GROUP SIZE --dry-run",
		Short: "Show what would be sent to Heat to bring a node group to a size",
		Long: "Show what the autoscaler would send to Heat to bring a node group to a size: which stacks get how many, the exact parameters, the members' indices, " +
			"and whether limits and quotas allow it. Nothing is sent, and --dry-run has to be given.\n\n" +
			"A smaller size names nobody by itself. --node shows what the removal of these nodes would send.",
		Example: "  kubectl openstack-nodegroups scale workers 5 --dry-run\n  kubectl openstack-nodegroups scale workers 2 --dry-run --node workers-0",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return cli.Usagef("scale wants two arguments, GROUP and SIZE; %d were given", len(args))
			}
			return nil
		},
		RunE: c.run,
	}
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "Show it, and send nothing. Without it the command refuses.")
	cmd.Flags().StringArrayVar(&c.nodes, "node", nil, "A node that would go, by its name, its server's name or id. May be given more than once.")
	return cmd
}

func (c *command) run(cmd *cobra.Command, args []string) error {
	size, err := strconv.Atoi(args[1])
	if err != nil || size < 0 {
		return cli.Usagef("%q is no size: write a number from 0 up", args[1])
	}
	if !c.dryRun {
		return cli.Usage(errNotDry)
	}
	ctx := cmd.Context()
	g := ground.Stand(ctx, c.Options)
	defer g.Close()
	snapshot, err := g.Groups()
	if err != nil {
		return err
	}
	world := rehearsal.World{Snapshot: snapshot, Stacks: g.Reader}
	var notes []string
	if g.Client != nil {
		bounded, cancel := ground.Bounded(ctx)
		list, err := g.Client.CoreV1().Nodes().List(bounded, metav1.ListOptions{})
		cancel()
		if err != nil {
			notes = append(notes, "The cluster's Nodes could not be listed: "+cli.Explain("list nodes", err).Error())
		} else {
			world.Nodes = list.Items
		}
	} else {
		notes = append(notes, "The cluster is not known: "+g.ClientErr.Error())
	}
	answer, err := rehearsal.Rehearse(ctx, world, rehearsal.Request{Group: args[0], Size: size, Nodes: c.nodes})
	if err != nil {
		return err
	}
	answer.Notes = append(answer.Notes, notes...)
	group := snapshot.Group(args[0])
	if by := size - group.Target; by > 0 {
		c.addQuotas(cmd, g, group, by, answer)
	}
	result := Result{TypeMeta: metav1.TypeMeta{APIVersion: cli.APIVersion, Kind: "ScaleRehearsal"}, Answer: *answer}
	if err := c.Print(result, answer.Write); err != nil {
		return err
	}
	if !answer.Possible {
		return &cli.ExitError{Code: cli.ExitFailed}
	}
	return nil
}

// addQuotas says whether the project's quotas allow a growth.
func (c *command) addQuotas(cmd *cobra.Command, g *ground.Ground, group *nodegroups.Group, by int, answer *rehearsal.Answer) {
	judge(quota.Read(cmd.Context(), g.Session, group.BootVolumeGiB > 0), group, by, answer)
}

// judge says that quotas allow a growth only if all of them were compared with it.
func judge(limits quota.Limits, group *nodegroups.Group, by int, answer *rehearsal.Answer) {
	note := func(format string, args ...any) { answer.Notes = append(answer.Notes, fmt.Sprintf(format, args...)) }
	take := quota.TakeOf(group, by)
	lacks := limits.Lacks(take)
	for _, lack := range lacks {
		answer.Obstacle("quota of " + lack)
	}
	for _, service := range slices.Sorted(maps.Keys(limits.Unknown)) {
		note("The quota of %s could not be read: %v.", service, limits.Unknown[service])
	}
	open := limits.NotCompared(take)
	if group.Flavor == nil {
		note("The flavor of node group %s is not known, and so is not what a new member takes of %s.", group.Name, strings.Join(quota.OfFlavor, " and "))
		open = append(open, quota.OfFlavor...)
	}
	switch {
	case len(open) > 0:
		note("Whether the project's quotas allow it is not known: not compared were %s.", strings.Join(open, ", "))
	case len(lacks) == 0:
		note("The project's quotas allow it.")
	}
}
