package gnocchi

import (
	"fmt"
	"slices"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// samples makes a sample of each group out of an answer; nil is one without points.
func (r *reading) samples(a *answer) map[string]ceilometer.Sample {
	byMachine := map[string][]*series{}
	if a != nil {
		for _, one := range a.series {
			byMachine[one.machine] = append(byMachine[one.machine], one)
		}
	}
	out := make(map[string]ceilometer.Sample, len(r.Groups))
	for i := range r.Groups {
		out[r.Groups[i].Group] = r.sample(&r.Groups[i], byMachine)
	}
	return out
}

// sample judges machine by machine. A load is told even if it is not to be believed, for those who look for the reason.
func (r *reading) sample(group *ceilometer.Subject, byMachine map[string][]*series) ceilometer.Sample {
	sample := ceilometer.Sample{Granularity: r.granularity}
	var measured []summary
	var names, silent, wrong []string
	young := 0
	for i := range group.Machines {
		m := &group.Machines[i]
		if r.meter.per != nil && r.meter.per(m) <= 0 {
			silent = append(silent, fmt.Sprintf("machine %s: the %s of its flavor is not known", m.ServerID, r.meter.lacking))
			continue
		}
		one := r.machine(m, byMachine[m.ServerID])
		switch {
		case one.any && one.bad != "":
			wrong = append(wrong, fmt.Sprintf("machine %s: %s %s", m.ServerID, r.meter.name, one.bad))
		case one.any:
			measured, names = append(measured, one), append(names, m.ServerID)
		case r.young(m):
			young++
		default:
			silent = append(silent, fmt.Sprintf("machine %s has no points of %s since %s", m.ServerID, r.meter.name, r.start().Format(time.RFC3339)))
		}
	}
	for _, one := range measured {
		if one.end.After(sample.At) {
			sample.At = one.end
		}
	}
	for i, one := range measured {
		// Members are polled at different moments, but not by more than a step. Whoever is two behind has fallen silent.
		if sample.At.Sub(one.end) > 2*r.step() {
			silent = append(silent, fmt.Sprintf("machine %s has no points of %s since %s", names[i], r.meter.name, one.end.UTC().Format(time.RFC3339)))
			continue
		}
		sample.Load += one.value
		sample.Machines++
	}
	if sample.Machines > 0 {
		sample.Load /= float64(sample.Machines)
	}
	slices.Sort(silent)
	slices.Sort(wrong)
	switch {
	case len(wrong) > 0:
		sample.Err = because(ceilometer.ErrAbsurd, wrong)
	case sample.Machines == 0 && len(silent) > 0:
		sample.Err = because(ceilometer.ErrNoData, silent)
	case sample.Machines == 0 && young > 0:
		sample.Err = fmt.Errorf("%w: all %d machines are too young to have any", ceilometer.ErrNoData, young)
	case sample.Machines == 0:
		sample.Err = fmt.Errorf("%w: no machine runs", ceilometer.ErrNoData)
	case len(silent) > 0:
		sample.Err = because(ceilometer.ErrPartial, silent)
	}
	return sample
}

// because names the first of several reasons, and how many there are.
func because(kind error, reasons []string) error {
	if len(reasons) == 1 {
		return fmt.Errorf("%w: %s", kind, reasons[0])
	}
	return fmt.Errorf("%w: %s, and %d more", kind, reasons[0], len(reasons)-1)
}

// machine adds up what a machine's meters say: one, or that of each disk or port. Those of a disk or port that is gone are older.
func (r *reading) machine(m *ceilometer.Machine, list []*series) summary {
	var all []summary
	var out summary
	for _, one := range list {
		if s := r.summary(r.loads(one, m)); s.any {
			all = append(all, s)
			if s.end.After(out.end) {
				out.end = s.end
			}
		}
	}
	for _, s := range all {
		if out.end.Sub(s.end) > 2*r.step() {
			continue
		}
		out.value += s.value
		out.any = true
		if s.bad != "" {
			out.bad = s.bad
		}
	}
	return out
}
