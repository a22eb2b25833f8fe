package conformance

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Params are stack parameters.
type Params map[string]any

// Case is what a case's function works with. Everything that goes wrong in its methods fails the case at once.
type Case struct {
	// Name is the case's name.
	Name string
	// Cloud is the target, Client the plain user signed in to the project in which the case's stacks are made.
	Cloud  Target
	Client *api.Client

	t       *testing.T
	ctx     context.Context
	project string // made for this case, empty if it uses the shared one
}

//go:embed templates
var templates embed.FS

func template(t *testing.T, name string) string {
	t.Helper()
	text, err := templates.ReadFile("templates/" + name)
	require.NoError(t, err)
	return string(text)
}

// OwnProject gives the case a project of its own with a limit of servers.
func (c *Case) OwnProject(instances int) {
	c.t.Helper()
	c.project = "conf-" + strings.ToLower(rand.Text()[:8])
	who, err := c.Cloud.NewProject(c.ctx, c.project)
	require.NoError(c.t, err)
	project := c.project
	c.cleanup(func(ctx context.Context) error { return c.Cloud.RemoveProject(ctx, project) })
	c.Quota(instances)
	c.Client, err = api.Login(c.ctx, c.Cloud.AuthURL(), who)
	require.NoError(c.t, err)
}

// Quota changes the limit of servers of the case's own project.
func (c *Case) Quota(instances int) {
	c.t.Helper()
	require.NoError(c.t, c.Cloud.SetInstanceQuota(c.ctx, c.project, instances))
}

// Paused runs work while Nova's compute host stands still.
func (c *Case) Paused(work func()) {
	c.t.Helper()
	require.NoError(c.t, c.Cloud.PauseCompute(c.ctx))
	defer func() {
		// Also when the case fails in between, and even if its time is over.
		require.NoError(c.t, c.Cloud.ResumeCompute(context.WithoutCancel(c.ctx)))
	}()
	work()
}

// cleanup runs work when the case is over, with a time of its own.
func (c *Case) cleanup(work func(context.Context) error) {
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), c.Cloud.Patience())
		defer cancel()
		if err := work(ctx); err != nil {
			c.t.Errorf("cleaning up: %v", err)
		}
	})
}

// Do sends a request as the case's user and returns the answer, whatever it is.
func (c *Case) Do(method, service, path string, body any) *api.Response {
	c.t.Helper()
	answer, err := c.Client.Do(c.ctx, method, service, path, body)
	require.NoError(c.t, err)
	return answer
}

// Get reads something that must be there.
func (c *Case) Get(service, path string, into any) {
	c.t.Helper()
	answer := c.Do(http.MethodGet, service, path, nil)
	require.Equal(c.t, http.StatusOK, answer.Code, "GET %s: %s", path, answer.Body)
	require.NoError(c.t, answer.JSON(into))
}

// Eventually looks until condition is true, and fails the case if that takes longer than patience.
func (c *Case) Eventually(what string, patience time.Duration, condition func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			require.Failf(c.t, "waited in vain", "%s, for %s", what, patience)
		}
		c.pause()
	}
}

func (c *Case) pause() {
	select {
	case <-time.After(c.Cloud.Pace()):
	case <-c.ctx.Done():
		require.NoError(c.t, c.ctx.Err())
	}
}

// indices lists the members' indices as "0,1,10".
func indices(members map[string]string) string {
	list := make([]string, 0, len(members))
	for index := range members {
		list = append(list, index)
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(fmt.Sprintf("%9s", a), fmt.Sprintf("%9s", b)) })
	return strings.Join(list, ",")
}

// requireKept fails unless the members at these indices are the same servers as before.
func requireKept(t *testing.T, before, after map[string]string, kept ...string) {
	t.Helper()
	for _, index := range kept {
		require.NotEmpty(t, before[index], "index %s was not there before", index)
		require.Equal(t, before[index], after[index], "server of index %s", index)
	}
}
