// Package watch looks at node groups again and again.
package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

// Flags say whether and how often to look again.
type Flags struct {
	Watch    bool
	Interval time.Duration
}

// leastInterval keeps the tool from asking the cloud more often than the autoscaler does.
const leastInterval = time.Second

// Add adds the flags to set.
func (f *Flags) Add(set *pflag.FlagSet) {
	set.BoolVarP(&f.Watch, "watch", "w", false, "After the first result print what changes, until interrupted.")
	set.DurationVar(&f.Interval, "watch-interval", 5*time.Second, "How often to look with --watch; two calls to OpenStack, or one to the autoscaler, each time.")
}

// Check finds mistakes.
func (f *Flags) Check() error {
	if f.Interval < leastInterval {
		return cli.Usagef("--watch-interval=%s: too often; write %s or more", f.Interval, leastInterval)
	}
	return nil
}

// Show is what a command does that watches: it checks the flags, chooses where node groups are read, and is Run.
func (f *Flags) Show(ctx context.Context, o *cli.Options, show func(s *sight.Sight, first bool) error) error {
	if err := f.Check(); err != nil {
		return err
	}
	reader, err := sight.Open(ctx, o)
	if err != nil {
		return err
	}
	defer reader.Close()
	return f.Run(ctx, o, reader, show)
}

// Run reads once and shows it; with --watch again and again until ctx ends, which is no error. A reading that fails later on is told,
// and the next one is tried. show is told whether it is the first time.
func (f *Flags) Run(ctx context.Context, o *cli.Options, reader *sight.Reader, show func(s *sight.Sight, first bool) error) error {
	seen, err := reader.Read(ctx)
	if err != nil {
		return err
	}
	if err := show(seen, true); err != nil || !f.Watch {
		return err
	}
	ticker := o.Clock.NewTicker(f.Interval)
	defer ticker.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
		switch seen, err = reader.Read(ctx); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if told != err.Error() {
				told = err.Error()
				_, _ = fmt.Fprintf(o.ErrOut, "warning: %v; trying again\n", err)
			}
			continue
		}
		told = ""
		if err := show(seen, false); err != nil {
			return err
		}
	}
}
