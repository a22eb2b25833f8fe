package ceilometer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// question is what is read with one call: groups with the same one share it.
type question struct {
	metric                      Metric
	window, granularity, polled time.Duration
}

// answer is how the last reading of a question ended.
type answer struct {
	samples map[string]Sample
	// asked are the groups it was about.
	asked map[string]bool
	err   error
	took  time.Duration
}

// readings are the readings under way and their last answers. The zero value is ready.
type readings struct {
	mu      sync.Mutex
	flights map[question]chan struct{}
	answers map[question]*answer
}

// ask starts a reading of every question that is not being read, and waits for those for at most wait, except for those that took longer
// last time. It forgets the answers to questions that nobody asks any more.
func (f *Floors) ask(ctx context.Context, questions map[question][]Subject) {
	if started := f.start(ctx, questions); len(started) > 0 && f.opts.Wait > 0 {
		await(ctx, f.opts.Clock, f.opts.Wait, started)
	}
}

func (f *Floors) start(ctx context.Context, questions map[question][]Subject) (started []chan struct{}) {
	r := &f.readings
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flights == nil {
		r.flights, r.answers = map[question]chan struct{}{}, map[question]*answer{}
	}
	for q := range r.answers {
		if _, asked := questions[q]; !asked {
			delete(r.answers, q)
		}
	}
	for q, subjects := range questions {
		if r.flights[q] != nil {
			continue
		}
		done := make(chan struct{})
		r.flights[q] = done
		// Telemetry that was too slow last time would hold up every loop.
		if last := r.answers[q]; last == nil || last.took <= f.opts.Wait {
			started = append(started, done)
		}
		go f.read(ctx, q, subjects, done)
	}
	return started
}

// await returns when all are done, wait is over or ctx ends.
func await(ctx context.Context, timer clock.WithTicker, wait time.Duration, all []chan struct{}) {
	over := timer.NewTimer(wait)
	defer over.Stop()
	for _, done := range all {
		select {
		case <-done:
		case <-over.C():
			return
		case <-ctx.Done():
			return
		}
	}
}

// read reads one question and keeps the answer. It goes on when the loop that has started it is over.
func (f *Floors) read(ctx context.Context, q question, subjects []Subject, done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.opts.Timeout)
	defer cancel()
	begun := f.opts.Clock.Now()
	a := &answer{asked: make(map[string]bool, len(subjects))}
	for i := range subjects {
		a.asked[subjects[i].Group] = true
	}
	a.samples, a.err = readSafely(ctx, f.opts.Sources[q.metric.Source], q.request(begun, subjects))
	if a.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		a.err = fmt.Errorf("no answer within %s: %w", f.opts.Timeout, a.err)
	}
	a.took = f.opts.Clock.Since(begun)
	f.opts.Observer.ReadingDone(ctx, Reading{
		Source: q.metric.Source, Metric: q.metric.Name, Groups: len(subjects), Duration: a.took, Err: a.err,
	})
	f.readings.mu.Lock()
	defer f.readings.mu.Unlock()
	f.readings.answers[q] = a
	delete(f.readings.flights, q)
	close(done)
}

// readSafely makes an error of a panic: telemetry must not take the autoscaler down.
func readSafely(ctx context.Context, source Source, request Request) (samples map[string]Sample, err error) {
	defer func() {
		if r := recover(); r != nil {
			samples, err = nil, fmt.Errorf("the source has panicked: %v", r)
		}
	}()
	return source.Read(ctx, request)
}

func (q *question) request(now time.Time, subjects []Subject) Request {
	return Request{
		Metric: q.metric, Now: now, Window: q.window, Granularity: q.granularity, PollingInterval: q.polled, Groups: subjects,
	}
}

// sample returns what the last reading says of a group, and an error if it says nothing.
func (r *readings) sample(q question, group string) (Sample, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.answers[q]
	switch {
	case a == nil || !a.asked[group]:
		return Sample{}, ErrPending
	case a.err != nil:
		return Sample{}, fmt.Errorf("%w: %w", ErrSource, a.err)
	}
	s, ok := a.samples[group]
	if !ok {
		return Sample{}, ErrNoData
	}
	return s, nil
}
