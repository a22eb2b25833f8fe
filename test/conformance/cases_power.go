package conformance

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// serverStatus is Nova's word for a server.
func (c *Case) serverStatus(id string) string {
	c.t.Helper()
	var body struct {
		Server Server `json:"server"`
	}
	c.Get(api.Compute, "/servers/"+id, &body)
	return body.Server.Status
}

// power orders an action of a server without arguments, and returns the answer's code.
func (c *Case) power(id, action string) int {
	c.t.Helper()
	return c.Do(http.MethodPost, api.Compute, "/servers/"+id+"/action", map[string]any{action: nil}).Code
}

// stop shuts a server down and waits until it is off.
func (c *Case) stop(id string) {
	c.t.Helper()
	require.Equal(c.t, http.StatusAccepted, c.power(id, "os-stop"))
	c.Eventually("for the server to be off", c.Cloud.Patience(), func() bool { return c.serverStatus(id) == "SHUTOFF" })
}

// serverActions are the names of what was done with a server, newest first, and the users who ordered it.
func (c *Case) serverActions(id string) (names, users []string) {
	c.t.Helper()
	var body struct {
		Actions []struct {
			Action string `json:"action"`
			User   string `json:"user_id"`
		} `json:"instanceActions"`
	}
	c.Get(api.Compute, "/servers/"+id+"/os-instance-actions", &body)
	for _, a := range body.Actions {
		names, users = append(names, a.Action), append(users, a.User)
	}
	return names, users
}

func stopLeadsToShutOff(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	id := s.Members()["0"]
	c.stop(id)
	require.Equal(t, "CREATE_COMPLETE", s.Get().Status, "Heat does not notice")
	require.Equal(t, http.StatusConflict, c.power(id, "os-stop"), "it is off already")
	names, users := c.serverActions(id)
	require.Equal(t, []string{"stop", "create"}, names, "the newest first")
	require.Equal(t, c.Client.UserID, users[0], "who stopped it is no secret")
	require.Equal(t, http.StatusAccepted, c.power(id, "os-start"))
	c.Eventually("for the server to run", c.Cloud.Patience(), func() bool { return c.serverStatus(id) == "ACTIVE" })
	names, _ = c.serverActions(id)
	require.Equal(t, "start", names[0])
}

func shutOffMemberIsRemovedByName(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	c.stop(before["0"])
	s.Update(Params{"node_count": 1, "nodes_to_remove": []string{"0"}})
	after := s.Members()
	require.Equal(t, "1", indices(after))
	requireKept(t, before, after, "1")
}

func shutOffMemberIsReplaced(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	c.stop(before["1"])
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"1"}})
	after := s.Members()
	require.Equal(t, "0,2", indices(after))
	requireKept(t, before, after, "0")
	require.Equal(t, "ACTIVE", c.serverStatus(after["2"]))
}

// deletedServerIs404 has Nova's own body: a proxy's 404 is no proof that a server is gone.
func deletedServerIs404(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	id := s.Members()["0"]
	s.Update(Params{"node_count": 0, "nodes_to_remove": []string{"0"}})
	c.Eventually("for the server to be gone", c.Cloud.Patience(), func() bool {
		return c.Do(http.MethodGet, api.Compute, "/servers/"+id, nil).Code == http.StatusNotFound
	})
	require.Contains(t, string(c.Do(http.MethodGet, api.Compute, "/servers/"+id, nil).Body), `"itemNotFound"`)
}
