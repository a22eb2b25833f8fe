package gnocchi

import (
	"fmt"
	"math"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// absurd is above how many percent a load cannot be. A poll that is late makes one load a little too high.
const absurd = 110

// load is what one period says of one meter.
type load struct {
	end   time.Time
	value float64
	// bad says why the value cannot be; empty if it can.
	bad string
	// reset: the counter fell in this period, which so says nothing.
	reset bool
}

// loads turns a meter's points into loads, in the unit of the metric.
func (r *reading) loads(one *series, m *ceilometer.Machine) []load {
	unit := 1.0
	if r.meter.per != nil {
		unit = r.meter.per(m)
	}
	switch {
	case !r.meter.rate:
		return r.gauge(one.values, unit)
	case r.interval > 0:
		return r.rates(one.values, unit, m.Created)
	}
	return r.growth(one, unit)
}

// gauge reads a meter whose values are loads.
func (r *reading) gauge(points []point, unit float64) []load {
	out := make([]load, 0, len(points))
	for i := range points {
		out = append(out, r.judged(&points[i], points[i].value/unit))
	}
	return out
}

// rates divides growth per poll by the polling interval. The first growth after a gap is over more than one interval and is
// left out; so is a period in which the counter fell. That shows as a negative mean, unless the counter had grown by no more than
// the period's other polls: a machine that is rebooted in its first minutes reads too low for one period.
func (r *reading) rates(points []point, unit float64, created time.Time) []load {
	out := make([]load, 0, len(points))
	for i := range points {
		p := &points[i]
		switch {
		case i > 0 && p.at.Sub(points[i-1].at) > r.step():
			continue
		case i == 0 && p.at.Sub(r.start()) >= r.step() && p.at.Sub(created) > 2*r.interval:
			continue // there should have been some before, and it is no new machine
		}
		one := r.judged(p, p.value/r.interval.Seconds()/unit)
		one.reset = p.value < 0
		out = append(out, one)
	}
	return out
}

// growth divides the growth of the cumulative mean by the time between two periods. That is right only if both hold all their polls,
// so there have to be one before and one after them, in equal distances: no birth, no gap, and no poll that is still on its
// way. A period whose mean lies on both sides of a reset says nothing, nor does the one after it.
func (r *reading) growth(one *series, unit float64) []load {
	fell := map[time.Time]bool{}
	for i := range one.values {
		fell[one.values[i].at] = one.values[i].value < 0
	}
	var out []load
	for i := 2; i < len(one.means)-1; i++ {
		before, last, this, next := &one.means[i-2], &one.means[i-1], &one.means[i], &one.means[i+1]
		step := this.at.Sub(last.at)
		if last.at.Sub(before.at) != step || next.at.Sub(this.at) != step || step <= 0 {
			continue
		}
		grown := this.value - last.value
		l := r.judged(this, grown/step.Seconds()/unit)
		if l.reset = fell[last.at] || fell[this.at] || grown < 0; l.reset {
			l.bad = fmt.Sprintf("grew by %.4g: its counter was reset, or it is wrong", grown)
		}
		out = append(out, l)
	}
	return out
}

// judged is a load with what is wrong with it. A period that is still filling ends now.
func (r *reading) judged(p *point, value float64) load {
	l := load{end: p.end(), value: value}
	if l.end.After(r.Now) {
		l.end = r.Now
	}
	percent := r.meter.per != nil
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		l.bad = "is not a number"
	case r.meter.expression != "":
	case value < 0 && r.meter.rate:
		l.bad = fmt.Sprintf("grew by %.4g: its counter was reset, or it is wrong", p.value)
	case value < 0:
		l.bad = fmt.Sprintf("is %.4g", value)
	case percent && value > absurd:
		l.bad = fmt.Sprintf("is %.4g %%", value)
		if r.meter.rate {
			l.bad += fmt.Sprintf(" with a polling interval of %s", r.interval)
		}
	}
	return l
}

// summary is the mean of the loads that end in the window, of the newest one if there are none.
type summary struct {
	value float64
	end   time.Time
	bad   string
	any   bool
}

func (r *reading) summary(loads []load) summary {
	var out summary
	var usable []load
	for _, l := range loads {
		if !l.reset {
			usable = append(usable, l)
		}
	}
	if len(loads) == 0 {
		return out
	}
	// After one reset the period before it will do, until the next one is there. Several in a row are something else.
	if last := loads[len(loads)-1]; len(usable) == 0 || last.end.Sub(usable[len(usable)-1].end) > 2*r.step() {
		return summary{bad: told(last), end: last.end, any: true}
	}
	newest := usable[len(usable)-1]
	used := usable[len(usable)-1:]
	for i, l := range usable {
		if l.end.After(r.Now.Add(-r.Window)) {
			used = usable[i:]
			break
		}
	}
	sum := 0.0
	for _, l := range used {
		if l.bad != "" {
			out.bad = told(l)
		}
		sum += l.value
	}
	out.value, out.end, out.any = sum/float64(len(used)), newest.end, true
	return out
}

// told is what is wrong with a load, and when.
func told(l load) string { return fmt.Sprintf("%s at %s", l.bad, l.end.UTC().Format(time.RFC3339)) }
