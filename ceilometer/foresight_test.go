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
	}, time.Minute, time.Millisecond, what)
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
	o.upper, o.ok = 5.9, true // machines, fully used
	floor := r.after(11*time.Minute, 60, 4)
	last := o.seen[len(o.seen)-1]
	assert.InDelta(t, 2.4, last.Value, 1e-9, "four machines at 60 %")
	assert.Zero(t, last.At.Sub(midnight)%(5*time.Minute), "buckets end at whole five minutes")
	s := r.state()
	assert.Equal(t, 10, floor, "5.9 machines' load at 60 % and half of the tolerance")
	assert.Equal(t, 4, s.Reactive)
	assert.True(t, s.Signals[0].Foresees)
	assert.InDelta(t, 5.9, s.Signals[0].Foreseen, 0)
	assert.Contains(t, s.Reason, "forecast wants")

	o.ok = false
	assert.Equal(t, 4, r.after(40*time.Minute, 60, 4), "a forecaster that can't say is over after a while")
}

// late lets time pass in loops of 30 s with points that are so late, and returns the least forecast after the first half of an hour, and the last.
func (r *rig) late(d, late time.Duration) (least, last int) {
	r.t.Helper()
	least = 1000
	begun := r.clock.Now()
	for r.clock.Since(begun) < d {
		r.clock.Step(30 * time.Second)
		r.sample(ceilometer.Sample{Load: 60, Machines: 4, At: r.clock.Now().Add(-late), Granularity: time.Minute})
		r.update()
		last = r.state().Forecast
		if r.clock.Since(begun) > 30*time.Minute {
			least = min(least, last)
		}
	}
	return least, last
}

func TestAForecastEndsWhenPointsStop(t *testing.T) {
	r, o := foreseeing(t, "true", "load-max-age=3h")
	r.learn(o, 60, 4)
	o.upper, o.ok = 6, true
	require.Equal(t, 10, r.after(11*time.Minute, 60, 4))
	stopped := r.clock.Now()
	for r.clock.Since(stopped) < 9*time.Minute {
		r.clock.Step(30 * time.Second)
		r.update()
	}
	require.Equal(t, 10, r.state().Forecast, "the last one counts for a quarter of an hour")
	for r.clock.Since(stopped) < 16*time.Minute {
		r.clock.Step(30 * time.Second)
		r.update()
	}
	s := r.state()
	assert.True(t, s.Signals[0].Opinion, "the last point is good by the annotation")
	assert.Equal(t, 4, s.Floor)
	assert.Zero(t, s.Forecast)
	assert.False(t, s.Signals[0].Foresees)
}

func TestAForecastOfLatePoints(t *testing.T) {
	r, o := foreseeing(t, "true", "load-max-age=3h")
	o.upper, o.ok = 6, true
	r.learn(o, 60, 4)
	least, _ := r.late(time.Hour, 13*time.Minute)
	assert.Equal(t, 10, least, "a bit late: it counts all the time")

	r, o = foreseeing(t, "true", "load-max-age=3h")
	o.upper, o.ok = 6, true
	r.until("the forecaster is told", func() bool {
		_, last := r.late(time.Minute, 40*time.Minute)
		assert.Zero(t, last, "what was foreseen for a time that has passed")
		return len(o.seen) > 5
	})
}

func TestAPastThatEndedLongAgoForeseesNothing(t *testing.T) {
	for ended, want := range map[time.Duration]int{0: 10, 5 * time.Hour: 0} {
		r, o := foreseeing(t, "true")
		o.upper, o.ok = 6, true
		r.source.set(func(s *telemetry) {
			for i := range 20 {
				s.past = append(s.past, ceilometer.Point{At: midnight.Add(time.Duration(i-19)*5*time.Minute - ended), Value: 2})
			}
		})
		r.clock.Step(time.Minute)
		r.load(60, 4)
		r.until("the past has been learnt", func() bool { return len(o.seen) == 20 })
		assert.Equal(t, want, r.state().Forecast, ended)
	}
}

func TestWidePointsMakeWideBuckets(t *testing.T) {
	r, o := foreseeing(t, "true", "load-max-age=3h")
	o.upper, o.ok = 6, true
	least := 1000
	for minute := range 240 {
		r.clock.Step(time.Minute)
		at := r.clock.Now().Add(-2 * time.Minute).Truncate(time.Hour)
		r.sample(ceilometer.Sample{Load: 60, Machines: 4, At: at, Granularity: time.Hour})
		r.until("the past has been looked for", func() bool { return minute < 5 || len(o.seen) > 0 })
		if minute > 70 {
			least = min(least, r.state().Forecast)
		}
	}
	assert.Equal(t, time.Hour, o.options.Bucket)
	assert.Len(t, o.seen, 4, "each bucket as soon as it is over, none left out")
	assert.Equal(t, 10, least, "a forecast counts until the next one")
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
