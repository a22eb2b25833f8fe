package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// rule is an access rule; its path follows that of the service's endpoint.
type rule struct{ service, method, path string }

// limited signs in with an application credential of the case's user that has these access rules.
func (c *Case) limited(rules ...rule) *api.Client {
	c.t.Helper()
	list := []map[string]string{}
	for _, r := range rules {
		u, err := url.Parse(c.Client.Endpoint(r.service))
		require.NoError(c.t, err)
		list = append(list, map[string]string{"service": r.service, "method": r.method, "path": u.Path + r.path})
	}
	path := "/users/" + c.Client.UserID + "/application_credentials"
	answer := c.Do(http.MethodPost, api.Identity, path, map[string]any{
		"application_credential": map[string]any{"name": c.Name, "access_rules": list, "roles": []map[string]string{{"name": "member"}}},
	})
	require.Equal(c.t, http.StatusCreated, answer.Code, "%s", answer.Body)
	var made struct {
		Credential struct{ ID, Secret string } `json:"application_credential"`
	}
	require.NoError(c.t, answer.JSON(&made))
	owner := c.Client
	c.cleanup(func(ctx context.Context) error {
		answer, err := owner.Do(ctx, http.MethodDelete, api.Identity, path+"/"+made.Credential.ID, nil)
		if err == nil && answer.Code != http.StatusNoContent {
			err = fmt.Errorf("deleting the application credential: %d", answer.Code)
		}
		return err
	})
	client, err := api.Login(c.ctx, c.Cloud.AuthURL(), api.Credentials{
		ApplicationCredentialID: made.Credential.ID, ApplicationCredentialSecret: made.Credential.Secret,
	})
	require.NoError(c.t, err)
	return client
}

// What no access rule allows is 401, whether or not there is such a thing. A star is one part of a path, two are any number.
func accessRulesAllowWhatTheySay(t *testing.T, c *Case) {
	nothing := "/stacks/none/00000000-0000-4000-8000-000000000000"
	some := c.limited(
		rule{api.Orchestration, http.MethodGet, "/stacks"},
		rule{api.Orchestration, http.MethodGet, "/stacks/*/*"},
		rule{api.Orchestration, http.MethodPatch, "/stacks/*/*"},
		rule{api.Compute, http.MethodGet, "/flavors/**"},
	)
	for _, one := range []struct {
		method, service, path string
		code                  int
	}{
		{http.MethodGet, api.Orchestration, "/stacks", http.StatusOK},
		{http.MethodGet, api.Orchestration, "/stacks?tags=x", http.StatusOK},
		{http.MethodGet, api.Orchestration, nothing, http.StatusNotFound},
		{http.MethodPatch, api.Orchestration, nothing, http.StatusNotFound},
		{http.MethodGet, api.Orchestration, nothing + "/resources", http.StatusUnauthorized},
		{http.MethodPut, api.Orchestration, nothing, http.StatusUnauthorized},
		{http.MethodDelete, api.Orchestration, nothing, http.StatusUnauthorized},
		{http.MethodGet, api.Compute, "/flavors/detail", http.StatusOK},
		{http.MethodGet, api.Compute, "/flavors", http.StatusUnauthorized},
		{http.MethodGet, api.Compute, "/servers/detail", http.StatusUnauthorized},
		{http.MethodGet, api.Identity, "/users/" + c.Client.UserID + "/application_credentials", http.StatusOK}, // Keystone does not hold itself to them
	} {
		var body any
		if one.method == http.MethodPatch {
			body = map[string]any{"parameters": map[string]any{}}
		}
		answer, err := some.Do(c.ctx, one.method, one.service, one.path, body)
		require.NoError(t, err)
		require.Equal(t, one.code, answer.Code, "%s %s: %s", one.method, one.path, answer.Body)
	}
}

// Heat works with the token of whoever updates a stack: what its access rules don't allow fails in the middle of the update.
func accessRulesHoldForWhatHeatDoes(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	rules := []rule{
		{api.Orchestration, http.MethodPatch, "/stacks/*/*"}, {api.Compute, http.MethodGet, "/**"}, {"network", http.MethodGet, "/v2.0/**"},
		{"image", http.MethodGet, "/v2/**"},
	}
	owner := c.Client
	reader := c.limited(rules...)
	answer, err := reader.Do(c.ctx, http.MethodPatch, api.Orchestration, s.path(""), map[string]any{"parameters": map[string]any{"node_count": 1}})
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, answer.Code, "%s", answer.Body)
	view := s.Settle("UPDATE_FAILED")
	require.Contains(t, view.Reason, "Unauthorized")
	require.Contains(t, view.Reason, "(HTTP 401)")
	// Its owner may.
	c.Client = owner
	s.Update(Params{"node_count": 0})
}
