package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// groupView is a node group in words.
type groupView struct {
	*status.NodeGroup
	// ID is a name for the page's own links.
	ID string
	// State is one of the State constants, Word what it is called, Why one line about it.
	State, Word, Why string
	Link             string
	// Ready is how many are Ready, "?" if that is not known.
	Ready string
	// Least is the size below which nothing is removed, LeastIs says what makes it.
	Least int
	// Load is the first signal in a few words, empty without one.
	Load  string
	Sizes *chart
	Loads *chart
	// List are the members that are shown; Earlier and Later lead to others, More is how many are not shown.
	List           []memberView
	From, To, More int
	Earlier, Later string
	// Open: the list of members is unfolded.
	Open    bool
	Signals []signalView
	BackOff string
	Tokens  string
}

// memberView is a member in words.
type memberView struct {
	status.Member
	Class, Word, Age string
}

// signalView is a signal in words.
type signalView struct {
	status.Signal
	Value, Target, Age, Held string
}

// fill says everything about a group that was judged.
func (v *groupView) fill(r *status.Report, c choice) {
	g := v.NodeGroup
	v.ID, v.Link, v.Ready, v.Least = "group-"+g.Name, link(g.Name, 0), "?", g.MinSize
	if g.Counts.Ready != nil {
		v.Ready = strconv.Itoa(*g.Counts.Ready)
	}
	if g.Floor != nil {
		v.Least = max(v.Least, g.Floor.Size)
		for i := range g.Floor.Signals {
			v.Signals = append(v.Signals, newSignalView(&g.Floor.Signals[i], r.At))
		}
		if len(v.Signals) > 0 {
			v.Load = v.Signals[0].summary()
		}
	}
	if g.BackOff != nil {
		v.BackOff = fmt.Sprintf("cluster-autoscaler does not grow it until %s: %s", g.BackOff.Until.UTC().Format("15:04:05 UTC"), join(g.BackOff.Code, g.BackOff.Message))
	}
	if g.Tokens != nil {
		v.Tokens = count(g.Tokens.Valid, "bootstrap token")
		if g.Tokens.Expires != nil {
			v.Tokens += ", the last until " + g.Tokens.Expires.UTC().Format("15:04:05 UTC")
		}
	}
	v.Sizes, v.Loads = sizeChart(g), loadChart(g)
	v.list(c, r.At)
}

// join puts a code and its message together.
func join(code, message string) string {
	if code == "" || message == "" {
		return code + message
	}
	return code + ": " + message
}

// judge says how the group is: what hinders most goes first.
func (v *groupView) judge() {
	g := v.NodeGroup
	switch c := &g.Counts; {
	case g.Blocked != nil:
		v.State, v.Word, v.Why = stateBad, "Blocked", join(g.Blocked.Code, g.Blocked.Message)
	case g.GrowthBlocked != nil:
		v.State, v.Word, v.Why = stateWarn, "Can't grow", join(g.GrowthBlocked.Code, g.GrowthBlocked.Message)
	case g.BackOff != nil:
		v.State, v.Word = stateWarn, "Paused" // BackOff says why
	case c.Failed+c.Lost > 0:
		v.State, v.Word, v.Why = stateBad, "Failing", count(c.Failed+c.Lost, "member")+" failed or lost"
	case c.Creating > 0:
		v.State, v.Word, v.Why = stateBusy, "Growing", count(c.Creating, "member")+" being made"
	case c.Deleting > 0:
		v.State, v.Word, v.Why = stateBusy, "Shrinking", count(c.Deleting, "member")+" being removed"
	case c.Ready != nil && *c.Ready < g.TargetSize:
		v.State, v.Word, v.Why = stateWarn, "Not ready", count(g.TargetSize-*c.Ready, "node")+" not Ready"
	default:
		v.State, v.Word = stateGood, "OK"
		if g.TargetSize >= g.MaxSize {
			v.Why = "at its maximum size"
		}
	}
}

// list chooses the members that are shown.
func (v *groupView) list(c choice, now time.Time) {
	all, most := worst(v.Members), c.most
	if v.Open = c.group != ""; v.Open && c.from < len(all) {
		v.From = c.from
	}
	v.To = min(v.From+most, len(all))
	v.More = len(all) - (v.To - v.From)
	if c.group != "" && v.From > 0 {
		v.Earlier = link(v.Name, max(v.From-most, 0))
	}
	if v.To < len(all) {
		v.Later = link(v.Name, v.To)
		if c.group == "" {
			v.Later = v.Link
		}
	}
	for _, m := range all[v.From:v.To] {
		v.List = append(v.List, newMemberView(m, now))
	}
}

// First is the number of the first member that is shown, counted from 1.
func (v *groupView) First() int { return min(v.From+1, v.To) }

func newMemberView(m status.Member, now time.Time) memberView {
	v := memberView{Member: m, Word: m.State, Class: stateBusy}
	switch m.State {
	case "failed", "lost":
		v.Class = stateBad
	case "running":
		switch {
		case m.Node == "":
			v.Word, v.Class = "running, no node", stateWarn
		case m.Ready != nil && *m.Ready:
			v.Word, v.Class = "Ready", stateGood
		default:
			v.Word, v.Class = "not Ready", stateWarn
		}
	}
	if m.Created != nil {
		v.Age = ago(now.Sub(*m.Created))
	}
	return v
}

func newSignalView(s *status.Signal, now time.Time) signalView {
	v := signalView{Signal: *s, Value: "–", Target: "steps"}
	if s.Value != nil {
		v.Value = number(*s.Value)
	}
	if s.Target != nil {
		v.Target = number(*s.Target)
	}
	if s.AgeSeconds != nil {
		v.Age = ago(time.Duration(*s.AgeSeconds * float64(time.Second)))
	}
	if s.HeldUntil != nil && s.HeldUntil.After(now) {
		v.Held = s.HeldUntil.UTC().Format("15:04:05 UTC")
	}
	return v
}

// summary is a signal in a few words.
func (v *signalView) summary() string {
	switch {
	case !v.Opinion:
		return v.Metric + ": no opinion"
	case v.Signal.Value == nil:
		return v.Metric + ": nothing to measure"
	case v.Signal.Target == nil:
		return v.Metric + " " + v.Value
	}
	return v.Metric + " " + v.Value + " of " + v.Target
}

// number writes a measured value in three digits or so, and never as a power of ten.
func number(x float64) string {
	if x >= 1000 || x <= -1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return "?"
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

// decisionView is a decision in words.
type decisionView struct {
	status.Decision
	Class, Word, Clock, Change string
}

// words are what kinds and results of decisions are called.
var words = map[string]string{
	status.DecisionGrow: "Grow", status.DecisionRemove: "Remove", status.DecisionVerify: "Verified", status.DecisionShrink: "Withdraw",
	status.DecisionReplace: "Replace", status.DecisionDeleteNode: "Delete node", status.DecisionFloor: "Floor", status.DecisionBackOff: "Pause",
	status.DecisionProblem: "Problem", status.DecisionCertificate: "Certificate", status.DecisionToken: "Token",
	status.ResultOK: "done", status.ResultFailed: "failed", status.ResultWrong: "wrong", status.ResultDryRun: "dry run", status.ResultWaiting: "waiting",
}

var classes = map[string]string{
	status.ResultOK: stateGood, status.ResultFailed: stateBad, status.ResultWrong: stateBad, status.ResultDryRun: stateBusy, status.ResultWaiting: stateWarn,
}

func newDecisionView(d *status.Decision) decisionView {
	v := decisionView{Decision: *d, Class: classes[d.Result], Word: words[d.Kind], Clock: d.At.UTC().Format("15:04:05")}
	switch {
	case d.From != nil && d.To != nil:
		v.Change = fmt.Sprintf("%d → %d", *d.From, *d.To)
	case d.To != nil:
		v.Change = fmt.Sprintf("→ %d", *d.To)
	case d.From != nil:
		v.Change = fmt.Sprintf("%d → none", *d.From)
	}
	return v
}

// ResultWord is how it ended.
func (v *decisionView) ResultWord() string { return words[v.Result] }
