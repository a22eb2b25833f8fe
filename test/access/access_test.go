package access_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/quota"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// What new members join with, here.
const mintedToken = "abcdef.0123456789abcdef"

type joining struct{}

func (joining) Token(context.Context, string) (string, error) { return mintedToken, nil }
func (joining) APIServer(context.Context) (string, error)     { return "https://10.0.0.10:6443", nil }
func (joining) ClusterCA(context.Context) (string, error)     { return "Y2VydGlmaWNhdGU=", nil }

// scene is a stack of the plain user, and the autoscaler's parts with a least credential.
type scene struct {
	*testing.T
	ctx     context.Context
	target  conformance.Target
	owner   *api.Client
	session *openstack.Session // by password
	least   *openstack.Session // by the credential
	rules   []access.Rule
	cloud   *heatstack.Cloud
	manager *nodegroups.Manager
}

func newScene(t *testing.T, target conformance.Target) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 6*target.Patience())
	t.Cleanup(cancel)
	s := &scene{T: t, ctx: ctx, target: target}
	project := "access-" + strings.ToLower(time.Now().Format("150405"))
	who, err := target.NewProject(ctx, project)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, target.RemoveProject(ctx, project)) })
	s.owner, err = api.Login(ctx, target.AuthURL(), who)
	require.NoError(t, err)
	s.makeStack()
	s.session = s.signIn(`clouds: {openstack: {auth: {auth_url: "` + target.AuthURL() + `", username: "` + who.User + `", password: "` + who.Password +
		`", project_name: "` + who.Project + `", user_domain_name: Default, project_domain_name: Default}}}`)

	made, err := access.Create(ctx, s.session, access.Wish{
		Name: "least-" + project, Expires: time.Now().Add(90 * 24 * time.Hour), Needs: access.Needs{Gnocchi: true, Shutdown: true},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, access.Delete(ctx, s.session, made)) })
	s.rules = made.Rules
	document, err := made.CloudsYAML()
	require.NoError(t, err)
	s.least = s.signIn(string(document))
	s.cloud = heatstack.New(heatstack.NewHeat(s.least), heatstack.NewNova(s.least), heatstack.Options{
		Discovery: []heatstack.Discovery{{Tags: []string{"scaled"}}}, Joining: joining{}, Region: s.least.Region(),
	})
	t.Cleanup(s.cloud.Close)
	s.manager = nodegroups.NewManager(s.cloud, nil, nodegroups.ManagerOptions{})
	return s
}

// makeStack makes the node group as its owner does it: Keystone lets no application credential make the trust that Heat wants.
func (s *scene) makeStack() {
	s.Helper()
	template, err := os.ReadFile("testdata/nodes.yaml")
	require.NoError(s, err)
	answer, err := s.owner.Do(s.ctx, http.MethodPost, api.Orchestration, "/stacks", map[string]any{
		"stack_name": "workers", "template": string(template), "parameters": map[string]any{"node_count": 0},
		"tags": "scaled,node-group-max-size=5,load-metric=cpu,graceful-shutdown-time=1m", "timeout_mins": 10,
	})
	require.NoError(s, err)
	require.Equal(s, http.StatusCreated, answer.Code, "%s", answer.Body)
	var made struct{ Stack struct{ ID string } }
	require.NoError(s, answer.JSON(&made))
	path := "/stacks/workers/" + made.Stack.ID
	s.Cleanup(func() {
		_, err := s.owner.Do(s.ctx, http.MethodDelete, api.Orchestration, path, nil)
		assert.NoError(s, err)
		s.until("the stack is gone", func() bool {
			answer, err := s.owner.Do(s.ctx, http.MethodGet, api.Orchestration, path+"?resolve_outputs=False", nil)
			return err == nil && (answer.Code == http.StatusNotFound || strings.Contains(string(answer.Body), "DELETE_COMPLETE"))
		})
	})
}

func (s *scene) signIn(document string) *openstack.Session {
	s.Helper()
	file := filepath.Join(s.TempDir(), "clouds.yaml")
	require.NoError(s, access.WriteFile(file, []byte(document)))
	info, err := os.Stat(file)
	require.NoError(s, err)
	require.Equal(s, os.FileMode(0o600), info.Mode().Perm())
	s.Setenv("OS_CLIENT_CONFIG_FILE", file)
	session, err := openstack.NewSession(s.ctx, openstack.Options{Cloud: "openstack", Rate: -1})
	require.NoError(s, err)
	return session
}

func (s *scene) until(what string, condition func() bool) {
	s.Helper()
	deadline := time.Now().Add(s.target.Patience())
	for !condition() {
		require.True(s, time.Now().Before(deadline), "waited in vain until %s", what)
		time.Sleep(s.target.Pace())
	}
}

// group refreshes and returns the node group.
func (s *scene) group() *nodegroups.Group {
	s.Helper()
	require.NoError(s, s.manager.Refresh(s.ctx))
	g := s.manager.Snapshot().Group("workers")
	require.NotNil(s, g, "problems: %v", s.manager.Snapshot().Problems())
	require.Nil(s, g.Blocked)
	require.Nil(s, g.GrowthBlocked)
	return g
}

// running waits until the group has that many running members and is at rest.
func (s *scene) running(n int) *nodegroups.Group {
	s.Helper()
	var g *nodegroups.Group
	s.until("the members run", func() bool {
		g = s.group()
		require.NotContains(s, g.Stacks[0].Status, "FAILED", "%s", g.Stacks[0].Reason)
		return g.Count(nodegroups.Running) == n && len(g.Members) == n && strings.HasSuffix(g.Stacks[0].Status, "_COMPLETE")
	})
	return g
}

// cycle does with the least credential all that the autoscaler does.
func cycle(t *testing.T, target conformance.Target) *scene {
	s := newScene(t, target)
	// At rest: Heat may cancel what it does for a stack that is still being made when an update of it comes.
	require.Equal(t, 0, s.running(0).Target)

	// Up, with a minted token.
	require.NoError(t, s.manager.Grow(s.ctx, "workers", 2))
	g := s.running(2)
	heat := heatstack.NewHeat(s.least)
	stack := g.Stacks[0]
	detail, err := heat.GetStack(s.ctx, stack.Name, stack.ID)
	require.NoError(t, err)
	assert.Equal(t, "******", detail.Parameters["bootstrap_token"])
	assert.Equal(t, "https://10.0.0.10:6443", detail.Parameters["api_server"])

	// Exactly the named one goes, after it was shut down.
	machines := heatstack.NewMachines(s.least)
	first, second := g.Members[0], g.Members[1]
	require.NoError(t, machines.Stop(s.ctx, first.ServerID))
	s.until("the machine is off", func() bool {
		server, err := machines.Server(s.ctx, first.ServerID)
		return err == nil && server.Status == nodegroups.ServerShutOff
	})
	by, err := machines.LastStop(s.ctx, first.ServerID)
	require.NoError(t, err)
	assert.Equal(t, s.least.Facts().UserID, by)
	require.NoError(t, s.manager.Remove(s.ctx, "workers", []string{first.ServerID}, false))
	g = s.running(1)
	assert.Equal(t, second.ServerID, g.Members[0].ServerID, "the other one is still there")

	s.repair(heat, g)
	s.look(heat, g)
	s.checked()
	s.refused(g)
	return s
}

// repair has Heat make a member anew, as it is done for one that was lost.
func (s *scene) repair(heat heatstack.Heat, g *nodegroups.Group) {
	s.Helper()
	stack := g.Stacks[0]
	rows, err := heat.ListMembers(s.ctx, stack.Name, stack.ID, "nodes")
	require.NoError(s, err)
	require.Len(s, rows, 1)
	_, err = heat.GetGroup(s.ctx, stack.Name, stack.ID, "nodes")
	require.NoError(s, err)
	require.NoError(s, heat.Check(s.ctx, stack.Name, stack.ID))
	s.until("Heat has checked the stack", func() bool {
		detail, err := heat.GetStack(s.ctx, stack.Name, stack.ID)
		return err == nil && strings.HasPrefix(detail.Status, "CHECK_") && !strings.HasSuffix(detail.Status, "IN_PROGRESS")
	})
	require.NoError(s, heat.MarkUnhealthy(s.ctx, rows[0], "a test"))
}

// look reads what is read now and then.
func (s *scene) look(heat heatstack.Heat, g *nodegroups.Group) {
	s.Helper()
	stack := g.Stacks[0]
	_, err := heat.GetTemplate(s.ctx, stack.Name, stack.ID)
	require.NoError(s, err)
	_, err = heat.GetFiles(s.ctx, stack.Name, stack.ID)
	require.NoError(s, err)
	answer, err := s.least.Orchestration(s.ctx)
	require.NoError(s, err)
	require.NoError(s, get(s.ctx, answer.ServiceURL("stacks", stack.Name, stack.ID, "events")+"?limit=1", s.token(), http.StatusOK))
	load, err := gnocchi.New(s.least).Read(s.ctx, ceilometer.Request{
		Metric: ceilometer.Metric{Name: ceilometer.MetricCPU, Source: ceilometer.SourceGnocchi}, Now: time.Now(),
		Groups: []ceilometer.Subject{{Group: "workers", ServerGroup: "workers", Machines: []ceilometer.Machine{{ServerID: g.Members[0].ServerID, VCPUs: 1}}}},
	})
	if err != nil { // where no Ceilometer has ever run
		require.ErrorContains(s, err, "no resource type instance")
	}
	for _, sample := range load {
		require.Error(s, sample.Err, "telemetry may be asked, and knows nothing yet")
	}
	limits := quota.Read(s.ctx, s.least, false)
	assert.Empty(s, limits.Unknown)
	assert.NotEmpty(s, limits.All)
	expires, ends, err := access.Expiry(s.ctx, s.least)
	require.NoError(s, err)
	assert.True(s, ends)
	assert.InDelta(s, 90*24, time.Until(expires).Hours(), 2)
}

// checked: the command check is content with the credential.
func (s *scene) checked() {
	s.Helper()
	s.group()
	names := []string{"credentials", "endpoints", "access", "quotas", "references"}
	if s.target.Name() == "lab" {
		names = append(names, "clock") // the simulated cloud's time runs faster
	}
	found, err := check.Run(s.ctx, check.World{
		Session: s.least, Snapshot: s.manager.Snapshot(), Heat: heatstack.NewHeat(s.least),
	}, names...)
	require.NoError(s, err)
	for _, f := range found {
		assert.NotEqual(s, check.Fail, f.Status, "%+v", f)
		assert.NotEqual(s, check.Skipped, f.Status, "%+v", f)
		if f.Check == "access" || strings.HasPrefix(f.Thing, "application credential") {
			assert.Equal(s, check.OK, f.Status, "%+v", f)
		}
	}
}

func (s *scene) token() string {
	s.Helper()
	client, err := s.least.Compute(s.ctx)
	require.NoError(s, err)
	return client.TokenID
}

func get(ctx context.Context, url, token string, code int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("X-Auth-Token", token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != code {
		return &wrongCodeError{url, answer.StatusCode}
	}
	return nil
}

type wrongCodeError struct {
	url  string
	code int
}

func (e *wrongCodeError) Error() string { return e.url + ": " + http.StatusText(e.code) }

// refused tries what somebody would do who has got hold of the credential.
func (s *scene) refused(g *nodegroups.Group) {
	s.Helper()
	thief := s.owner.WithToken(s.token())
	stack, server := "/stacks/workers/"+g.Stacks[0].ID, "/servers/"+g.Members[0].ServerID
	me := "/users/" + s.least.Facts().UserID
	for _, one := range []struct {
		method, service, path string
		body                  any
	}{
		{http.MethodDelete, api.Orchestration, stack, nil},
		{http.MethodPut, api.Orchestration, stack, map[string]any{"template": map[string]any{}}},
		{http.MethodPost, api.Orchestration, "/stacks", map[string]any{"stack_name": "mine", "template": "heat_template_version: 2018-08-31"}},
		{http.MethodGet, api.Orchestration, stack + "/outputs", nil},
		{http.MethodPost, api.Compute, server + "/metadata", map[string]any{"metadata": map[string]any{"a": "b"}}},
		{http.MethodPost, api.Compute, server + "/os-volume_attachments", map[string]any{"volumeAttachment": map[string]any{"volumeId": "x"}}},
		{http.MethodPost, api.Compute, server + "/remote-consoles", map[string]any{"remote_console": map[string]any{"protocol": "vnc", "type": "novnc"}}},
		{http.MethodPut, api.Compute, server, map[string]any{"server": map[string]any{"name": "mine"}}},
		{http.MethodGet, api.Compute, server + "/os-server-password", nil},
		{http.MethodPost, api.Compute, "/os-keypairs", map[string]any{"keypair": map[string]any{"name": "mine"}}},
		{http.MethodPost, api.Identity, me + "/application_credentials", map[string]any{"application_credential": map[string]any{"name": "mine"}}},
		{http.MethodPost, api.Identity, me + "/password", map[string]any{"user": map[string]any{"password": "a", "original_password": "b"}}},
		{http.MethodGet, api.Identity, "/projects", nil},
		{http.MethodGet, api.Metric, "/v1/resource/instance", nil},
	} {
		answer, err := thief.Do(s.ctx, one.method, one.service, one.path, one.body)
		require.NoError(s, err)
		assert.Contains(s, []int{http.StatusUnauthorized, http.StatusForbidden}, answer.Code, "%s %s: %.200s", one.method, one.path, answer.Body)
	}
	_, err := access.Create(s.ctx, s.least, access.Wish{Name: "mine", Roles: []string{"member"}})
	require.Error(s, err)
	assert.Contains(s, err.Error(), "sign in with a user's name and password")
	// It is all there still.
	assert.Equal(s, g.Members[0].ServerID, s.running(1).Members[0].ServerID)
}

func TestTheLeastCredentialOnTheSimulatedCloud(t *testing.T) {
	target := conformance.OpenSimulated(t)
	s := cycle(t, target)
	used := target.RulesUsed("least-")
	for _, r := range s.rules {
		if r.Service == "identity" || r.ByOthers && !strings.HasSuffix(r.Path, "/servers") && !strings.HasSuffix(r.Path, "/servers/*") {
			continue // the simulated Heat and Nova do so without a request, and Keystone does not ask for rules
		}
		one := [3]string{r.Service, r.Method, r.Path}
		assert.Positive(t, used[one], "no request needed the rule %v, for: %s", one, r.Why)
	}
}
