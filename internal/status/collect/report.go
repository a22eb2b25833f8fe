package collect

import (
	"cmp"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/known"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// look is what one report is made of.
type look struct {
	now      time.Time
	snapshot *nodegroups.Snapshot
	states   map[string]ceilometer.State
	nodes    map[string]*v1.Node
	template func(g *nodegroups.Group) (*v1.Node, error)
}

// Status makes a report of this moment. It is memory only; the caller may keep and change it.
func (b *Book) Status() *status.Report {
	snapshot := b.snapshot()
	l := &look{now: b.clock.Now(), snapshot: snapshot, states: b.floorStates(), nodes: b.byMember(snapshot)}
	r := &status.Report{
		SchemaVersion: status.SchemaVersion, At: l.now, Started: b.started,
		Program: b.program.Name, Version: b.program.Version, Core: b.program.Core, Mode: b.program.Mode, DryRun: b.program.DryRun,
		Leading: b.leading.Load(), NodeGroups: []status.NodeGroup{},
	}
	if s := b.sources.Load(); s != nil {
		l.template = s.Template
		r.Cloud = &status.Cloud{Project: s.Project()}
		r.Cloud.Regions = regions(snapshot, s.Region())
		reading := s.Reading()
		r.Reading.At = known.Time(reading.At)
		if reading.Err != nil {
			r.Reading.Error = reading.Err.Error()
		}
	}
	for _, g := range snapshot.Groups() {
		r.NodeGroups = append(r.NodeGroups, l.group(g))
	}
	b.addMemory(r, l)
	return r
}

// addMemory adds what has happened.
func (b *Book) addMemory(r *status.Report, l *look) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.Leader = b.leader
	r.Problems = b.holding(l.snapshot, l.now)
	r.Decisions = make([]status.Decision, 0, b.decisions.len())
	for i := range b.decisions.len() {
		r.Decisions = append(r.Decisions, b.decisions.newest(i).Decision)
	}
	for i := range r.NodeGroups {
		b.addGroupMemory(&r.NodeGroups[i], l.now)
	}
	for c, count := range b.certificates {
		r.Certificates = append(r.Certificates, status.CertificateCount{Signer: c.signer, Decision: c.decision, Reason: c.reason, Count: count})
	}
	slices.SortFunc(r.Certificates, func(a, b status.CertificateCount) int {
		return cmp.Or(cmp.Compare(a.Signer, b.Signer), cmp.Compare(a.Decision, b.Decision), cmp.Compare(a.Reason, b.Reason))
	})
}

func (b *Book) addGroupMemory(g *status.NodeGroup, now time.Time) {
	g.History = []status.Point{}
	if h := b.history[g.Name]; h != nil {
		g.History = h.oldestFirst()
	}
	if o, ok := b.backOffs[g.Name]; ok && !o.Until.Before(now) {
		g.BackOff = &o
	}
	for held, members := range b.held {
		if held.Group == g.Name {
			g.HeldRepairs = append(g.HeldRepairs, status.HeldRepair{Reason: held.Reason, Members: members})
		}
	}
	slices.SortFunc(g.HeldRepairs, func(a, b status.HeldRepair) int { return cmp.Compare(a.Reason, b.Reason) })
	if live := b.tokens[g.Name]; live.Count > 0 && (live.Expires.IsZero() || live.Expires.After(now)) {
		g.Tokens = &status.Tokens{Valid: live.Count, Expires: known.Time(live.Expires)}
	}
}

// regions are those of the credentials and of all stacks.
func regions(s *nodegroups.Snapshot, own string) []string {
	var out []string
	if own != "" {
		out = append(out, own)
	}
	for _, g := range s.Groups() {
		for _, stack := range g.Stacks {
			if stack.Region != "" {
				out = append(out, stack.Region)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
