package sight

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

// errNotLeading says that a replica knows nothing of node groups because it stands by.
var errNotLeading = errors.New("this replica of the autoscaler does not lead and never did, so that it knows nothing of node groups")

// decodeStatus reads the autoscaler's status, and whether it is that of the replica that leads. from says for people where it was read.
func decodeStatus(body []byte, from string) (found *reading, leads bool, err error) {
	var report status.Report
	if err := json.Unmarshal(body, &report); err != nil {
		return nil, false, fmt.Errorf("%s can't be understood: %w", from, err)
	}
	switch {
	case report.SchemaVersion == 0:
		return nil, false, fmt.Errorf("%s can't be understood: it has no schemaVersion; is that the address of --status-address?", from)
	case report.SchemaVersion > status.SchemaVersion:
		return nil, false, fmt.Errorf("%s is of version %d, and this program knows version %d; use a newer one", from, report.SchemaVersion, status.SchemaVersion)
	case !report.Leading && report.Reading.At == nil:
		return nil, false, fmt.Errorf("%s: %w%s", from, errNotLeading, leaderText(report.Leader))
	}
	found = &reading{source: model.Source{Kind: model.SourceStatus, From: from, ReadAt: report.Reading.At, Error: report.Reading.Error}}
	if !report.Leading {
		found.source.Notes = append(found.source.Notes, from+" is that of a replica that does not lead any more"+leaderText(report.Leader))
	}
	at := map[string]int{}
	for i := range report.NodeGroups {
		at[report.NodeGroups[i].Name] = i
		found.groups = append(found.groups, model.FromStatus(&report.NodeGroups[i]))
	}
	for i := range report.Problems {
		p := &report.Problems[i]
		if k, ok := at[p.Group]; ok {
			found.groups[k].Problems = append(found.groups[k].Problems, model.Problem(*p))
			continue
		}
		found.problems = append(found.problems, model.Problem(*p))
	}
	for i := range report.Decisions {
		d := &report.Decisions[i]
		if k, ok := at[d.Group]; ok {
			found.groups[k].Events = append(found.groups[k].Events, fromDecision(d, report.Program))
		}
	}
	return found, report.Leading, nil
}

func leaderText(leader string) string {
	if leader == "" {
		return ""
	}
	return fmt.Sprintf("; %s leads", leader)
}

// fromDecision shows a decision among the Events.
func fromDecision(d *status.Decision, program string) model.Event {
	e := model.Event{At: d.At, Type: v1.EventTypeNormal, Reason: strings.ToUpper(d.Kind[:min(1, len(d.Kind))]) + d.Kind[min(1, len(d.Kind)):], From: program, Message: d.Reason, Count: d.Repeated + 1}
	if d.Result == status.ResultFailed || d.Result == status.ResultWrong {
		e.Type = v1.EventTypeWarning
	}
	if d.Code != "" {
		e.Message = d.Code + ": " + e.Message
	}
	if d.From != nil && d.To != nil {
		e.Message += fmt.Sprintf(" (%d to %d)", *d.From, *d.To)
	}
	return e
}
