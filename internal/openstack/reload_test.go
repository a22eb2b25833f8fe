package openstack

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"
)

func TestReloadDoesNothingWhileFilesAreTheSame(t *testing.T) {
	c := plainCloud(t)
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.NoError(t, err)
	changed, err := s.Reload(t.Context())
	require.NoError(t, err)
	assert.False(t, changed)
	assert.Equal(t, 1, c.loginCount())
}

func TestReloadTakesANewPassword(t *testing.T) {
	c := plainCloud(t)
	conf := c.conf(t, c.password)
	s, err := NewSession(t.Context(), Options{CloudConfig: conf})
	require.NoError(t, err)
	before, err := s.Orchestration(t.Context())
	require.NoError(t, err)

	c.set(func(c *cloud) { c.password = "the-next-one"; c.token = "" })
	require.NoError(t, os.Rename(c.conf(t, "the-next-one"), conf))
	changed, err := s.Reload(t.Context())
	require.NoError(t, err)
	assert.True(t, changed)
	require.NoError(t, get(t.Context(), s, "stacks"))
	after, err := s.Orchestration(t.Context())
	require.NoError(t, err)
	assert.NotSame(t, before.ProviderClient, after.ProviderClient)
}

// TestBadNewFileKeepsTheOldSession also checks that Keystone is not asked again and again about a password it refused.
func TestBadNewFileKeepsTheOldSession(t *testing.T) {
	tests := map[string]struct {
		spoil  func(t *testing.T, c *cloud, conf string)
		says   string
		logins int // tried by three reloads
	}{
		"gone":       {func(t *testing.T, _ *cloud, conf string) { require.NoError(t, os.Remove(conf)) }, "create or mount it", 0},
		"empty":      {func(t *testing.T, _ *cloud, conf string) { file(t, conf, "") }, "empty", 0},
		"no INI":     {func(t *testing.T, _ *cloud, conf string) { file(t, conf, "clouds:\n  a: b\n") }, "line 1", 0},
		"incomplete": {func(t *testing.T, _ *cloud, conf string) { file(t, conf, "[Global]\nusername=demo\n") }, "auth-url", 0},
		"wrong password": {func(t *testing.T, c *cloud, conf string) {
			require.NoError(t, os.Rename(c.conf(t, "not-the-pa55word"), conf))
		}, "check user, password", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, clock := plainCloud(t), testingclock.NewFakeClock(time.Now())
			conf := c.conf(t, c.password)
			s, err := NewSession(t.Context(), Options{CloudConfig: conf, Clock: clock})
			require.NoError(t, err)
			test.spoil(t, c, conf)
			for range 3 {
				changed, err := s.Reload(t.Context())
				assert.False(t, changed)
				require.ErrorContains(t, err, test.says)
				require.ErrorContains(t, err, conf)
				require.NoError(t, get(t.Context(), s, "stacks"), "the old session goes on")
			}
			assert.Equal(t, 1+test.logins, c.loginCount())

			clock.Step(retryRejected)
			_, err = s.Reload(t.Context())
			require.Error(t, err)
			assert.Equal(t, 1+2*test.logins, c.loginCount(), "tried again after a minute")

			require.NoError(t, os.Rename(c.conf(t, c.password), conf))
			_, err = s.Reload(t.Context())
			require.NoError(t, err, "mended, the error is gone")
		})
	}
}

func TestReloadWatchesEveryFileOfCloudsYAML(t *testing.T) {
	clean(t)
	c := plainCloud(t)
	dir := t.TempDir()
	clouds := filepath.Join(dir, "clouds.yaml")
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	entry := "clouds:\n  a:\n    region_name: RegionOne\n    cacert: " + dir + "/ca.pem\n    auth: {auth_url: '" + c.URL + "', username: demo, user_domain_name: Default, project_name: demo, project_domain_name: Default}\n"
	file(t, clouds, entry)
	file(t, filepath.Join(dir, "secure.yaml"), "clouds: {a: {auth: {password: "+c.password+"}}}")
	authority, _ := certificate(t, "127.0.0.1")
	file(t, filepath.Join(dir, "ca.pem"), authority)
	s, err := NewSession(t.Context(), Options{Cloud: "a"})
	require.NoError(t, err)

	other, _ := certificate(t, "127.0.0.1")
	changes := map[string]string{
		"clouds.yaml": entry + "\n# changed\n",
		"secure.yaml": "clouds: {a: {auth: {password: " + c.password + "}}}\n",
		"ca.pem":      other,
	}
	for name, content := range changes {
		file(t, filepath.Join(dir, name), content)
		changed, err := s.Reload(t.Context())
		require.NoError(t, err, name)
		assert.True(t, changed, name)
		changed, err = s.Reload(t.Context())
		require.NoError(t, err, name)
		assert.False(t, changed, name)
	}
}
