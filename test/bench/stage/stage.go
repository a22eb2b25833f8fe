package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	// ScanInterval is cluster-autoscaler's, as operators have it.
	ScanInterval = 10 * time.Second
	// ReadyTimeout bounds the wait for a machine that becomes a node.
	ReadyTimeout = 2 * time.Minute
	// SampleTimeout bounds the wait for the autoscaler's part; a scan interval and a slow loop fit in easily.
	SampleTimeout = time.Minute
)

// Stage is a control plane and a cloud without a node group, and without an autoscaler that runs.
type Stage struct {
	Base  *world.Base
	Sim   *simulator.Simulator
	World *world.World

	dir string
}

func (s *Stage) set(ctx context.Context) (err error) {
	if s.Base, err = world.StartBase(ctx, func(what string) { fmt.Fprintln(os.Stderr, what) }); err != nil {
		return err
	}
	sim := simulator.New(simulator.Options{})
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	s.Sim = sim
	if s.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	cloud, err := world.Simulated(ctx, sim, s.dir)
	if err != nil {
		return err
	}
	s.World, err = world.New(ctx, s.Base, "bench", cloud, world.Options{})
	return err
}

// clear ends what set has begun, in the opposite order, also when ctx has ended.
func (s *Stage) clear(ctx context.Context) error {
	err := s.World.Close(context.WithoutCancel(ctx))
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	if s.Sim != nil {
		s.Sim.Close()
	}
	return errors.Join(err, s.Base.Close())
}

// StartAutoscaler starts the autoscaler with ScanInterval; nothing else hurries it.
func (s *Stage) StartAutoscaler(ctx context.Context) error {
	return s.World.StartPatientAutoscaler(ctx, "--scan-interval="+ScanInterval.String())
}

// WaitForUpdate waits until there is another update of a stack than so many.
func (s *Stage) WaitForUpdate(ctx context.Context, before int) error {
	return s.World.Until(ctx, SampleTimeout, "a PATCH", func(context.Context) error {
		if len(s.Sim.Updates()) > before {
			return nil
		}
		return errors.New("none has come")
	})
}

// Wait waits that long.
func Wait(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
