// Command load-report plays histories of load through the policy that follows the load and the one with forecasts, and prints and
// draws what each would have done. It is for choosing targets before they are switched on.
//
//	load-report [flags] FILE.csv...
//
// Each file has rows of timestamp,load. Without -keep-unit loads of any unit are scaled: the 99.9th percentile of a file becomes as
// much as 20 machines carry at the target.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/replay"
)

// options are the flags.
type options struct {
	target, quantile float64
	boot             time.Duration
	min, max         int
	keepUnit         bool
	out              string
	files            []string
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = report(os.Stdout, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load-report:", err)
		os.Exit(1)
	}
}

func parse(arguments []string, messages io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("load-report", flag.ContinueOnError)
	f.SetOutput(messages)
	target := f.String("target", "60", "load of a machine that is aimed at, in percent")
	f.DurationVar(&o.boot, "boot", 10*time.Minute, "time from a machine's order until it works, in whole minutes")
	f.Float64Var(&o.quantile, "quantile", .85, "part of all times in which the load is to be within the forecast")
	f.IntVar(&o.min, "min", 1, "least size")
	f.IntVar(&o.max, "max", 0, "largest size; 0 for none")
	f.BoolVar(&o.keepUnit, "keep-unit", false, "loads are machines that are fully used (2.5: two and a half); do not scale them")
	f.StringVar(&o.out, "out", ".", "folder for the pictures; empty for none")
	if err := f.Parse(arguments); err != nil {
		return o, err
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(*target, "%"), 64)
	o.target, o.files = percent/100, f.Args()
	switch {
	case err != nil || !(percent >= 5 && percent <= 95):
		return o, fmt.Errorf("-target=%s is not between 5 and 95 percent; write 60", *target)
	case o.boot < time.Minute || o.boot > 6*time.Hour || o.boot%time.Minute != 0:
		return o, fmt.Errorf("-boot=%v is not whole minutes between 1m and 6h; write 10m", o.boot)
	case !(o.quantile >= .5 && o.quantile <= .99):
		return o, fmt.Errorf("-quantile=%v is not between 0.5 and 0.99; write 0.85", o.quantile)
	case o.min < 1:
		return o, fmt.Errorf("-min=%d is below 1; a load that nobody carries has no target", o.min)
	case o.max != 0 && o.max < o.min:
		return o, fmt.Errorf("-max=%d is below -min=%d; raise it, or write 0 for no limit", o.max, o.min)
	case len(o.files) == 0:
		return o, errors.New("no CSV is named; write load-report history.csv")
	}
	return o, nil
}

// setup is the replay's setup for these options, for loads that are in machines.
func (o *options) setup(loads []float64) replay.Setup {
	s := replay.DefaultSetup()
	s.Target, s.Boot, s.Min = o.target, int(o.boot/time.Minute), o.min
	if o.max > 0 {
		s.Max = o.max
	}
	if o.keepUnit {
		s.Start = s.SizeFor(loads[0])
	}
	s.Start = max(s.Min, min(s.Start, s.Max))
	return s
}
