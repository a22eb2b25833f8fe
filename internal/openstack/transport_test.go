package openstack

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestSilentServiceIsGivenUpAfterTheTimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"half`)
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	seen := &calls{}
	s := NewSessionFromEndpoints("t", "p", "r", map[string]string{"orchestration": server.URL}, Options{RequestTimeout: 50 * time.Millisecond, Observer: seen})
	err := get(t.Context(), s, "stacks")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "within 50ms")
	assert.True(t, IsUnavailable(err))
	assert.Equal(t, []call{{"heat", "GET", 0}}, seen.take(), "half an answer is no answer")
}

func TestHalfAnAnswerIsUnavailable(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"stacks":[`)
	}))
	defer server.Close()
	seen := &calls{}
	s := NewSessionFromEndpoints("t", "p", "r", map[string]string{"orchestration": server.URL}, Options{Observer: seen})
	err := get(t.Context(), s, "stacks")
	require.Error(t, err)
	assert.True(t, IsUnavailable(err), "%v", err)
	assert.Equal(t, []call{{"heat", "GET", 0}}, seen.take())
}

func TestRateIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []scripted{{200, ""}}}
		l := &limited{next: s, limiter: rate.NewLimiter(10, 3)}
		started := time.Now()
		for range 13 {
			_, err := send(t, l, "GET", 0)
			require.NoError(t, err)
		}
		assert.Equal(t, time.Second, time.Since(started), "three at once, ten more at ten a second")

		_, err := send(t, l, "PATCH", 10*time.Millisecond)
		require.Error(t, err, "its turn comes after its deadline")
		assert.True(t, IsRateLimited(err))
		assert.Len(t, s.sent, 13)
	})
}

func TestNegativeRateIsNoLimit(t *testing.T) {
	p := newPace(Options{Rate: -1, Burst: 1, Clock: clock.RealClock{}})
	assert.Equal(t, rate.Inf, p.limiter.Limit())
}

func TestRedirects(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("X-Auth-Token"))
	}))
	defer other.Close()
	other.URL = strings.Replace(other.URL, "127.0.0.1", "localhost", 1)

	c := plainCloud(t)
	var reached []string
	c.heat = func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		switch name {
		case "name":
			w.Header().Set("Location", c.URL+"/heat/public/v1/project-1/stacks/name/id")
			w.WriteHeader(http.StatusFound)
		case "behind-tls":
			// What a service says that does not know how it is reached.
			w.Header().Set("Location", "http://127.0.0.1:1/heat/public/v1/project-1/stacks/name/id")
			w.WriteHeader(http.StatusFound)
		case "abroad":
			w.Header().Set("Location", other.URL+"/")
			w.WriteHeader(http.StatusFound)
		case "loop":
			w.Header().Set("Location", r.URL.Path)
			w.WriteHeader(http.StatusFound)
		case "id":
			reached = append(reached, r.Method)
			_, _ = io.WriteString(w, "{}")
		}
	}
	seen := &calls{}
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password), Observer: seen})
	require.NoError(t, err)
	seen.take()

	require.NoError(t, get(t.Context(), s, "stacks/name"))
	assert.Equal(t, []call{{"heat", "GET", 302}, {"heat", "GET", 200}}, seen.take(), "both requests are counted")
	require.NoError(t, get(t.Context(), s, "stacks/behind-tls"))
	assert.Equal(t, []string{"GET", "GET"}, reached)

	err = get(t.Context(), s, "stacks/abroad")
	code, ok := StatusCode(err)
	assert.True(t, ok)
	assert.Equal(t, 302, code)
	assert.Empty(t, elsewhere, "the token goes to no other host")

	require.ErrorContains(t, get(t.Context(), s, "stacks/loop"), "redirects")

	client, err := s.Orchestration(t.Context())
	require.NoError(t, err)
	_, err = client.Patch(t.Context(), client.ServiceURL("stacks/name"), map[string]string{}, nil, nil) //nolint:bodyclose // closed by gophercloud on failure
	code, _ = StatusCode(err)
	assert.Equal(t, 302, code, "a PATCH must not become a GET that looks like success")
	assert.Len(t, reached, 2)
}

func TestServicesByAddress(t *testing.T) {
	known := newServices("https://cloud.example.org/identity/v3")
	known.learn("https://cloud.example.org/identity/v3", &tokens.ServiceCatalog{Entries: []tokens.CatalogEntry{
		{Type: "orchestration", Endpoints: []tokens.Endpoint{{URL: "https://cloud.example.org/heat-api/v1/p1"}, {URL: "https://[fd00::1]:8004/v1/p1"}}},
		{Type: "compute", Endpoints: []tokens.Endpoint{{URL: "https://cloud.example.org:8774/v2.1"}}},
		{Type: "sharev2", Endpoints: []tokens.Endpoint{{URL: "https://cloud.example.org:8786/v2/p1"}, {URL: "::no address::"}}},
	}})
	tests := map[string]string{
		"https://cloud.example.org/identity/v3/auth/tokens": "keystone",
		"https://cloud.example.org/identity":                "keystone",
		"https://cloud.example.org/identity2/v3":            unknownService,
		"https://elsewhere.example.org/identity/v3":         unknownService,
		"https://cloud.example.org/heat-api/v1/p1/stacks":   "heat",
		"https://cloud.example.org/heat-api/v1/p2/stacks":   "heat",
		"https://[fd00::1]:8004/v1/p1/stacks":               "heat",
		"https://cloud.example.org:8774/v2.1/servers":       "nova",
		"https://cloud.example.org:8774/":                   "nova",
		"https://cloud.example.org:8786/v2/p1/shares":       "sharev2",
	}
	for address, want := range tests {
		u, err := url.Parse(address)
		require.NoError(t, err)
		assert.Equal(t, want, known.of(u), address)
	}
}

// TestNoSecretInErrors lets every service repeat everything it was sent.
func TestNoSecretInErrors(t *testing.T) {
	c := plainCloud(t)
	password := `pa55"word\of<demo`
	quoted := `"pa55\"word\\of<demo"`
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "you sent "+r.Header.Get("X-Auth-Token")+" and "+password+" and "+quoted+strings.Join(c.bodies, " "))
	}
	c.set(func(c *cloud) { c.password = password })
	conf := c.conf(t, quoted)
	c.heat = func(w http.ResponseWriter, r *http.Request) { c.set(func(*cloud) { echo(w, r) }) }
	s, err := NewSession(t.Context(), Options{CloudConfig: conf})
	require.NoError(t, err)
	err = get(t.Context(), s, "stacks")
	require.ErrorContains(t, err, "you sent ****** and ******")
	secrets := []string{password, "pa55", "token-number"}
	for _, secret := range secrets {
		assert.NotContains(t, err.Error(), secret)
		assert.NotContains(t, Message(err), secret)
	}

	c.set(func(c *cloud) { c.keystone = echo })
	_, err = NewSession(t.Context(), Options{CloudConfig: conf})
	require.ErrorContains(t, err, "you sent")
	for _, secret := range secrets {
		assert.NotContains(t, err.Error(), secret)
	}
}

func TestLongErrorPagesAreCut(t *testing.T) {
	c := plainCloud(t)
	c.heat = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	}
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.NoError(t, err)
	err = get(t.Context(), s, "stacks")
	assert.True(t, IsUnavailable(err))
	assert.Less(t, len(err.Error()), maxErrorBody+1000)
	assert.LessOrEqual(t, len(Message(err)), maxMessage)
}

func TestCancelledRequestIsNotUnavailable(t *testing.T) {
	b := &bounded{timeout: time.Hour, next: roundTripper(func(r *http.Request) (*http.Response, error) { return nil, context.Cause(r.Context()) })}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://h/", nil)
	require.NoError(t, err)
	resp, err := b.RoundTrip(req)
	if resp != nil {
		_ = resp.Body.Close()
	}
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, IsUnavailable(err))
}
