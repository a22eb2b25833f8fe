package openstack

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// maxTries bounds how often one request is sent.
	maxTries = 4
	// firstBackoff is the wait after a refusal that names no time; it doubles with every try.
	firstBackoff = time.Second
	// longestQuiet bounds what a Retry-After may ask for. A larger value is a mistake of some gateway.
	longestQuiet = time.Hour
)

// patient waits and tries again when a service says that it has too much to do.
//
// 429 means that nothing was done, so every request may be sent again. 413 with a Retry-After is what old Nova and
// Neutron say in its place. After a 503 only a GET is repeated: whether a PATCH was carried out is not known.
type patient struct {
	next     http.RoundTripper
	services *services
	quiet    *quietTimes
	clock    clock.Clock
	// budget is the longest wait of a request whose context has no deadline.
	budget time.Duration
}

type impatienceKey struct{}

// WithoutPatience makes requests with this context fail where they would otherwise wait for a service that asks for patience, or
// be sent again: IsRateLimited tells such errors. It is for a change that is right only as long as what its sender has just read
// still holds.
func WithoutPatience(ctx context.Context) context.Context {
	return context.WithValue(ctx, impatienceKey{}, true)
}

func (t *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	service := t.services.of(req.URL)
	until := t.clock.Now().Add(t.budget)
	if deadline, ok := req.Context().Deadline(); ok {
		// The context's deadline is in real time, the waits are in the clock's.
		until = t.clock.Now().Add(time.Until(deadline))
	}
	if req.Context().Value(impatienceKey{}) != nil {
		until = t.clock.Now()
	}
	for try := 1; ; try++ {
		if err := t.keepQuiet(req, service, until); err != nil {
			closeBody(req)
			return nil, err
		}
		resp, err := t.next.RoundTrip(req)
		if err != nil || !refused(resp) {
			return resp, err
		}
		now := t.clock.Now()
		pause, told := retryAfter(resp.Header.Get("Retry-After"), now)
		if told {
			pause = jitter(pause)
			t.quiet.set(service, now.Add(pause))
		} else {
			pause = jitter(firstBackoff << (try - 1))
		}
		again := repeat(req)
		if try == maxTries || again == nil || !mayRepeat(req.Method, resp.StatusCode) || now.Add(pause).After(until) {
			return resp, nil
		}
		discard(resp)
		req = again
		if err := t.wait(req, now.Add(pause)); err != nil {
			closeBody(req)
			return nil, err
		}
	}
}

// keepQuiet waits as long as the service asked for, or fails at once if that is longer than the request can wait.
func (t *patient) keepQuiet(req *http.Request, service string, until time.Time) error {
	end := t.quiet.until(service)
	if end.After(until) {
		return fmt.Errorf("%w: %s asked for no requests until %s", errThrottled, service, end.UTC().Format(time.RFC3339))
	}
	return t.wait(req, end)
}

// wait returns at the given time, or when the request's context ends.
func (t *patient) wait(req *http.Request, until time.Time) error {
	pause := until.Sub(t.clock.Now())
	if pause <= 0 {
		return nil
	}
	timer := t.clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-req.Context().Done():
		return req.Context().Err()
	}
}

// refused tells whether the service asks to come back later.
func refused(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	case http.StatusRequestEntityTooLarge:
		return resp.Header.Get("Retry-After") != ""
	}
	return false
}

func mayRepeat(method string, code int) bool {
	return code != http.StatusServiceUnavailable || method == http.MethodGet || method == http.MethodHead
}

// repeat is the request with a fresh body, nil if the body can't be had again.
func repeat(req *http.Request) *http.Request {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again
	}
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	again.Body = body
	return again
}

// retryAfter reads the header: a number of seconds or a date.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, longestQuiet.Seconds()) * float64(time.Second)), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), longestQuiet), true
	}
	return 0, false
}

// jitter lengthens a wait by up to a fifth, so that several clients don't come back at the same moment. It never shortens:
// too early is what the service asked us not to be.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Float64()*0.2*float64(d)) //nolint:gosec // nothing depends on this being unpredictable
}

// discard reads the rest of an answer, so that its connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody))
	_ = resp.Body.Close()
}

// quietTimes remembers until when each service asked to be left alone.
type quietTimes struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	ends  map[string]time.Time
}

func newQuietTimes(c clock.PassiveClock) *quietTimes {
	return &quietTimes{clock: c, ends: map[string]time.Time{}}
}

// until is when the service may be called; the zero time if it may be now.
func (q *quietTimes) until(service string) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	end, ok := q.ends[service]
	if ok && !end.After(q.clock.Now()) {
		delete(q.ends, service)
		return time.Time{}
	}
	return end
}

// set makes the quiet time of a service longer, never shorter.
func (q *quietTimes) set(service string, end time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if end.After(q.ends[service]) {
		q.ends[service] = end
	}
}
