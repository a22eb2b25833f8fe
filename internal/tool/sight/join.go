package sight

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// eventsShown is how many Events of a group are kept.
const eventsShown = 20

// join completes the groups by what the cluster says.
func (s *Sight) join() {
	nodes := map[string]*v1.Node{}
	for i := range s.Nodes {
		if id, err := nodegroups.ServerIDFromNode(&s.Nodes[i]); err == nil {
			nodes[id] = &s.Nodes[i]
		}
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		if s.NodesKnown {
			joinNodes(g, nodes)
		}
		g.Events = append(g.Events, s.eventsOf(g)...)
		SortEvents(g.Events)
		g.Events = g.Events[:min(len(g.Events), eventsShown)]
		s.joinCore(g)
		g.Judge()
	}
}

func joinNodes(g *model.NodeGroup, nodes map[string]*v1.Node) {
	ready := 0
	for i := range g.Members {
		m := &g.Members[i]
		isReady := false
		if node := nodes[m.Server]; node != nil && m.Server != "" {
			m.Node, isReady = node.Name, nodegroups.IsReady(node)
		}
		m.Ready = &isReady
		if isReady {
			ready++
		}
	}
	g.ReadyNodes = &ready
}

// joinCore takes over what cluster-autoscaler says of the group. What is old is not believed.
func (s *Sight) joinCore(g *model.NodeGroup) {
	if !s.CoreIsFresh() {
		return
	}
	core := s.Core.Group(g.Name)
	if core == nil {
		return
	}
	known := g.Core // from the autoscaler's own status
	g.Core = &model.Core{
		Health: core.Health.Word, ScaleUp: core.ScaleUp.Word, ScaleDown: core.ScaleDown.Word, ScaleUpSince: core.ScaleUp.Since,
		BackoffCode: core.BackoffCode, BackoffMessage: core.BackoffMessage, MinSize: &core.MinSize, ProbedAt: &s.Core.At,
	}
	if known != nil && g.Core.BackoffCode == "" && g.Core.ScaleUp == known.ScaleUp {
		g.Core.BackoffCode, g.Core.BackoffMessage = known.BackoffCode, known.BackoffMessage
	}
	if !g.FloorUnknown || g.MinSize == nil {
		return
	}
	// The size that cluster-autoscaler is told as the least is the floor, wherever there is one.
	g.FloorUnknown = false
	if core.MinSize > *g.MinSize {
		g.Floor = &model.Floor{Size: core.MinSize, Reason: floorReason(g.Events, core.MinSize)}
	}
}

// floorReason is what the last Event about the group's floor says, if it is about this size.
func floorReason(events []model.Event, size int) string {
	for i := range events {
		if !strings.HasPrefix(events[i].Reason, "Floor") {
			continue
		}
		_, text, _ := strings.Cut(events[i].Message, `": `)
		text, _, _ = strings.Cut(text, " (the floor was ")
		if rest, ok := strings.CutPrefix(text, fmt.Sprintf("floor %d", size)); ok && (rest == "" || rest[0] == ':' || rest[0] == ',') {
			return text
		}
		return ""
	}
	return ""
}

// eventsOf are the Events on the status ConfigMap that are about the group.
func (s *Sight) eventsOf(g *model.NodeGroup) []model.Event {
	ours := about(g)
	var events []model.Event
	for i := range s.Events {
		if ours(s.Events[i].Message) {
			events = append(events, Shorten(&s.Events[i]))
		}
	}
	return events
}

// about says whether a message names the group or one of its nodes: 'node group "NAME"' in our Events, "group NAME" in
// cluster-autoscaler's.
func about(g *model.NodeGroup) func(message string) bool {
	name := regexp.QuoteMeta(g.Name)
	pattern := regexp.MustCompile(`\bgroup(?: "` + name + `"| ` + name + `(?:[\s:;,]|$))|\[?\{` + name + ` \d+->\d+`)
	names := map[string]bool{}
	for i := range g.Members {
		if node := g.Members[i].Node; node != "" {
			names[node] = true
		}
	}
	return func(message string) bool {
		if pattern.MatchString(message) {
			return true
		}
		for word := range strings.FieldsSeq(message) {
			if names[strings.Trim(word, `",;:`)] {
				return true
			}
		}
		return false
	}
}

// Shorten keeps what matters of an Event.
func Shorten(e *v1.Event) model.Event {
	from := e.Source.Component
	if from == "" {
		from = e.ReportingController
	}
	count := int(e.Count)
	if e.Series != nil {
		count = int(e.Series.Count)
	}
	return model.Event{At: eventTime(e), Type: e.Type, Reason: e.Reason, From: from, Message: e.Message, Count: count}
}

// eventTime is when it last happened.
func eventTime(e *v1.Event) time.Time {
	times := []time.Time{e.LastTimestamp.Time, e.EventTime.Time, e.FirstTimestamp.Time, e.CreationTimestamp.Time}
	if e.Series != nil {
		times = slices.Insert(times, 0, e.Series.LastObservedTime.Time)
	}
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// SortEvents puts the newest first.
func SortEvents(events []model.Event) {
	slices.SortStableFunc(events, func(a, b model.Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Reason, b.Reason)) })
}
