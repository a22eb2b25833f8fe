package why

import (
	"fmt"
	"io"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// quotesShown is how many Events are quoted.
const quotesShown = 5

// write writes an explanation for people.
func write(out io.Writer, f *facts, x *Explanation) error {
	w := &writer{out: out}
	w.line("%s %s.", x.Subject, x.Summary)
	switch {
	case len(x.Reasons) > 0:
		w.line("\nWhy, the most likely first:")
	case x.State == stateStaying:
		w.line("\nNothing was found that keeps it. cluster-autoscaler looks again in every loop.")
	}
	for i := range x.Reasons {
		w.reason(i+1, &x.Reasons[i])
	}
	if err := w.groups(x.NodeGroups); err != nil {
		return err
	}
	if len(x.Said) > 0 {
		w.line("\nWhat was said of it:")
	}
	for i := range x.Said[:min(len(x.Said), quotesShown)] {
		e := &x.Said[i]
		w.line("  %s, %s: %s: %s", cli.OrUnknown(e.From), cli.Ago(f.At, &e.At), e.Reason, cli.OneLine(e.Message))
	}
	w.line("")
	if len(x.Checked) > 0 {
		w.line("Checked: %s.", strings.Join(x.Checked, ", "))
	}
	if len(x.NotChecked) > 0 {
		w.line("Not checked: %s.", strings.Join(x.NotChecked, ", "))
	}
	w.line("Data: %s; %s.", f.SourceText(), f.coreSource())
	return w.err
}

// coreSource says how old what cluster-autoscaler said is.
func (f *facts) coreSource() string {
	switch {
	case !f.CoreKnown:
		return "cluster-autoscaler's status is " + cli.Unknown
	case f.Core == nil:
		return "cluster-autoscaler has written no status"
	}
	return "cluster-autoscaler's status, written " + cli.Ago(f.At, &f.Core.At)
}

// String names the subject.
func (s Subject) String() string {
	if s.Namespace != "" {
		return s.Kind + " " + s.Namespace + "/" + s.Name
	}
	return s.Kind + " " + s.Name
}

type writer struct {
	out io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

func (w *writer) reason(number int, r *Reason) {
	groups := ""
	if len(r.NodeGroups) > 0 {
		groups = fmt.Sprintf(" [%s]", strings.Join(r.NodeGroups, ", "))
	}
	w.line("%3d. %s%s: %s.", number, r.Code, groups, r.Text)
	if r.Remedy != "" {
		w.line("     Remedy: %s.", r.Remedy)
	}
}

// groups shows for each group whether it would help.
func (w *writer) groups(fits []GroupFit) error {
	if len(fits) == 0 || w.err != nil {
		return w.err
	}
	w.line("\nNode groups:")
	table := printers.GetNewTabWriter(w.out)
	_, w.err = fmt.Fprintln(table, "  NAME\tFITS\tCAN GROW\tOBSTACLES")
	for i := range fits {
		codes := make([]string, 0, len(fits[i].Obstacles))
		for _, o := range fits[i].Obstacles {
			codes = append(codes, o.Code)
		}
		if w.err == nil {
			_, w.err = fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", fits[i].Name, yes(fits[i].Fits), yes(fits[i].CanGrow), cli.OrNone(strings.Join(codes, ", ")))
		}
	}
	if w.err != nil {
		return w.err
	}
	w.err = table.Flush()
	return w.err
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
