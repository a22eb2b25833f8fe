package openstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

// errThrottled marks requests that were not sent because the cloud, or our own limit, asks for patience.
var errThrottled = errors.New("too many requests")

// pace is what all clients of a Session share, also across reloads: how fast we may go and who asked us to wait.
type pace struct {
	limiter *rate.Limiter
	quiet   *quietTimes
}

func newPace(o Options) *pace {
	limit := rate.Limit(o.Rate)
	if o.Rate < 0 {
		limit = rate.Inf
	}
	return &pace{limiter: rate.NewLimiter(limit, o.Burst), quiet: newQuietTimes(o.Clock)}
}

// newTransport stacks the decorators, the outermost last: a request is retried, each try is limited in rate, bounded in
// time and counted.
func newTransport(base http.RoundTripper, services *services, pace *pace, secrets []string, o Options) http.RoundTripper {
	t := http.RoundTripper(&counting{next: base, services: services, observer: o.Observer, clock: o.Clock})
	t = &bounded{next: t, timeout: o.RequestTimeout}
	t = &limited{next: t, limiter: pace.limiter}
	t = &patient{next: t, services: services, quiet: pace.quiet, clock: o.Clock, budget: o.RequestTimeout}
	return &discreet{next: t, secrets: secrets}
}

// counting tells the observer of every request once its answer is read.
type counting struct {
	next     http.RoundTripper
	services *services
	observer Observer
	clock    clock.PassiveClock
}

func (t *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	service, started := t.services.of(req.URL), t.clock.Now()
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		t.observer.Observe(service, req.Method, 0, t.clock.Since(started))
		return nil, err
	}
	resp.Body = &watchedBody{ReadCloser: resp.Body, done: func(complete bool) {
		code := resp.StatusCode
		if !complete {
			code = 0
		}
		t.observer.Observe(service, req.Method, code, t.clock.Since(started))
	}}
	return resp, nil
}

// bounded gives every request and the reading of its answer a deadline.
type bounded struct {
	next    http.RoundTripper
	timeout time.Duration
}

func (t *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout,
		fmt.Errorf("no complete answer from %s within %s: %w", req.URL.Host, t.timeout, context.DeadlineExceeded))
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &watchedBody{ReadCloser: resp.Body, done: func(bool) { cancel() }}
	return resp, nil
}

// limited holds requests back so that they don't exceed the rate.
type limited struct {
	next    http.RoundTripper
	limiter *rate.Limiter
}

func (t *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.limiter.Wait(req.Context()); err != nil {
		closeBody(req)
		if ctxErr := req.Context().Err(); ctxErr != nil {
			return nil, ctxErr
		}
		return nil, fmt.Errorf("%w: more than %g a second are not sent to OpenStack: %w", errThrottled, float64(t.limiter.Limit()), err)
	}
	return t.next.RoundTrip(req)
}

// watchedBody calls done once, when the body is read to its end, fails or is closed. An answer that is closed before its
// end counts as complete: whoever closes it has what he wanted.
type watchedBody struct {
	io.ReadCloser
	done func(complete bool)
	once sync.Once
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once.Do(func() { b.done(errors.Is(err, io.EOF)) })
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.once.Do(func() { b.done(true) })
	return b.ReadCloser.Close()
}

// closeBody does what a RoundTripper owes to a request that it doesn't send.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
