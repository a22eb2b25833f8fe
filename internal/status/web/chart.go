package web

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// The charts' own units; the page stretches them.
const (
	chartWidth  = 480.0
	chartHeight = 96.0
	chartMargin = 4.0
)

// gapAfter is how far apart two points may be that are joined: longer, and nothing is known of the time between.
const gapAfter = 5 * time.Minute

// chart is a small picture of history.
type chart struct {
	Title string
	// Text says in words what the picture shows.
	Text string
	// Top is the value at the upper edge, Begin and End are the times at the left and the right.
	Top, Begin, End string
	Lines           []line
	// Mark is the height of a line across, such as the target of a load; empty for none.
	Mark string
}

// line is one of its lines.
type line struct {
	// Class is its style, Name what it is called, Path the SVG path, Now its last value.
	Class, Name, Path, Now string
}

// Width and Height are the chart's own units.
func (*chart) Width() string { return coordinate(chartWidth) }

// Height is how high it is.
func (*chart) Height() string { return coordinate(chartHeight) }

// series is what becomes a line: at returns a point's value, false if there is none.
type series struct {
	class, name string
	steps       bool
	at          func(p *status.Point) (float64, bool)
}

// sizeChart draws how a group's sizes have gone; nil with less than two points.
func sizeChart(g *status.NodeGroup) *chart {
	return draw("Size", g.History, 1, []series{
		{"ready", "ready", true, func(p *status.Point) (float64, bool) { return whole(p.Ready) }},
		{"target", "target", true, func(p *status.Point) (float64, bool) { return float64(p.TargetSize), true }},
		{"floor", "floor", true, func(p *status.Point) (float64, bool) { return whole(p.Floor) }},
	})
}

// loadChart draws how a group's load has gone, 1 being on target; nil if none was known.
func loadChart(g *status.NodeGroup) *chart {
	isTarget, title := false, "Load"
	if g.Floor != nil && len(g.Floor.Signals) > 0 {
		isTarget = g.Floor.Signals[0].Target != nil
		title = "Load (" + g.Floor.Signals[0].Metric + ")"
	}
	least := 0.0
	if isTarget {
		least = 1.2
		title += ", as a part of its target"
	}
	c := draw(title, g.History, least, []series{{"load", "load", false, func(p *status.Point) (float64, bool) {
		if p.Load == nil || math.IsNaN(*p.Load) || math.IsInf(*p.Load, 0) {
			return 0, false
		}
		return *p.Load, true
	}}})
	if c != nil && isTarget {
		c.Mark = coordinate(height(1, topOf(g.History, least, func(p *status.Point) (float64, bool) {
			if p.Load == nil {
				return 0, false
			}
			return *p.Load, true
		})))
	}
	return c
}

func whole(n *int) (float64, bool) {
	if n == nil {
		return 0, false
	}
	return float64(*n), true
}

// draw makes a chart of all series on one scale, whose top is at least least.
func draw(title string, points []status.Point, least float64, all []series) *chart {
	if len(points) < 2 {
		return nil
	}
	begin, end := points[0].At, points[len(points)-1].At
	if !end.After(begin) {
		return nil
	}
	top := least
	for _, s := range all {
		top = max(top, topOf(points, least, s.at))
	}
	c := &chart{Title: title, Top: number(top), Begin: begin.UTC().Format("15:04"), End: end.UTC().Format("15:04 UTC")}
	var texts []string
	for _, s := range all {
		l, text := s.draw(points, begin, end, top)
		if l.Path == "" {
			continue
		}
		c.Lines = append(c.Lines, l)
		texts = append(texts, text)
	}
	if len(c.Lines) == 0 {
		return nil
	}
	c.Text = fmt.Sprintf("From %s to %s: %s.", begin.UTC().Format("15:04"), end.UTC().Format("15:04 UTC"), strings.Join(texts, "; "))
	return c
}

// topOf is the greatest value, or least.
func topOf(points []status.Point, least float64, at func(p *status.Point) (float64, bool)) float64 {
	top := least
	for i := range points {
		if value, ok := at(&points[i]); ok && !math.IsNaN(value) && !math.IsInf(value, 0) {
			top = max(top, value)
		}
	}
	if top <= 0 {
		return 1
	}
	return top
}

// draw makes the series' line, and says it in words. The path is empty if no point has a value.
func (s *series) draw(points []status.Point, begin, end time.Time, top float64) (l line, text string) {
	var path strings.Builder
	var previous time.Time
	lowest, highest, now := math.Inf(1), math.Inf(-1), "unknown"
	isDown := false
	for i := range points {
		p := &points[i]
		value, ok := s.at(p)
		if !ok {
			isDown, now = false, "unknown"
			continue
		}
		x, y := coordinate(chartWidth*float64(p.At.Sub(begin))/float64(end.Sub(begin))), coordinate(height(value, top))
		switch {
		case !isDown || p.At.Sub(previous) > gapAfter:
			fmt.Fprintf(&path, "M%s %s", x, y)
		case s.steps:
			fmt.Fprintf(&path, "H%sV%s", x, y)
		default:
			fmt.Fprintf(&path, "L%s %s", x, y)
		}
		isDown, previous, now = true, p.At, number(value)
		lowest, highest = min(lowest, value), max(highest, value)
	}
	if path.Len() == 0 {
		return line{}, ""
	}
	l = line{Class: s.class, Name: s.name, Path: path.String(), Now: now}
	if lowest == highest {
		return l, fmt.Sprintf("%s %s, now %s", s.name, number(lowest), now)
	}
	return l, fmt.Sprintf("%s between %s and %s, now %s", s.name, number(lowest), number(highest), now)
}

// height is where a value is, counted from above.
func height(value, top float64) float64 {
	return chartMargin + (chartHeight-2*chartMargin)*(1-value/top)
}

func coordinate(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") }
