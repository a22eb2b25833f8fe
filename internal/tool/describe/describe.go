// Package describe shows everything that is known of node groups: "describe".
package describe

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/complete"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/watch"
)

// New returns the command.
func New(o *cli.Options) *cobra.Command {
	var flags watch.Flags
	cmd := &cobra.Command{
		Use:   "describe [GROUP...]",
		Short: "Show everything about node groups: floor, members, last events, what a new node would be",
		Long: `Show everything that is known of node groups, all of them without a name: sizes, the floor and where it comes from, stacks, members with their
servers and nodes, the annotations that count, what a new node would be, what cluster-autoscaler says, problems, and the last scale-ups and errors.`,
		Example: fmt.Sprintf("  %[1]s describe workers\n  %[1]s describe workers -w\n  %[1]s describe workers -o json", o.Program),
		RunE: func(cmd *cobra.Command, names []string) error {
			d := &describer{o: o, names: names, shown: map[string]string{}}
			return flags.Show(cmd.Context(), o, d.show)
		},
		ValidArgsFunction: complete.Groups(o),
	}
	flags.Add(cmd.Flags())
	return cmd
}

// describer prints groups that have changed since it printed them last.
type describer struct {
	o     *cli.Options
	names []string
	shown map[string]string
	any   bool
}

func (d *describer) show(s *sight.Sight, first bool) error {
	groups, err := s.Chosen(d.names)
	if err != nil && first {
		return err
	}
	if first && !d.o.IsStructured() {
		s.TellNotes(d.o.ErrOut)
		if len(groups) == 0 {
			_, err := fmt.Fprintln(d.o.ErrOut, "No node groups found.")
			return err
		}
	}
	if first && d.o.IsStructured() && len(d.names) != 1 {
		for i := range groups {
			d.shown[groups[i].Name] = fingerprint(&groups[i])
		}
		if groups == nil {
			groups = []model.NodeGroup{}
		}
		return d.o.Print(model.NodeGroupList{
			TypeMeta: model.TypeMeta{APIVersion: cli.APIVersion, Kind: model.KindList}, Source: s.Source, Items: groups, Problems: s.Problems,
		}, nil)
	}
	for i := range groups {
		g := &groups[i]
		now := fingerprint(g)
		if d.shown[g.Name] == now {
			continue
		}
		d.shown[g.Name] = now
		if err := d.print(s, g); err != nil {
			return err
		}
	}
	return nil
}

func (d *describer) print(s *sight.Sight, g *model.NodeGroup) error {
	if d.o.IsStructured() {
		one := *g
		one.TypeMeta, one.Source = model.TypeMeta{APIVersion: cli.APIVersion, Kind: model.KindGroup}, &s.Source
		return d.o.Print(one, nil)
	}
	if d.any {
		if _, err := fmt.Fprintln(d.o.Out); err != nil {
			return err
		}
	}
	d.any = true
	return write(d.o.Out, s, g, d.o.IsWide())
}

// fingerprint is what has to differ for a group to be printed anew: everything but when cluster-autoscaler last looked.
func fingerprint(g *model.NodeGroup) string {
	one := *g
	if one.Core != nil {
		core := *one.Core
		core.ProbedAt, one.Core = nil, &core
	}
	text, err := json.Marshal(one)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
