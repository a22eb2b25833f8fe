package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// refusal is the body of Heat's errors.
type refusal struct {
	Code  int    `json:"code"`
	Title string `json:"title"`
	Error struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
}

func refused(t *testing.T, answer *api.Response) refusal {
	t.Helper()
	var r refusal
	require.NoError(t, answer.JSON(&r))
	require.Equal(t, answer.Code, r.Code)
	return r
}

func patchAnswerIsJSONOnlyOnDemand(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	client := *c.Client
	c.Client = &client
	for accept, kind := range map[string]string{"": "text/plain", "*/*": "text/html", "text/html": "text/html"} {
		client.Accept = accept
		answer := s.TryPatch(Params{"comment": "other"})
		require.Equal(t, http.StatusAccepted, answer.Code)
		require.Contains(t, answer.Header.Get("Content-Type"), kind, "Accept: %s", accept)
		require.Contains(t, string(answer.Body), "202 Accepted")
		require.False(t, json.Valid(answer.Body), "%s", answer.Body)
		s.Settle("UPDATE_COMPLETE") // else the next one might cancel it, which Heat may call a failure
	}
	client.Accept = "application/json"
	answer := s.TryPatch(Params{"comment": "third"})
	require.Equal(t, http.StatusAccepted, answer.Code)
	require.Contains(t, answer.Header.Get("Content-Type"), "application/json")
	var accepted map[string]string
	require.NoError(t, answer.JSON(&accepted))
	require.Equal(t, "202 Accepted", accepted["code"])
	require.Equal(t, "Accepted", accepted["title"])
	s.Settle("UPDATE_COMPLETE")
}

func patchShowsAtOnce(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	var view View
	// The update does not end before it has been looked at.
	c.Paused(func() {
		s.Patch(Params{"node_count": 2, "nodes_to_remove": []string{"7"}})
		view = s.Get()
	})
	require.Equal(t, updating, view.Status)
	require.Equal(t, "2", view.Parameters["node_count"])
	require.Equal(t, "7", view.Parameters["nodes_to_remove"])
	require.NotNil(t, view.Updated)
	require.True(t, view.DisableRollback)
	s.Settle("UPDATE_COMPLETE")
}

func patchByNameIsRedirected(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	answer := c.Do(http.MethodPatch, api.Orchestration, "/stacks/"+s.Name, map[string]any{"parameters": Params{"node_count": 1}})
	require.Equal(t, http.StatusFound, answer.Code)
	require.True(t, strings.HasSuffix(answer.Header.Get("Location"), s.path("")), answer.Header.Get("Location"))
	view := s.Get()
	require.Equal(t, "0", view.Parameters["node_count"], "nothing has been changed")
	require.Nil(t, view.Updated)
}

func getByNameIsRedirected(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	for _, name := range []string{s.Name, s.ID} {
		answer := c.Do(http.MethodGet, api.Orchestration, "/stacks/"+name, nil)
		require.Equal(t, http.StatusFound, answer.Code)
		require.True(t, strings.HasSuffix(answer.Header.Get("Location"), s.path("")), answer.Header.Get("Location"))
	}
}

func badNumberIsRefused(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	answer := s.TryPatch(Params{"node_count": "abc"})
	require.Equal(t, http.StatusBadRequest, answer.Code)
	r := refused(t, answer)
	require.Equal(t, "Bad Request", r.Title)
	require.Equal(t, "StackValidationFailed", r.Error.Type)
	require.Equal(t, "Parameter 'node_count' is invalid: could not convert string to float: 'abc'", r.Error.Message)
	require.Equal(t, "CREATE_COMPLETE", s.Get().Status)
}

func constraintIsRefused(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	answer := s.TryPatch(Params{"node_count": 101})
	require.Equal(t, http.StatusBadRequest, answer.Code)
	r := refused(t, answer)
	require.Equal(t, "StackValidationFailed", r.Error.Type)
	require.Equal(t, "Parameter 'node_count' is invalid: 101 is out of range (min: 0, max: 100)", r.Error.Message)
	require.Equal(t, "0", s.Get().Parameters["node_count"])
}

func unknownStackIs404(t *testing.T, c *Case) {
	answer := c.Do(http.MethodGet, api.Orchestration, "/stacks/conf-nowhere", nil)
	require.Equal(t, http.StatusNotFound, answer.Code)
	r := refused(t, answer)
	require.Equal(t, "EntityNotFound", r.Error.Type)
	require.Equal(t, "The Stack (conf-nowhere) could not be found.", r.Error.Message)
	const nowhere = "/stacks/conf-nowhere/00000000-0000-4000-8000-000000000000"
	require.Equal(t, http.StatusNotFound, c.Do(http.MethodGet, api.Orchestration, nowhere, nil).Code)
	answer = c.Do(http.MethodPatch, api.Orchestration, nowhere, map[string]any{"parameters": Params{"node_count": 1}})
	require.Equal(t, http.StatusNotFound, answer.Code)
}

func stackNameTakenIs409(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	answer := c.Do(http.MethodPost, api.Orchestration, "/stacks", map[string]any{
		"stack_name": s.Name, "template": template(t, "flat.yaml"),
	})
	require.Equal(t, http.StatusConflict, answer.Code)
	require.Equal(t, "StackExists", refused(t, answer).Error.Type)
}

func badTokenIs401(t *testing.T, c *Case) {
	c.Client = c.Client.WithToken("gAAAAABnot-a-token")
	require.Equal(t, http.StatusUnauthorized, c.Do(http.MethodGet, api.Orchestration, "/stacks", nil).Code)
	require.Equal(t, http.StatusUnauthorized, c.Do(http.MethodGet, api.Compute, "/servers/detail", nil).Code)
	answer := c.Do(http.MethodPatch, api.Orchestration, "/stacks/a/b", map[string]any{"parameters": Params{}})
	require.Equal(t, http.StatusUnauthorized, answer.Code)
}

func templateIsReadable(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	var read struct {
		Parameters map[string]any `json:"parameters"`
		Resources  map[string]struct {
			Type       string         `json:"type"`
			Properties map[string]any `json:"properties"`
		} `json:"resources"`
	}
	c.Get(api.Orchestration, s.path("/template"), &read)
	require.Contains(t, read.Parameters, "node_count")
	group := read.Resources["nodes"]
	require.Equal(t, "OS::Heat::ResourceGroup", group.Type)
	require.Equal(t, map[string]any{"get_param": "node_count"}, group.Properties["count"])
	require.Equal(t, []any{map[string]any{"resource_list": map[string]any{"get_param": "nodes_to_remove"}}}, group.Properties["removal_policies"])
}
