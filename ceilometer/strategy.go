package ceilometer

import (
	"math"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// mostWanted bounds sizes before they become whole numbers; it is beyond any group's maximum.
const mostWanted = 1_000_000

// ceil rounds up, but for the dust of floating point: 3 x 60 / 60 are 3.
func ceil(x float64) int {
	if !(x > 0) {
		return 0
	}
	return int(math.Min(math.Ceil(x-1e-9), mostWanted))
}

// track returns the size at which the load per machine is the target: ceil(machines x load / target), HPA's formula.
//
// Within the tolerance nothing changes. As what must not change HPA takes the present size; here it is the size that was wanted last
// (0: none was), because the present size may be greater for other reasons, and would be wanted from then on.
func track(load, target float64, machines, last int, tolerance float64) int {
	exact := load * float64(machines) / target
	if math.IsNaN(exact) || math.IsInf(exact, 0) {
		return min(machines, mostWanted) // a target that is next to 0
	}
	if last > 0 {
		if math.Abs(exact/float64(last)-1) <= tolerance+1e-9 {
			return last
		}
		return ceil(exact)
	}
	if math.Abs(exact/float64(machines)-1) <= tolerance+1e-9 {
		return min(machines, ceil(exact))
	}
	return ceil(exact)
}

// step returns the machines changed by the step that the load is on.
func step(load float64, steps []nodegroups.LoadStep, machines int) int {
	change := 0
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		if s.Change > 0 && load >= s.Threshold && change == 0 {
			change = s.Change
		}
	}
	if change == 0 {
		for _, s := range steps {
			if s.Change < 0 && load <= s.Threshold {
				change = s.Change
				break
			}
		}
	}
	return min(max(0, machines+change), mostWanted)
}

// scheduled returns the greatest size that schedules want now, and the text of the one that wants it.
func (p *Policy) scheduled(now time.Time) (size int, text string) {
	for i := range p.Schedule {
		if s := &p.Schedule[i]; s.Size > size && s.Active(now) {
			size, text = s.Size, s.Text
		}
	}
	return size, text
}

// spare returns how many nodes of headroom are added to a size.
func (p *Policy) spare(size int) int {
	return p.Headroom.Nodes + ceil(float64(size)*p.Headroom.Percent/100)
}
