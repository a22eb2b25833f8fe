package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/replay"
)

// report prints what there is to say of all files.
func report(w io.Writer, o options) error {
	var all []replay.Comparison
	for _, path := range o.files {
		t, notes, err := replay.ReadTrace(path)
		if err != nil {
			return err
		}
		if !o.keepUnit {
			t.Loads = replay.Scale(t.Loads, o.target*replay.FullMachines)
		}
		s := o.setup(t.Loads)
		if len(t.Loads)*s.Bucket <= s.Skip {
			return fmt.Errorf("%s: %d buckets of %d minutes are not more than the two days from which forecasts learn; give a longer history",
				path, len(t.Loads), s.Bucket)
		}
		fmt.Fprintf(w, "%s: %d buckets of %d minutes, judged from the third day on\n", path, len(t.Loads), s.Bucket)
		for _, note := range notes {
			fmt.Fprintf(w, "  note: %s\n", note)
		}
		if err := one(w, o, t, s); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		compared, err := replay.CompareAll([]replay.Trace{t}, s, o.quantile)
		if err != nil {
			return err
		}
		for i := range compared {
			c := &compared[i]
			r, ok := c.Reduction()
			text := "next to no time above target"
			if ok {
				text = fmt.Sprintf("reduced by %.1f %%", 100*r)
			}
			fmt.Fprintf(w, "  boot %2d min: above target %.2f %% of the time with forecasts, %.2f %% without at the same node-hours: %s\n",
				c.Boot, 100*c.Forecast.Violation(), 100*c.Equal, text)
		}
		all = append(all, compared...)
	}
	s := replay.Summarize(all)
	fmt.Fprintf(w, "bench forecast_violation_reduction_mean_pct %.4g pct\n", s.Mean)
	fmt.Fprintf(w, "bench forecast_violation_reduction_pooled_pct %.4g pct\n", s.Pooled)
	fmt.Fprintf(w, "bench forecast_violation_reduction_worst_pct %.4g pct\n", s.Worst)
	return nil
}

// one plays one trace with the boot time that was asked for, prints both policies and draws them.
func one(w io.Writer, o options, t replay.Trace, s replay.Setup) error {
	foreseen, err := replay.NewForeseen(t.Loads, s, o.quantile)
	if err != nil {
		return err
	}
	policies := []struct {
		name string
		replay.Policy
	}{{"reactive", replay.NewReactive(t.Loads, s, s.Target)}, {"forecast", foreseen}}
	var drawn []course
	fmt.Fprintf(w, "  load      %s machines fully used; target %.0f %%, boot %v\n", spread(t.Loads), 100*s.Target, o.boot)
	for _, p := range policies {
		c := course{name: p.name}
		r := replay.Simulate(t.Loads, s, p.Policy, c.step)
		fmt.Fprintf(w, "  %s  wanted %s, working %s; %.0f node-hours, %.2f %% of the time above target (+10 %%), %d starts\n",
			p.name, spread(c.wanted[s.Skip:]), spread(c.applied[s.Skip:]), r.NodeHours, 100*r.Violation(), r.Started)
		drawn = append(drawn, c)
	}
	if o.out == "" {
		return nil
	}
	for _, form := range []string{".png", ".svg"} {
		path := filepath.Join(o.out, t.Name+"-load-report"+form)
		if err := draw(path, t.Name, drawn, s); err != nil {
			return err
		}
		fmt.Fprintf(w, "  picture   %s\n", path)
	}
	return nil
}

// course is what a policy did, minute by minute.
type course struct {
	name                  string
	load, wanted, applied []float64
}

func (c *course) step(_ int, load float64, wanted, ready, _ int) {
	c.load = append(c.load, load)
	c.wanted = append(c.wanted, float64(wanted))
	c.applied = append(c.applied, float64(ready))
}

// spread is the smallest, the middle and the largest value.
func spread(x []float64) string {
	s := slices.Sorted(slices.Values(x))
	return fmt.Sprintf("%.3g / %.3g / %.3g (least / median / most)", s[0], s[len(s)/2], s[len(s)-1])
}
