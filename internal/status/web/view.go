package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// How much one page shows; the rest is counted and can be reached.
const (
	// membersShown of every group on the page of all groups, fewer if that is more than membersPaged altogether, and never less than
	// membersLeast; membersPaged on the page of one group.
	membersShown = 50
	membersLeast = 5
	membersPaged = 500
	// decisionsShown of the newest decisions, and problemsShown.
	decisionsShown = 60
	problemsShown  = 50
)

// choice is what a reader wants to see.
type choice struct {
	// group is a node group's name, empty for all.
	group string
	// from is the first of its members that is shown, most how many are.
	from, most int
}

// view is what the page shows, in words.
type view struct {
	*status.Report
	// State is one word of State constants for the whole; Headline says it in a sentence.
	State, Headline string
	// Wanted is the group that was asked for; NotFound if there is none of that name.
	Wanted    string
	NotFound  bool
	Groups    []groupView
	Problems  []status.Problem
	Decisions []decisionView
	// MoreProblems and MoreDecisions are how many are not shown.
	MoreProblems, MoreDecisions int
	Clock                       string
}

// States of what is shown, which are classes of the style too.
const (
	stateGood = "good"
	stateBusy = "busy"
	stateWarn = "warn"
	stateBad  = "bad"
)

// newView makes what the page shows of a report.
func newView(r *status.Report, c choice) *view {
	v := &view{Report: r, Wanted: c.group, Clock: r.At.UTC().Format("2006-01-02 15:04:05 UTC")}
	c.most = membersPaged
	if c.group == "" {
		c.most = max(membersLeast, min(membersShown, membersPaged/max(len(r.NodeGroups), 1)))
	}
	all := make([]groupView, 0, len(r.NodeGroups)) // as far as the headline needs them
	for i := range r.NodeGroups {
		g := groupView{NodeGroup: &r.NodeGroups[i]}
		g.judge()
		all = append(all, g)
		if c.group == "" || c.group == g.Name {
			g.fill(r, c)
			v.Groups = append(v.Groups, g)
		}
	}
	v.NotFound = c.group != "" && len(v.Groups) == 0
	concerns := func(group string) bool { return c.group == "" || c.group == group }
	for _, p := range r.Problems {
		if concerns(p.Group) {
			v.Problems = append(v.Problems, p)
		}
	}
	v.Problems, v.MoreProblems = firstOf(v.Problems, problemsShown)
	var chosen []status.Decision
	for _, d := range r.Decisions {
		if concerns(d.Group) {
			chosen = append(chosen, d)
		}
	}
	chosen, v.MoreDecisions = firstOf(chosen, decisionsShown)
	for i := range chosen {
		v.Decisions = append(v.Decisions, newDecisionView(&chosen[i]))
	}
	v.State, v.Headline = headline(r, all)
	return v
}

// firstOf returns the first ones of list, at most so many, and how many are left out.
func firstOf[T any](list []T, most int) ([]T, int) {
	if len(list) <= most {
		return list, 0
	}
	return list[:most], len(list) - most
}

// late is how old a reading of the cloud may be without a word: an order may hold up a loop for minutes.
const late = 10 * time.Minute

// headline says in a sentence how things are, the worst first.
func headline(r *status.Report, groups []groupView) (state, text string) {
	blocking, warnings := 0, 0
	for _, p := range r.Problems {
		if p.Blocking {
			blocking++
		} else {
			warnings++
		}
	}
	switch {
	case !r.Leading && r.Mode == status.ModeExternal:
		return stateWarn, "No cluster-autoscaler asks this replica: another one may be at work. What is shown may be old."
	case !r.Leading:
		return stateWarn, "This replica does not lead. It stands by and knows nothing of the node groups" + named(": ask ", r.Leader) + "."
	case r.Reading.Error != "":
		return stateBad, "The cloud can't be read, so nothing is resized. What is shown is what was known before."
	case r.Reading.At == nil:
		return stateBusy, "The cloud has not been read yet."
	case r.At.Sub(*r.Reading.At) > late:
		return stateWarn, "The cloud was last read " + ago(r.At.Sub(*r.Reading.At)) + " ago. What is shown may be old."
	case blocking > 0:
		return stateBad, count(blocking, "problem") + " to be mended; what is concerned is left alone."
	case troubled(groups, stateBad) != "":
		return stateBad, "In trouble: " + troubled(groups, stateBad) + "."
	case troubled(groups, stateWarn) != "":
		return stateWarn, "To be watched: " + troubled(groups, stateWarn) + "."
	case warnings > 0:
		return stateWarn, count(warnings, "warning") + ". Everything is served all the same."
	case len(r.NodeGroups) == 0:
		return stateWarn, "There is no node group: no stack carries the tags that are looked for."
	}
	return stateGood, "Everything is in order."
}

// troubled names the node groups that are in a state, a few of them.
func troubled(groups []groupView, state string) string {
	var names []string
	for i := range groups {
		if groups[i].State == state {
			names = append(names, groups[i].Name)
		}
	}
	const few = 3
	if len(names) > few {
		return strings.Join(names[:few], ", ") + " and " + count(len(names)-few, "other node group")
	}
	return strings.Join(names, ", ")
}

func named(before, name string) string {
	if name == "" {
		return ""
	}
	return before + name
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// ago is a length of time as people say it.
func ago(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}

// ReadAgo is how long ago the cloud was read, empty if it never was.
func (v *view) ReadAgo() string {
	if v.Reading.At == nil {
		return ""
	}
	return ago(v.At.Sub(*v.Reading.At))
}

// Uptime is how long the program has run.
func (v *view) Uptime() string { return ago(v.At.Sub(v.Started)) }

// Sum counts over all node groups.
func (v *view) Sum() (sum struct{ Target, Ready, Creating, Failed, Unknown int }) {
	for i := range v.NodeGroups {
		g := &v.NodeGroups[i]
		sum.Target += g.TargetSize
		sum.Creating += g.Counts.Creating
		sum.Failed += g.Counts.Failed + g.Counts.Lost
		if g.Counts.Ready != nil {
			sum.Ready += *g.Counts.Ready
		} else {
			sum.Unknown++
		}
	}
	return sum
}

// Thousands writes a number with separators.
func (v *view) Thousands(n int) string { return thousands(n) }

// link is the address of the page of one node group, from one of its members on.
func link(group string, from int) string {
	query := url.Values{"group": {group}}
	if from > 0 {
		query.Set("from", strconv.Itoa(from))
	}
	return "/?" + query.Encode()
}

// worst sorts members: those with trouble first, then those that come or go, then the rest in the order of the report.
func worst(list []status.Member) []status.Member {
	rank := func(m *status.Member) int {
		switch m.State {
		case "failed", "lost":
			return 0
		case "creating", "deleting":
			return 1
		}
		if m.Ready == nil || !*m.Ready {
			return 2
		}
		return 3
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b status.Member) int { return cmp.Compare(rank(&a), rank(&b)) })
	return list
}
