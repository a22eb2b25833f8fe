package openstack

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
)

// script is a service that gives one answer after the other; the last one stays.
type script struct {
	answers []scripted
	sent    []time.Time
	bodies  []string
}

type scripted struct {
	code       int
	retryAfter string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		content, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(content)
	}
	next := s.answers[min(len(s.sent), len(s.answers)-1)]
	s.sent, s.bodies = append(s.sent, time.Now()), append(s.bodies, body)
	header := http.Header{}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.code, Header: header, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

func patientOver(s *script) *patient {
	bubble := clock.RealClock{} // the bubble's time, in a synctest bubble
	return &patient{next: s, services: newServices("http://keystone:5000/v3"), quiet: newQuietTimes(bubble), clock: bubble, budget: 30 * time.Second}
}

func send(t *testing.T, transport http.RoundTripper, method string, timeout time.Duration) (int, error) {
	t.Helper()
	ctx := t.Context()
	if timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		ctx = limited
	}
	var body io.Reader
	if method != http.MethodGet {
		body = strings.NewReader("the body")
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://keystone:5000/v3/x", body)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestPatience(t *testing.T) {
	tests := map[string]struct {
		method  string
		answers []scripted
		timeout time.Duration
		code    int
		sent    int
		// waited is the least time all of it takes; a fifth more is allowed.
		waited time.Duration
	}{
		"no refusal":                           {"GET", []scripted{{200, ""}}, 0, 200, 1, 0},
		"429 with seconds":                     {"GET", []scripted{{429, "5"}, {200, ""}}, 0, 200, 2, 5 * time.Second},
		"429 without a time":                   {"GET", []scripted{{429, ""}, {429, ""}, {200, ""}}, 0, 200, 3, 3 * time.Second},
		"429 for ever":                         {"GET", []scripted{{429, "1"}}, 0, 429, maxTries, 3 * time.Second},
		"429 means not done, PATCH goes again": {"PATCH", []scripted{{429, "2"}, {202, ""}}, 0, 202, 2, 2 * time.Second},
		"503 to a GET":                         {"GET", []scripted{{503, "4"}, {200, ""}}, 0, 200, 2, 4 * time.Second},
		"503 to a PATCH is not repeated":       {"PATCH", []scripted{{503, "4"}, {202, ""}}, 0, 503, 1, 0},
		"413 with a time":                      {"POST", []scripted{{413, "3"}, {201, ""}}, 0, 201, 2, 3 * time.Second},
		"413 without is a large request":       {"POST", []scripted{{413, ""}, {201, ""}}, 0, 413, 1, 0},
		"500 is not repeated":                  {"GET", []scripted{{500, "1"}, {200, ""}}, 0, 500, 1, 0},
		"longer than the context":              {"GET", []scripted{{429, "20"}, {200, ""}}, 10 * time.Second, 429, 1, 0},
		"longer than the budget":               {"GET", []scripted{{429, "300"}, {200, ""}}, 0, 429, 1, 0},
		"nonsense as a time":                   {"GET", []scripted{{429, "soon"}, {200, ""}}, 0, 200, 2, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: test.answers}
				started := time.Now()
				code, err := send(t, patientOver(s), test.method, test.timeout)
				require.NoError(t, err)
				assert.Equal(t, test.code, code)
				assert.Len(t, s.sent, test.sent)
				took := time.Since(started)
				assert.GreaterOrEqual(t, took, test.waited)
				assert.LessOrEqual(t, took, test.waited*6/5)
				for _, body := range s.bodies {
					assert.Equal(t, test.method != "GET", body == "the body", "the body is sent again with every try")
				}
			})
		})
	}
}

func TestRetryAfterAsADate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []scripted{{429, time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat)}, {200, ""}}}
		code, err := send(t, patientOver(s), "GET", 0)
		require.NoError(t, err)
		assert.Equal(t, 200, code)
		assert.GreaterOrEqual(t, s.sent[1].Sub(s.sent[0]), 6*time.Second, "dates have whole seconds")
	})
}

// TestQuietTimeHoldsForOtherRequests: a service that asked for five minutes is not called every ten seconds.
func TestQuietTimeHoldsForOtherRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []scripted{{429, "300"}, {200, ""}}}
		p := patientOver(s)
		code, err := send(t, p, "GET", 0)
		require.NoError(t, err)
		assert.Equal(t, 429, code)

		_, err = send(t, p, "GET", 0)
		require.ErrorContains(t, err, "keystone asked for no requests until")
		assert.True(t, IsRateLimited(err))
		assert.False(t, IsUnavailable(err))
		assert.Len(t, s.sent, 1, "nothing was sent")

		time.Sleep(6 * time.Minute)
		code, err = send(t, p, "GET", 0)
		require.NoError(t, err)
		assert.Equal(t, 200, code)
	})
}

func TestShortQuietTimeIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []scripted{{503, "10"}, {202, ""}}}
		p := patientOver(s)
		code, err := send(t, p, "PATCH", 0)
		require.NoError(t, err)
		assert.Equal(t, 503, code)
		code, err = send(t, p, "PATCH", 0)
		require.NoError(t, err)
		assert.Equal(t, 202, code)
		assert.GreaterOrEqual(t, s.sent[1].Sub(s.sent[0]), 10*time.Second)
	})
}

// What a change was made from may have changed while it waited.
func TestWithoutPatienceNothingWaits(t *testing.T) {
	for name, answer := range map[string]scripted{"told": {429, "2"}, "not told": {429, ""}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []scripted{answer, {202, ""}}}
				p := patientOver(s)
				ask := func() (*http.Response, error) {
					ctx, cancel := context.WithTimeout(WithoutPatience(t.Context()), time.Minute)
					defer cancel()
					req, err := http.NewRequestWithContext(ctx, http.MethodPatch, "http://keystone:5000/v3/x", strings.NewReader("x"))
					require.NoError(t, err)
					return p.RoundTrip(req)
				}
				resp, err := ask()
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, 429, resp.StatusCode)
				assert.Len(t, s.sent, 1)
				if answer.retryAfter != "" {
					_, err = ask() //nolint:bodyclose // there is none
					assert.True(t, IsRateLimited(err), "%v", err)
					assert.Len(t, s.sent, 1, "the service has asked for quiet")
					time.Sleep(3 * time.Second)
				}
				resp, err = ask()
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, 202, resp.StatusCode)
			})
		})
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []scripted{{429, "20"}}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://keystone:5000/", nil)
		require.NoError(t, err)
		resp, err := patientOver(s).RoundTrip(req)
		if resp != nil {
			_ = resp.Body.Close()
		}
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestBodyThatCannotBeHadAgainIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []scripted{{429, "1"}, {202, ""}}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://keystone:5000/", io.NopCloser(strings.NewReader("once")))
		require.NoError(t, err)
		resp, err := patientOver(s).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 429, resp.StatusCode)
	})
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		want time.Duration
		told bool
	}{
		"":                              {0, false},
		"0":                             {0, true},
		"2.5":                           {2500 * time.Millisecond, true},
		"-1":                            {0, false},
		"99999999999":                   {longestQuiet, true},
		"Mon, 23 Nov 2026 04:00:30 GMT": {30 * time.Second, true},
		"Mon, 23 Nov 2026 03:00:00 GMT": {0, true},
		"Mon, 23 Nov 2027 03:00:00 GMT": {longestQuiet, true},
	}
	for value, test := range tests {
		got, told := retryAfter(value, now)
		assert.Equal(t, test.want, got, value)
		assert.Equal(t, test.told, told, value)
	}
}
