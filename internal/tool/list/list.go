// Package list shows all node groups: "list".
package list

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
		Use:     "list [GROUP...]",
		Aliases: []string{"ls"},
		Short:   "Show node groups: sizes, floor, and why they can't scale",
		Long: `Show node groups with their stacks, sizes and floor, and why they can't scale.

TARGET are the members that are ordered, READY those that are Ready nodes, FLOOR is the least size that load, a schedule or a forecast wants.
STATUS is OK, Growing, Shrinking, Unknown, NotReady (members run whose nodes are not Ready), Failing (members could not be made), BackOff (cluster-autoscaler
does not try to grow the group for a while), NoGrowth (the group may shrink, not grow) or Blocked (it is left alone).`,
		Example: fmt.Sprintf("  %[1]s list\n  %[1]s list -w\n  %[1]s list workers -o yaml", o.Program),
		RunE: func(cmd *cobra.Command, names []string) error {
			l := &lister{o: o, names: names, shown: map[string]string{}}
			return flags.Show(cmd.Context(), o, l.show)
		},
		ValidArgsFunction: complete.Groups(o),
	}
	flags.Add(cmd.Flags())
	return cmd
}

// lister prints what has changed since it printed last.
type lister struct {
	o     *cli.Options
	names []string
	// shown are the rows that were printed, by group.
	shown map[string]string
	rows  *cli.TablePrinter
}

func (l *lister) show(s *sight.Sight, first bool) error {
	groups, err := s.Chosen(l.names)
	if err != nil && first {
		return err
	}
	if first {
		return l.showFirst(s, groups)
	}
	var changed []model.NodeGroup
	for i := range groups {
		if row := rowText(&groups[i]); l.shown[groups[i].Name] != row {
			l.shown[groups[i].Name] = row
			changed = append(changed, groups[i])
		}
	}
	for name := range l.shown {
		if s.Group(name) == nil {
			delete(l.shown, name)
			changed = append(changed, model.NodeGroup{Name: name, Status: "Gone", Reason: "no node group any more"})
		}
	}
	slices.SortFunc(changed, func(a, b model.NodeGroup) int { return strings.Compare(a.Name, b.Name) })
	for i := range changed {
		if err := l.print(s, changed[i:i+1], true); err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) showFirst(s *sight.Sight, groups []model.NodeGroup) error {
	for i := range groups {
		l.shown[groups[i].Name] = rowText(&groups[i])
	}
	if !l.o.IsStructured() {
		s.TellSource(l.o.ErrOut)
		if len(groups) == 0 {
			_, err := fmt.Fprintln(l.o.ErrOut, "No node groups found.")
			return err
		}
	}
	return l.print(s, groups, false)
}

// print prints groups: a list the first time, afterwards each by itself and a table without its head.
func (l *lister) print(s *sight.Sight, groups []model.NodeGroup, later bool) error {
	if l.o.IsStructured() && later {
		groups[0].TypeMeta = model.TypeMeta{APIVersion: cli.APIVersion, Kind: model.KindGroup}
		return l.o.Print(groups[0], nil)
	}
	list := model.NodeGroupList{
		TypeMeta: model.TypeMeta{APIVersion: cli.APIVersion, Kind: model.KindList}, Source: s.Source, Items: groups, Problems: s.Problems,
	}
	if list.Items == nil {
		list.Items = []model.NodeGroup{}
	}
	return l.o.Print(list, func(out io.Writer) error {
		if l.rows == nil {
			l.rows = cli.NewTablePrinter(out, l.o.IsWide())
		}
		return l.rows.Print(table(groups, l.o.IsWide()))
	})
}

// reasonWidth is how much of the reason a table shows that is not wide.
const reasonWidth = 72

func table(groups []model.NodeGroup, wide bool) *metav1.Table {
	t := &metav1.Table{ColumnDefinitions: cli.Columns(
		"Name", "Stacks", "Status", "Min", "Target", "Ready", "Max", "Floor", "Reason", "|", "Flavor", "Zone", "Creating", "Failed", "Stack Status")}
	for i := range groups {
		t.Rows = append(t.Rows, metav1.TableRow{Cells: cells(&groups[i], wide)})
	}
	return t
}

func cells(g *model.NodeGroup, wide bool) []any {
	reason := cli.OneLine(g.Reason)
	if !wide {
		reason = cli.Shorten(reason, reasonWidth)
	}
	statuses := make([]string, 0, len(g.Stacks))
	for i := range g.Stacks {
		if !slices.Contains(statuses, g.Stacks[i].Status) {
			statuses = append(statuses, g.Stacks[i].Status)
		}
	}
	return []any{
		g.Name, stacks(g), g.Status, cli.Number(g.MinSize), cli.Number(g.TargetSize), cli.Number(g.ReadyNodes), cli.Number(g.MaxSize), Floor(g), cli.OrNone(reason),
		cli.OrUnknown(g.Flavor), cli.OrUnknown(g.Zone), g.Count("creating"), g.Count("failed") + g.Count("lost"), cli.OrUnknown(strings.Join(statuses, ",")),
	}
}

// stacks names the group's stacks, as long as they are few.
func stacks(g *model.NodeGroup) string {
	const most = 3
	names := make([]string, 0, most)
	for i := range g.Stacks {
		if i == most {
			names = append(names, fmt.Sprintf("+ %d more...", len(g.Stacks)-most))
			break
		}
		names = append(names, g.Stacks[i].Name)
	}
	return cli.OrUnknown(strings.Join(names, ","))
}

// Floor is the floor for a column.
func Floor(g *model.NodeGroup) string {
	switch {
	case g.Floor != nil:
		return cli.Number(&g.Floor.Size)
	case g.FloorUnknown:
		return cli.Unknown
	}
	return cli.None
}

// rowText is what has to differ for a row to be printed anew.
func rowText(g *model.NodeGroup) string { return fmt.Sprint(cells(g, true)...) }
