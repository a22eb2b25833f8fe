package ceilometer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// oracleOf is a Forecaster whose answers the test sets.
type oracleOf struct {
	options ceilometer.ForecastOptions
	seen    []ceilometer.Point
	upper   float64
	ok      bool
}

func (o *oracleOf) Observe(end time.Time, load float64) {
	o.seen = append(o.seen, ceilometer.Point{At: end, Value: load})
}
func (o *oracleOf) Upper() (float64, bool) { return o.upper, o.ok }

// foreseeing is a rig whose group has forecasts by an oracle.
func foreseeing(t *testing.T, mode string, tags ...string) (*rig, *oracleOf) {
	t.Helper()
	o := &oracleOf{}
	r := newRig(t, 4, 1, 20, append([]string{"load-metric=cpu", "load-target=60", "forecast=" + mode, "load-scale-down-window=0s"}, tags...)...)
	r.options.NewForecaster = func(options ceilometer.ForecastOptions) (ceilometer.Forecaster, error) {
		o.options = options
		return o, nil
	}
	r.restart()
	return r, o
}

// until lets loops pass until the past has been read, which happens beside them.
func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		r.update()
		return done()
	}, 10*time.Second, time.Millisecond, what)
}

// learn lets loops pass until the forecaster has been told of a load; the past is read beside the loops.
func (r *rig) learn(o *oracleOf, load float64, machines int) {
	r.t.Helper()
	r.until("the forecaster is told", func() bool {
		r.clock.Step(30 * time.Second)
		r.load(load, machines)
		return len(o.seen) > 0
	})
}

func TestAForecastRaisesTheFloorBeforeTheLoadDoes(t *testing.T) {
	r, o := foreseeing(t, "true", "forecast-quantile=0.9", "forecast-boot-time=3m")
	r.learn(o, 60, 4)
	assert.Equal(t, ceilometer.ForecastOptions{
		Group: "workers", Metric: "cpu", Bucket: 5 * time.Minute, BootTime: 3 * time.Minute, Quantile: .9,
	}, o.options)
	o.upper, o.ok = 6, true // machines, fully used
	floor := r.after(11*time.Minute, 60, 4)
	last := o.seen[len(o.seen)-1]
	assert.InDelta(t, 2.4, last.Value, 1e-9, "four machines at 60 %")
	assert.Zero(t, last.At.Sub(midnight)%(5*time.Minute), "buckets end at whole five minutes")
	s := r.state()
	assert.GreaterOrEqual(t, floor, 9, "6 machines' load at 60 % and the tolerance")
	assert.LessOrEqual(t, floor, 10)
	assert.Equal(t, 4, s.Reactive)
	assert.True(t, s.Signals[0].Foresees)
	assert.InDelta(t, 6, s.Signals[0].Foreseen, 0)
	assert.Contains(t, s.Reason, "forecast wants")

	o.ok = false
	assert.Equal(t, 4, r.after(40*time.Minute, 60, 4), "a forecaster that can't say is over after a while")
}

func TestAForecastNeverLowersTheFloor(t *testing.T) {
	r, o := foreseeing(t, "true")
	o.upper, o.ok = .1, true
	r.learn(o, 100, 4)
	assert.Equal(t, 7, r.after(11*time.Minute, 100, 4), "what is measured counts upward")
}

func TestAShadowIsShownAndNotApplied(t *testing.T) {
	r, o := foreseeing(t, "shadow")
	o.upper, o.ok = 6, true
	r.learn(o, 60, 4)
	assert.Equal(t, 4, r.after(11*time.Minute, 60, 4))
	s := r.state()
	assert.True(t, s.Shadow)
	assert.Greater(t, s.Forecast, 8)
	assert.Contains(t, s.Reason, "not applied")
}

func TestAForecastLearnsFromThePast(t *testing.T) {
	r, o := foreseeing(t, "true")
	r.source.set(func(s *telemetry) {
		for i := range 20 {
			s.past = append(s.past, ceilometer.Point{At: midnight.Add(time.Duration(i-20) * 5 * time.Minute), Value: float64(i)})
		}
	})
	r.load(60, 4)
	r.until("the past has been learnt", func() bool { return len(o.seen) >= 19 })
	assert.InDelta(t, 0, o.seen[0].Value, 0)
	assert.InDelta(t, 18, o.seen[18].Value, 0)
	for i := 1; i < len(o.seen); i++ {
		assert.True(t, o.seen[i].At.After(o.seen[i-1].At), "in the order of time")
	}
}

func TestAPastThatCanNotBeReadIsDoneWithout(t *testing.T) {
	r, o := foreseeing(t, "true")
	r.source.set(func(s *telemetry) { s.pastErr = errors.New("503") })
	r.learn(o, 60, 4)

	r, o = foreseeing(t, "true")
	r.source.set(func(s *telemetry) { s.pastErr = errPanic })
	r.learn(o, 60, 4)
}

func TestForecastsThatCanNotBeMadeAreAProblem(t *testing.T) {
	r := newRig(t, 4, 1, 20, "load-metric=cpu", "forecast=true")
	r.load(60, 4)
	r.update()
	require.Equal(t, []string{nodegroups.ReasonBadLoadPolicy}, r.reports.Reasons(), "a program without forecasts")
	r.options.NewForecaster = func(ceilometer.ForecastOptions) (ceilometer.Forecaster, error) {
		return nil, errors.New("the quantile is too great")
	}
	r.restart()
	assert.Equal(t, 4, r.update(), "load goes on")
	assert.Contains(t, r.reports.All()[len(r.reports.All())-1].Message, "quantile")
}
