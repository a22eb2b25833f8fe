package corestatus

import (
	"regexp"
	"strconv"
	"strings"
)

// The text form (clusterstate/utils/status.go of cluster-autoscaler up to 1.29) has a line per condition, with counts in brackets, and
// two lines of times below each.
var (
	conditionLine = regexp.MustCompile(`^\s*(Health|ScaleUp|ScaleDown):\s+(\S+)\s*(.*)$`)
	timeLine      = regexp.MustCompile(`^\s*(LastProbeTime|LastTransitionTime):\s+(.*)$`)
	nameLine      = regexp.MustCompile(`^\s*Name:\s+(\S.*)$`)
	countPattern  = regexp.MustCompile(`(\w+)=(-?\d+)`)
)

// textReader goes through the lines.
type textReader struct {
	status *Status
	group  *Group     // the one whose lines are being read, nil for the cluster's
	last   *Condition // the one to which lines of times belong
}

func parseText(text string) (*Status, error) {
	first, rest, _ := strings.Cut(text, "\n")
	at, err := parseTime(strings.TrimSuffix(strings.TrimPrefix(first, "Cluster-autoscaler status at "), ":"))
	if err != nil {
		return nil, err
	}
	r := textReader{status: &Status{At: at, Initializing: strings.TrimSpace(rest) == "Initializing"}}
	for line := range strings.Lines(rest) {
		r.line(strings.TrimRight(line, "\n"))
	}
	r.end()
	return r.status, nil
}

// end takes in the group that has been read.
func (r *textReader) end() {
	if r.group != nil {
		r.status.Groups = append(r.status.Groups, *r.group)
	}
}

func (r *textReader) line(line string) {
	if m := nameLine.FindStringSubmatch(line); m != nil {
		r.end()
		r.group = &Group{Name: strings.TrimSpace(m[1])}
		return
	}
	if m := timeLine.FindStringSubmatch(line); m != nil && r.last != nil {
		at, err := parseTime(cutMonotonic(m[2]))
		switch {
		case err != nil, at.IsZero():
		case m[1] == "LastProbeTime":
			r.last.Probed = &at
		default:
			r.last.Since = &at
		}
		return
	}
	if m := conditionLine.FindStringSubmatch(line); m != nil {
		r.condition(m[1], m[2], m[3])
	}
}

func (r *textReader) condition(kind, word, counts string) {
	health, up, down := &r.status.Health, &r.status.ScaleUp, &r.status.ScaleDown
	if r.group != nil {
		health, up, down = &r.group.Health, &r.group.ScaleUp, &r.group.ScaleDown
	}
	switch kind {
	case "Health":
		r.last = health
		r.counts(counts)
	case "ScaleUp":
		r.last = up
	case "ScaleDown":
		r.last = down
	}
	r.last.Word = word
}

func (r *textReader) counts(text string) {
	for _, m := range countPattern.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			continue
		}
		if r.group == nil {
			switch m[1] {
			case "ready":
				r.status.Ready = n
			case "registered":
				r.status.Registered = n
			}
			continue
		}
		switch m[1] {
		case "ready":
			r.group.Ready = n
		case "cloudProviderTarget":
			r.group.Target = n
		case "minSize":
			r.group.MinSize = n
		case "maxSize":
			r.group.MaxSize = n
		}
	}
}

// cutMonotonic drops the reading of the monotonic clock, "m=+12.3", that Go prints behind a time of its own.
func cutMonotonic(text string) string {
	before, _, _ := strings.Cut(text, " m=")
	return strings.TrimSpace(before)
}
