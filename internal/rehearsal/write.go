package rehearsal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Write writes the answer for people.
func (a *Answer) Write(out io.Writer) error {
	w := &lines{out: out}
	w.line("Node group %s: %d -> %d (least %d, greatest %d)", a.Group, a.Size, a.Wanted, a.Min, a.Max)
	for i := range a.Stacks {
		w.stack(&a.Stacks[i])
	}
	if len(a.Candidates) > 0 {
		w.line("Members that are nodes:")
	}
	for _, c := range a.Candidates {
		word := "stays"
		if c.Removable {
			word = "may go"
		}
		w.line("  %s (index %s of stack %s): %s: %s", c.Node, c.Index, c.Stack, word, c.Why)
	}
	for _, note := range a.Notes {
		w.line("%s", note)
	}
	for _, o := range a.Obstacles {
		w.line("Not possible: %s", o)
	}
	if a.Possible && len(a.Stacks) > 0 {
		w.line("It would take %s. Nothing was sent.", plural(a.Updates, "update (PATCH)", "updates (PATCH)"))
	}
	return w.err
}

type lines struct {
	out io.Writer
	err error
}

func (w *lines) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

func (w *lines) stack(u *Update) {
	w.line("Stack %s (%s): %d -> %d", u.Stack, u.Status, u.Was, u.Size)
	if u.Sends {
		// Maps are written in the order of their keys.
		if body, err := json.Marshal(u.Parameters); err == nil {
			w.line("  PATCH parameters: %s", body)
		}
	}
	if len(u.New) > 0 {
		w.line("  new members: %s", strings.Join(u.New, ", "))
	}
	for _, m := range u.Named {
		node := m.Node
		if node == "" {
			node = "no node"
		}
		w.line("  goes: index %s, server %s, %s", m.Index, m.Server, node)
	}
	if u.Why != "" {
		w.line("  %s", u.Why)
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
