package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

func factsOf(urls map[string]string) openstack.Facts {
	f := openstack.Facts{AuthURL: "https://cloud.example.org:5000/v3", Region: "one", Interface: "public", UserID: "u1"}
	for kind, url := range urls {
		f.Endpoints = append(f.Endpoints, openstack.Endpoint{Type: kind, Region: "one", Interface: "public", URL: url})
	}
	return f
}

func find(t *testing.T, rules []access.Rule, service, method, suffix string) access.Rule {
	t.Helper()
	for _, r := range rules {
		if r.Service == service && r.Method == method && strings.HasSuffix(r.Path, suffix) {
			return r
		}
	}
	require.Failf(t, "no such rule", "%s %s %s in %v", service, method, suffix, access.All(rules))
	return access.Rule{}
}

func TestRulesFollowTheCatalog(t *testing.T) {
	rules := access.Rules(access.Needs{Gnocchi: true}, factsOf(map[string]string{
		"orchestration": "https://heat.example.org:8004/v1/p1", "compute": "https://cloud.example.org/compute/v2.1/", "network": "https://neutron.example.org:9696",
		"metric": "https://cloud.example.org/metric", "image": "https://glance.example.org/v2",
	}))
	assert.Equal(t, "/v1/p1/stacks/*/*", find(t, rules, "orchestration", "PATCH", "/stacks/*/*").Path)
	assert.Equal(t, "/v3/users/u1/application_credentials/*", find(t, rules, "identity", "GET", "/*").Path)
	assert.Equal(t, "/v2.0/**", find(t, rules, "network", "GET", "/**").Path)
	assert.Equal(t, "/v2/images", find(t, rules, "image", "GET", "/images").Path)
	limits := find(t, rules, "compute", "GET", "/limits")
	assert.Equal(t, "/compute/v2.1/limits", limits.Path)
	require.NotNil(t, limits.Twin, "a proxy may take the prefix away")
	assert.Equal(t, "/v2.1/limits", limits.Twin.Path)
	aggregates := find(t, rules, "metric", "POST", "/aggregates")
	assert.Equal(t, "/metric/v1/aggregates", aggregates.Path)
	assert.Equal(t, "/v1/aggregates", aggregates.Twin.Path)
	for _, r := range rules {
		assert.NotEqual(t, "volumev3", r.Service, "no stack has volumes")
		assert.NotEmpty(t, r.Why)
		assert.LessOrEqual(t, len(r.Path), 225, "Keystone's limit")
	}
}

func TestRulesOfHeatsOwnRequestsHoldForAllInterfaces(t *testing.T) {
	facts := factsOf(map[string]string{"network": "https://cloud.example.org/network/"})
	facts.Endpoints = append(facts.Endpoints,
		openstack.Endpoint{Type: "network", Region: "one", Interface: "internal", URL: "http://10.0.0.1:9696/"},
		openstack.Endpoint{Type: "network", Region: "two", Interface: "public", URL: "https://elsewhere.example.org/other/"})
	all := access.All(access.Rules(access.Needs{}, facts))
	assert.Contains(t, all, openstack.AccessRule{Service: "network", Method: "GET", Path: "/network/v2.0/**"})
	assert.Contains(t, all, openstack.AccessRule{Service: "network", Method: "GET", Path: "/v2.0/**"})
	assert.NotContains(t, fmt.Sprint(all), "other", "another region is none of ours")
}

func TestEachNeedHasItsRules(t *testing.T) {
	facts := factsOf(map[string]string{
		"compute": "http://n/v2.1", "metric": "http://g", "metric-storage": "http://a", "volumev3": "http://c/v3/p1", "load-balancer": "http://o",
	})
	plain := len(access.Rules(access.Needs{}, facts))
	for _, needs := range []access.Needs{{Shutdown: true}, {Gnocchi: true}, {Aetos: true}, {Volumes: true}, {LoadBalancers: true}} {
		assert.Greater(t, len(access.Rules(needs, facts)), plain, "%+v", needs)
	}
}

// Catalogs call Cinder volumev3, block-storage, or both.
func TestCinderByEachOfItsNames(t *testing.T) {
	for _, types := range [][]string{{"volumev3"}, {"block-storage"}, {"volumev3", "block-storage"}} {
		urls := map[string]string{}
		for _, kind := range types {
			urls[kind] = "http://c/volume/v3/p1"
		}
		rules := access.Rules(access.Needs{Volumes: true}, factsOf(urls))
		for _, kind := range types {
			rule := find(t, rules, kind, "POST", "/attachments")
			assert.Equal(t, "/volume/v3/p1/attachments", rule.Path)
			assert.Equal(t, &openstack.AccessRule{Service: kind, Method: "POST", Path: "/v3/p1/attachments"}, rule.Twin)
		}
		missing, _, _ := access.Compare(rules, access.All(rules))
		assert.Empty(t, missing)
	}
}

func TestAllows(t *testing.T) {
	for _, one := range []struct {
		rule, path string
		want       bool
	}{
		{"/v1/p/stacks", "/v1/p/stacks", true},
		{"/v1/p/stacks", "/v1/p/stacks/a", false},
		{"/v1/*/stacks/*/*", "/v1/p/stacks/a/b", true},
		{"/v1/*/stacks/*/*", "/v1/p/stacks/a/b/c", false},
		{"/v1/{project}/stacks/**", "/v1/p/stacks/a/b/c", true},
		{"/v2.1/servers/*", "/v2.1/servers/", false},
		{"/v2.1/x", "/v2/1/x", false},
	} {
		rule := openstack.AccessRule{Service: "s", Method: "GET", Path: one.rule}
		assert.Equal(t, one.want, access.Allows(rule, "s", "GET", one.path), "%s and %s", one.rule, one.path)
		assert.False(t, access.Allows(rule, "s", "POST", one.path))
		assert.False(t, access.Allows(rule, "other", "GET", one.path))
	}
}

func TestCompare(t *testing.T) {
	needed := access.Rules(access.Needs{}, factsOf(map[string]string{"orchestration": "http://h/heat/v1/p1"}))
	all := access.All(needed)
	missing, unused, wide := access.Compare(needed, all)
	assert.Empty(t, missing)
	assert.Empty(t, unused)
	assert.Empty(t, wide)

	var bare []openstack.AccessRule // without the twins
	for _, r := range all {
		if !strings.HasPrefix(r.Path, "/heat/") {
			bare = append(bare, r)
		}
	}
	missing, _, _ = access.Compare(needed, bare)
	assert.Empty(t, missing, "one of both is enough")

	missing, unused, wide = access.Compare(needed, []openstack.AccessRule{
		{Service: "orchestration", Method: "GET", Path: "/**"}, {Service: "orchestration", Method: "DELETE", Path: "/v1/p1/stacks/*/*"},
	})
	assert.Len(t, wide, 1)
	assert.Equal(t, "DELETE", unused[0].Method)
	assert.NotEmpty(t, missing)
	for _, m := range missing {
		assert.True(t, m.Method != http.MethodGet || m.Service != "orchestration", "%+v", m)
	}
}

func TestNeedsOf(t *testing.T) {
	minute := time.Minute
	group := &nodegroups.Group{Name: "g", BootVolumeGiB: 20}
	group.Config.Life.GracefulShutdownTime = &minute
	group.Config.Load.Metrics = []string{"cpu", "prometheus:up"}
	assert.Equal(t, access.Needs{Shutdown: true, Gnocchi: true, Volumes: true}, access.NeedsOf([]*nodegroups.Group{group}, "gnocchi", false))
	assert.Equal(t, access.Needs{Shutdown: true, Aetos: true, Volumes: true}, access.NeedsOf([]*nodegroups.Group{group}, "prometheus", true))
	assert.Equal(t, access.Needs{}, access.NeedsOf(nil, "gnocchi", true))

	assert.Equal(t, access.Needs{}, access.NeedsOfTemplate(map[string]any{"resources": "OS::Nova::Server"}, nil))
	assert.True(t, access.NeedsOfTemplate(nil, map[string]string{"node.yaml": "type: OS::Cinder::Volume"}).Volumes)
	assert.True(t, access.NeedsOfTemplate(map[string]any{"a": []any{"OS::Octavia::PoolMember"}}, nil).LoadBalancers)
}

func TestTheShippedTemplateNeedsNoVolumes(t *testing.T) {
	text, err := os.ReadFile("../../deploy/heat/nodegroup.yaml")
	require.NoError(t, err)
	assert.False(t, access.NeedsOfTemplate(map[string]any{"parameters": map[string]any{"boot_volume_size": 0}}, map[string]string{"x": string(text)}).Volumes,
		"its boot volume is asked for by a parameter")
}

// made makes a credential on a simulated cloud.
func made(t *testing.T) (*access.Credential, *openstack.Session) {
	t.Helper()
	sim := simulator.New(simulator.Options{})
	require.NoError(t, sim.Start("127.0.0.1:0"))
	t.Cleanup(sim.Close)
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(file, []byte(sim.CloudsYAML("demo", "demo")), 0o600))
	t.Setenv("OS_CLIENT_CONFIG_FILE", file)
	session, err := openstack.NewSession(t.Context(), openstack.Options{Cloud: "simulator"})
	require.NoError(t, err)
	c, err := access.Create(t.Context(), session, access.Wish{Name: "one", Expires: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	return c, session
}

func TestTheSecretShowsNowhere(t *testing.T) {
	c, _ := made(t)
	document, err := c.CloudsYAML()
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(document), "application_credential_secret: ")
	require.True(t, ok)
	secret := strings.Fields(rest)[0]
	require.Len(t, secret, 32)
	assert.Contains(t, string(c.CloudConf()), secret)
	object, err := json.Marshal(c)
	require.NoError(t, err)
	for _, shown := range []string{c.String(), fmt.Sprintf("%v %+v %#v %s %x", c, c, c, c, c), string(object)} {
		assert.NotContains(t, shown, secret)
	}
	assert.Contains(t, c.String(), "one")
}

func TestCreateRefuses(t *testing.T) {
	_, session := made(t)
	_, err := access.Create(t.Context(), session, access.Wish{Name: "one"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "choose another --name")
	_, err = access.Create(t.Context(), session, access.Wish{Name: "two", Roles: []string{"admin"}})
	require.Error(t, err)
	assert.Contains(t, err.Error(), `does not have the role "admin"`)
	_, err = access.LeastRole([]string{"creator"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "--role")
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, access.CheckFile(path, false))
	require.NoError(t, access.WriteFile(path, []byte("a")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	require.ErrorContains(t, access.CheckFile(path, false), "--overwrite")
	require.NoError(t, access.CheckFile(path, true))
	require.ErrorContains(t, access.CheckFile(filepath.Join(path, "none", "x"), false), "not a directory")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing is left over")
}

func TestTheSecretKeepsItsOtherKeys(t *testing.T) {
	c, _ := made(t)
	client := fake.NewClientset(&v1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "old"}, Data: map[string][]byte{"ca.crt": []byte("x")}})
	require.NoError(t, access.WriteSecret(t.Context(), client, "n", "old", c))
	require.NoError(t, access.WriteSecret(t.Context(), client, "n", "new", c))
	for _, name := range []string{"old", "new"} {
		got, err := client.CoreV1().Secrets("n").Get(context.Background(), name, metav1.GetOptions{})
		require.NoError(t, err)
		assert.True(t, bytes.Contains(got.Data[access.CloudConfKey], []byte(c.ID)))
		if name == "old" {
			assert.Equal(t, "x", string(got.Data["ca.crt"]))
		}
	}
}
