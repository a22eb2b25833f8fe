package describe

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/list"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

// page writes lines in columns, whose widths are those of a section. The first error ends it.
type page struct {
	out     io.Writer
	columns columns
	err     error
}

// columns is what cli-runtime's tab writer is.
type columns interface {
	io.Writer
	Flush() error
}

func newPage(out io.Writer) *page { return &page{out: out, columns: printers.GetNewTabWriter(out)} }

// section ends the columns of what has been written.
func (p *page) section() {
	if p.err == nil {
		p.err = p.columns.Flush()
	}
	p.columns = printers.GetNewTabWriter(p.out)
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.columns, format+"\n", args...)
	}
}

// write writes a group as kubectl describe would.
func write(out io.Writer, s *sight.Sight, g *model.NodeGroup, wide bool) error {
	p := newPage(out)
	p.line("Name:\t%s", g.Name)
	p.line("Status:\t%s", g.Status)
	p.line("Reason:\t%s", cli.OrNone(cli.OneLine(g.Reason)))
	p.line("Sizes:\tmin %s, target %s, ready %s, max %s", cli.Number(g.MinSize), cli.Number(g.TargetSize), cli.Number(g.ReadyNodes), cli.Number(g.MaxSize))
	p.line("Floor:\t%s", floorText(g))
	p.line("Flavor:\t%s", cli.OrUnknown(g.Flavor))
	p.line("Zone:\t%s", cli.OrUnknown(g.Zone))
	p.line("Cluster Autoscaler:\t%s", coreText(s, g))
	p.line("Data:\t%s", s.SourceText())
	for _, section := range []func(){
		func() { p.stacks(g) }, func() { p.members(s, g, wide) }, func() { p.annotations(g) }, func() { p.template(g) }, func() { p.problems(g) },
		func() { p.events(s, g) },
	} {
		p.section()
		section()
	}
	p.section()
	return p.err
}

func floorText(g *model.NodeGroup) string {
	text := list.Floor(g)
	switch {
	case g.FloorUnknown:
		text += " (annotations ask for one; cluster-autoscaler's status does not tell it)"
	case g.Floor != nil && g.Floor.Reason != "":
		text += " (" + cli.OneLine(g.Floor.Reason) + ")"
	case g.Floor != nil:
		text += " (why is " + cli.Unknown + ": no Event of the last hour tells it)"
	}
	return text
}

func coreText(s *sight.Sight, g *model.NodeGroup) string {
	switch {
	case g.Core != nil:
		text := fmt.Sprintf("%s, scale-up %s, scale-down %s, written %s", g.Core.Health, g.Core.ScaleUp, g.Core.ScaleDown, cli.Ago(s.At, g.Core.ProbedAt))
		if g.Core.BackoffCode != "" || g.Core.BackoffMessage != "" {
			text += fmt.Sprintf("; back-off because of %s: %s", cli.OrUnknown(g.Core.BackoffCode), cli.OneLine(g.Core.BackoffMessage))
		}
		return text
	case !s.CoreKnown:
		return cli.Unknown
	case s.Core == nil:
		return "no status: it does not run, or elsewhere (--autoscaler-namespace)"
	case !s.CoreIsFresh():
		return fmt.Sprintf("last heard of %s: it does not run, or is stuck", cli.Ago(s.At, &s.Core.At))
	}
	return "it does not know this group"
}

func (p *page) stacks(g *model.NodeGroup) {
	p.line("Stacks:")
	if len(g.Stacks) > 0 {
		p.line("  Name\tStatus\tTarget\tID\tReason")
		p.line("  ----\t------\t------\t--\t------")
	}
	for i := range g.Stacks {
		stack := &g.Stacks[i]
		p.line("  %s\t%s\t%s\t%s\t%s", stack.Name, cli.OrUnknown(stack.Status), cli.Number(stack.TargetSize), cli.OrUnknown(stack.ID), cli.OrNone(cli.OneLine(stack.Reason)))
	}
}

func (p *page) members(s *sight.Sight, g *model.NodeGroup, wide bool) {
	if len(g.Members) == 0 {
		p.line("Members:\t%s", cli.None)
		return
	}
	head, under := "  Index\tServer\tNode\tAge\tState\tFailure", "  -----\t------\t----\t---\t-----\t-------"
	if wide {
		head, under = head+"\tServer Name\tServer Status\tStack\tZone", under+"\t-----------\t-------------\t-----\t----"
	}
	p.line("Members:")
	p.line("%s", head)
	p.line("%s", under)
	for i := range g.Members {
		m := &g.Members[i]
		failure := cli.None
		if m.FailureCode != "" {
			failure = m.FailureCode + ": " + cli.OneLine(m.FailureMessage)
		}
		age := cli.None
		if m.Created != nil {
			age = cli.Age(s.At, m.Created)
		}
		row := fmt.Sprintf("  %s\t%s\t%s\t%s\t%s\t%s", cli.OrNone(m.Index), cli.OrNone(m.Server), nodeText(m), age, m.State, failure)
		if wide {
			row += fmt.Sprintf("\t%s\t%s\t%s\t%s", cli.OrNone(m.ServerName), cli.OrNone(m.ServerStatus), cli.OrUnknown(m.Stack), cli.OrUnknown(m.Zone))
		}
		p.line("%s", row)
	}
}

func nodeText(m *model.Member) string {
	switch {
	case m.Ready == nil:
		return cli.Unknown
	case m.Node == "":
		return cli.None
	case !*m.Ready:
		return m.Node + " (NotReady)"
	}
	return m.Node
}

func (p *page) annotations(g *model.NodeGroup) {
	p.pairs("Annotations:", g.Annotations)
}

// pairs writes a map as kubectl describe writes labels.
func (p *page) pairs(title string, pairs map[string]string) {
	if len(pairs) == 0 {
		p.line("%s\t%s", title, cli.None)
	}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		p.line("%s\t%s=%s", title, key, cli.OneLine(pairs[key]))
		title = ""
	}
}

func (p *page) template(g *model.NodeGroup) {
	if g.Template == nil {
		text := cli.Unknown
		if g.TemplateError != "" {
			text += ": " + cli.OneLine(g.TemplateError)
		}
		p.line("New Node:\t%s", text)
		return
	}
	p.line("New Node:")
	p.line("  Capacity:\t%s", resources(g.Template.Capacity))
	p.line("  Allocatable:\t%s", resources(g.Template.Allocatable))
	p.pairs("  Labels:", g.Template.Labels)
	if len(g.Template.Taints) == 0 {
		p.line("  Taints:\t%s", cli.None)
	}
	title := "  Taints:"
	for i := range g.Template.Taints {
		p.line("%s\t%s", title, g.Template.Taints[i].ToString())
		title = ""
	}
}

func resources(list v1.ResourceList) string {
	parts := make([]string, 0, len(list))
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		parts = append(parts, fmt.Sprintf("%s %s", name, cli.Amount(name, q)))
	}
	return cli.OrUnknown(strings.Join(parts, ", "))
}

func (p *page) problems(g *model.NodeGroup) {
	if len(g.Problems) == 0 {
		p.line("Problems:\t%s", cli.None)
		return
	}
	p.line("Problems:")
	for i := range g.Problems {
		problem := &g.Problems[i]
		word := "warning"
		if problem.Blocking {
			word = "blocking"
		}
		p.line("  %s\t%s\t%s; %s", problem.Code, word, cli.OneLine(problem.String()), problem.Remedy)
	}
}

func (p *page) events(s *sight.Sight, g *model.NodeGroup) {
	if len(g.Events) == 0 {
		p.line("Events:\t%s", cli.None)
		return
	}
	p.line("Events:")
	p.line("  Age\tType\tReason\tFrom\tMessage")
	p.line("  ---\t----\t------\t----\t-------")
	for i := range g.Events {
		e := &g.Events[i]
		age := cli.Age(s.At, &e.At)
		if e.Count > 1 {
			age += fmt.Sprintf(" (x%d)", e.Count)
		}
		p.line("  %s\t%s\t%s\t%s\t%s", age, e.Type, e.Reason, cli.OrUnknown(e.From), cli.OneLine(e.Message))
	}
}
