package conformance

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

func noChangeMovesUpdatedTime(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	before := s.Members()
	require.Nil(t, s.Get().Updated, "a stack that was never updated has no updated_time")
	first := s.Update(Params{})
	require.NotNil(t, first.Updated)
	_, err := time.Parse(time.RFC3339, *first.Updated)
	require.NoError(t, err)
	// The time has whole seconds.
	c.Eventually("for the next second", c.Cloud.Patience(), func() bool {
		second := s.Update(Params{"node_count": 1})
		return *second.Updated > *first.Updated
	})
	require.Equal(t, before, s.Members())
}

func tokenRotationKeepsServers(t *testing.T, c *Case) {
	s := c.Create("token-ignored.yaml", Params{"node_count": 2})
	before := s.Members()
	s.Update(Params{"node_count": 3, "bootstrap_token": "second"})
	after := s.Members()
	require.Equal(t, "0,1,2", indices(after))
	requireKept(t, before, after, "0", "1")
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"1"}, "bootstrap_token": "third"})
	last := s.Members()
	require.Equal(t, "0,2", indices(last))
	requireKept(t, after, last, "0", "2")
}

func userDataChangeReplacesServers(t *testing.T, c *Case) {
	s := c.Create("token-replaced.yaml", Params{"node_count": 1})
	before := s.Members()
	s.Update(Params{"bootstrap_token": "second"})
	after := s.Members()
	require.Equal(t, "0", indices(after))
	require.NotEqual(t, before["0"], after["0"])
}

func hiddenParameterIsMasked(t *testing.T, c *Case) {
	s := c.Create("token-ignored.yaml", Params{"node_count": 0, "bootstrap_token": "secret"})
	require.Equal(t, "******", s.Get().Parameters["bootstrap_token"])
	environment := c.Do(http.MethodGet, api.Orchestration, s.path("/environment"), nil)
	require.Equal(t, http.StatusOK, environment.Code)
	require.Contains(t, string(environment.Body), `"bootstrap_token"`)
	require.NotContains(t, string(environment.Body), "secret")
}

func parametersNotNamedAreKept(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1, "comment": "mine"})
	before := s.Get().Parameters
	require.Equal(t, s.Name, before["OS::stack_name"])
	require.Equal(t, s.ID, before["OS::stack_id"])
	require.Equal(t, c.Client.ProjectID, before["OS::project_id"])
	view := s.Update(Params{"node_count": 2})
	require.Equal(t, "mine", view.Parameters["comment"])
	require.Equal(t, "2", view.Parameters["node_count"])
	require.Equal(t, "m1.tiny", view.Parameters["flavor"])
	require.Empty(t, view.Parameters["nodes_to_remove"])
}

func unknownParameterIsDropped(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	before := s.Members()
	view := s.Update(Params{"node_cuont": 5})
	require.NotContains(t, view.Parameters, "node_cuont")
	require.Equal(t, "1", view.Parameters["node_count"])
	require.NotNil(t, view.Updated, "an update ran nevertheless")
	require.Equal(t, before, s.Members())
}

func stackIsDeletedWithItsServers(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	require.Len(t, s.Members(), 2)
	answer := c.Do(http.MethodDelete, api.Orchestration, s.path(""), nil)
	require.Equal(t, http.StatusNoContent, answer.Code)
	require.Empty(t, answer.Body)
	c.Eventually("for the servers to go", c.Cloud.Patience(), func() bool { return len(s.Servers()) == 0 })
	c.Eventually("for the name to be free", c.Cloud.Patience(), func() bool {
		return c.Do(http.MethodGet, api.Orchestration, "/stacks/"+s.Name, nil).Code == http.StatusNotFound
	})
	// By its id it can still be seen.
	require.Equal(t, "DELETE_COMPLETE", s.Get().Status)
}
