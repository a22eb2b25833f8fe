//go:build lab

package ceilometer_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
)

// metric is Gnocchi's type in Keystone's catalog.
const metric = "metric"

// patience is how long a single wait may take; half a minute on an idle machine.
const patience = 4 * time.Minute

// cloud is a project of its own in the lab.
type cloud struct {
	t   *testing.T
	ctx context.Context
	*api.Client
	// session is the same user as the autoscaler signs in.
	session *openstack.Session
}

// open makes a project; at the end of the test it is removed.
func open(t *testing.T, folder string) *cloud {
	t.Helper()
	// What is cleaned up at the end of a test must not be cut short by the end of its context. Every wait has its own limit.
	ctx := context.WithoutCancel(t.Context())
	target, err := lab.Open(folder)
	require.NoError(t, err)
	project := strings.ToLower(t.Name())
	who, err := target.NewProject(ctx, project)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, target.RemoveProject(ctx, project)) })
	client, err := api.Login(ctx, target.AuthURL(), who)
	require.NoError(t, err)

	conf := filepath.Join(t.TempDir(), "cloud.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil,
		"[Global]\nauth-url = %s\nusername = %s\npassword = %s\ntenant-name = %s\nuser-domain-name = Default\ntenant-domain-name = Default\n",
		target.AuthURL(), who.User, who.Password, who.Project), 0o600))
	session, err := openstack.NewSession(ctx, openstack.Options{CloudConfig: conf})
	require.NoError(t, err)
	return &cloud{t: t, ctx: ctx, Client: client, session: session}
}

// ask sends a request and requires the code.
func (c *cloud) ask(method, service, path string, body, into any, code int) {
	c.t.Helper()
	answer, err := c.Do(c.ctx, method, service, path, body)
	require.NoError(c.t, err)
	require.Equalf(c.t, code, answer.Code, "%s %s: %.500s", method, path, answer.Body)
	if into != nil {
		require.NoError(c.t, answer.JSON(into))
	}
}

// wait waits until done says so. What is waited for may change meanwhile.
func (c *cloud) wait(what func() string, done func() bool) {
	c.t.Helper()
	if !lab.Until(c.ctx, patience, done) {
		require.FailNow(c.t, "waited in vain for "+what())
	}
}

// pause waits so long.
func (c *cloud) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// resource is a server as Gnocchi knows it.
type resource struct {
	ID          string `json:"id"`
	ServerGroup string `json:"server_group"`
	ProjectID   string `json:"project_id"`
	EndedAt     string `json:"ended_at"`
}

// resource asks Gnocchi for a server; the answer is empty if there is none.
func (c *cloud) resource(server string) (r resource) {
	c.t.Helper()
	answer, err := c.Do(c.ctx, http.MethodGet, metric, "/v1/resource/instance/"+server, nil)
	require.NoError(c.t, err)
	if answer.Code == http.StatusNotFound {
		return r
	}
	require.Equalf(c.t, http.StatusOK, answer.Code, "%.500s", answer.Body)
	require.NoError(c.t, answer.JSON(&r))
	return r
}

// recorded waits until Gnocchi knows to which group a server belongs, and so which metering.server_group Ceilometer has told it.
func (g *group) recorded(server string) {
	g.t.Helper()
	var known resource
	g.wait(func() string { return fmt.Sprintf("server %s of %s in Gnocchi: %+v", server, g.name, known) }, func() bool {
		known = g.resource(server)
		return known.ServerGroup != ""
	})
	require.Equal(g.t, resource{ID: server, ServerGroup: g.name, ProjectID: g.ProjectID}, known)
}

// rates are what Gnocchi has of a server's rate:mean of cpu.
func (c *cloud) rates(server string) (rates []float64) {
	c.t.Helper()
	var points [][]any
	c.ask(http.MethodGet, metric, "/v1/resource/instance/"+server+"/metric/cpu/measures?aggregation=rate:mean&granularity=60", nil, &points, http.StatusOK)
	for _, p := range points {
		require.Len(c.t, p, 3)
		rates = append(rates, p[2].(float64))
	}
	return rates
}
