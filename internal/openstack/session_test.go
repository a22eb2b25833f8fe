package openstack

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// get asks Heat for a path and returns the error.
func get(ctx context.Context, s *Session, path string) error {
	client, err := s.Orchestration(ctx)
	if err != nil {
		return err
	}
	var body any
	_, err = client.Get(ctx, client.ServiceURL(path), &body, nil)
	return err
}

func TestSessionKnowsProjectAndRegionAndCountsCalls(t *testing.T) {
	c, seen := plainCloud(t), &calls{}
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password), Observer: seen})
	require.NoError(t, err)
	assert.Equal(t, "project-1", s.ProjectID())
	assert.Equal(t, "RegionOne", s.Region(), "the catalog's only region")
	require.NoError(t, get(t.Context(), s, "stacks"))
	assert.Equal(t, []call{{"keystone", "POST", 201}, {"heat", "GET", 200}}, seen.take())
}

func TestInterfaceChoosesTheEndpoint(t *testing.T) {
	c := plainCloud(t)
	for setting, want := range map[string]string{"": "/heat/public/", "os-endpoint-type=internal": "/heat/internal/", "os-endpoint-type=internalURL": "/heat/internal/"} {
		s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, setting)})
		require.NoError(t, err)
		client, err := s.Orchestration(t.Context())
		require.NoError(t, err)
		assert.Equal(t, c.URL+want+"v1/project-1/", client.Endpoint)
	}
}

func TestMissingServiceNamesRegionAndInterface(t *testing.T) {
	c := plainCloud(t)
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.NoError(t, err)
	_, err = s.Compute(t.Context())
	var login *LoginError
	require.ErrorAs(t, err, &login)
	for _, part := range []string{"compute", "nova", "public", "RegionOne"} {
		assert.Contains(t, err.Error(), part)
	}
}

func TestRegionMustBeInTheCatalogAndGivenIfThereAreSeveral(t *testing.T) {
	c := plainCloud(t)
	c.set(func(c *cloud) { c.regions = []string{"north", "south"} })
	_, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.ErrorContains(t, err, "north, south")
	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "region=east")})
	require.ErrorContains(t, err, `region "east" is not in the catalog`)
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "region=south")})
	require.NoError(t, err)
	assert.Equal(t, "south", s.Region())
}

func TestApplicationCredentialWinsOverPasswordAndAsksForNoScope(t *testing.T) {
	c := plainCloud(t)
	conf := c.conf(t, "a-password-that-is-not-used", "application-credential-id=abc", "application-credential-secret="+c.secret)
	_, err := NewSession(t.Context(), Options{CloudConfig: conf})
	require.NoError(t, err)
	require.Len(t, c.bodies, 1)
	assert.JSONEq(t, `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"abc","secret":"`+c.secret+`"}}}}`, c.bodies[0])
}

func TestExpiredTokenIsRenewedOnceForAllCallers(t *testing.T) {
	c := plainCloud(t)
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.NoError(t, err)
	c.expire()

	var wg sync.WaitGroup
	var failed atomic.Int32
	for range 8 {
		wg.Go(func() {
			if get(t.Context(), s, "stacks") != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	assert.Zero(t, failed.Load())
	assert.Equal(t, 2, c.loginCount(), "the first login and one renewal")
}

func TestCredentialsRevokedWhileRunning(t *testing.T) {
	tests := map[string]struct {
		keystone http.HandlerFunc
		check    func(error) bool
	}{
		"password changed":     {func(w http.ResponseWriter, _ *http.Request) { answer(w, 401, `{}`) }, IsUnauthorized},
		"credential deleted":   {func(w http.ResponseWriter, _ *http.Request) { answer(w, 404, `{}`) }, IsUnauthorized},
		"keystone unavailable": {func(w http.ResponseWriter, _ *http.Request) { answer(w, 503, `{}`) }, IsUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := plainCloud(t)
			s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
			require.NoError(t, err)
			c.expire()
			c.set(func(c *cloud) { c.keystone = test.keystone })
			err = get(t.Context(), s, "stacks/gone")
			require.Error(t, err)
			assert.True(t, test.check(err), "%v", err)
			assert.False(t, IsNotFound(err), "a login that fails must not look like a stack that is gone")

			c.set(func(c *cloud) { c.keystone = nil })
			require.NoError(t, get(t.Context(), s, "stacks"), "it recovers without a restart")
		})
	}
}

func TestSignInErrorsSayWhoWhereAndWhatToDo(t *testing.T) {
	c := plainCloud(t)
	tests := map[string]struct {
		conf  string
		parts []string
	}{
		"wrong password": {c.conf(t, "wrong-pa55word"), []string{`user "demo"`, c.URL, "requires authentication", "check user, password"}},
		"deleted application credential": {
			c.conf(t, "", "application-credential-id=deleted", "application-credential-secret=x"),
			[]string{`application credential "deleted"`, "Could not find Application Credential", "expired or been deleted"},
		},
		"no keystone there": {
			file(t, t.TempDir()+"/cloud.conf", "[Global]\nauth-url="+c.URL+"/elsewhere\nusername=demo\npassword=x\nuser-domain-id=default\ntenant-id=1"),
			[]string{"/elsewhere", "no identity API version 3"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := NewSession(t.Context(), Options{CloudConfig: test.conf})
			for _, part := range append(test.parts, test.conf) {
				assert.ErrorContains(t, err, part)
			}
			assert.True(t, IsUnauthorized(err))
			assert.False(t, IsUnavailable(err))
		})
	}
}

func TestKeystoneThatIsDownIsUnavailable(t *testing.T) {
	c := plainCloud(t)
	conf := c.conf(t, c.password)
	c.Close()
	_, err := NewSession(t.Context(), Options{CloudConfig: conf})
	require.Error(t, err)
	assert.True(t, IsUnavailable(err), "%v", err)
	assert.ErrorContains(t, err, "can be reached")
}

func TestEndedContextIsSeenBeforeAnyRequest(t *testing.T) {
	c := plainCloud(t)
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Orchestration(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, IsUnavailable(err))
}

func TestSessionFromEndpoints(t *testing.T) {
	c, seen := plainCloud(t), &calls{}
	c.set(func(c *cloud) { c.token = "fixed" })
	s := NewSessionFromEndpoints("fixed", "p", "r", map[string]string{"orchestration": c.URL + "/heat/v1/p"}, Options{Observer: seen})
	require.NoError(t, get(t.Context(), s, "stacks"))
	assert.Equal(t, []call{{"heat", "GET", 200}}, seen.take())
	changed, err := s.Reload(t.Context())
	assert.False(t, changed)
	require.NoError(t, err)
	_, err = s.Image(t.Context())
	require.ErrorContains(t, err, "glance")
	assert.Equal(t, "p r", s.ProjectID()+" "+s.Region())
}

func TestImageEndpointWithAndWithoutVersion(t *testing.T) {
	for endpoint, want := range map[string]string{"http://h/image": "http://h/image/v2/images", "http://h/image/v2": "http://h/image/v2/images"} {
		s := NewSessionFromEndpoints("t", "p", "r", map[string]string{"image": endpoint}, Options{})
		client, err := s.Image(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, client.ServiceURL("images"))
	}
}

func TestUserAgent(t *testing.T) {
	c := plainCloud(t)
	var agent string
	c.heat = func(w http.ResponseWriter, r *http.Request) { agent = r.UserAgent(); _, _ = io.WriteString(w, "{}") }
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password), UserAgent: "ours/1.2"})
	require.NoError(t, err)
	require.NoError(t, get(t.Context(), s, "x"))
	assert.Contains(t, agent, "ours/1.2")
}
