package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

func noValidHostIsRetriedThenFails(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0, "flavor": "m1.huge"})
	moment := c.cloudTime().Add(-time.Second)
	s.Patch(Params{"node_count": 1})
	tried := map[string]bool{}
	c.Eventually("for Heat to give up", c.Cloud.Retrying(), func() bool {
		for _, server := range s.Servers() {
			tried[server.ID] = true
		}
		view := s.Get()
		require.Equal(t, "1", view.Parameters["node_count"])
		return view.Status != updating
	})
	view := s.Get()
	require.Equal(t, "UPDATE_FAILED", view.Status)
	// Nova sets the status before it writes the fault down, and Heat may look in between: then it knows no reason.
	require.Regexp(t, `ResourceInError: resources\[0\]: Went to status ERROR due to `+
		`"Message: (No valid host was found\. , Code: 500|Unknown, Code: Unknown)"$`, view.Reason)
	// Who looks from time to time may have missed some. They are gone by now.
	list, _ := c.serverList(changesSince(moment))
	for _, server := range list {
		if strings.HasPrefix(server.Name, s.Name+"-") {
			tried[server.ID] = true
		}
	}
	require.Greater(t, len(tried), 1, "Heat makes the server several times, each time with another id")
	row := s.Row("0")
	require.Equal(t, "CREATE_FAILED", row.Status)
	left := s.Servers()
	require.Len(t, left, 1, "the last one stays in Nova")
	require.Equal(t, "ERROR", left[0].Status)
	require.Equal(t, row.ID, left[0].ID)
	require.Nil(t, left[0].Fault, "a list does not tell the fault of a server that never had a host")
	var single struct {
		Server Server `json:"server"`
	}
	c.Get(api.Compute, "/servers/"+left[0].ID, &single)
	require.NotNil(t, single.Server.Fault, "its own page does")
	require.Equal(t, 500, single.Server.Fault.Code)
	require.Contains(t, single.Server.Fault.Message, "No valid host was found")
}

func noValidHostMemberIsRemovedByName(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0, "flavor": "m1.huge"})
	remove := func() {
		s.Update(Params{"node_count": 0, "nodes_to_remove": []string{s.Rows()[0].Index()}})
	}
	// It gives up after a while. Who comes too late for that tries again.
	c.Eventually("to meet Heat at it", c.Cloud.Patience(), func() bool {
		s.Patch(Params{"node_count": 1})
		c.Eventually("for a server to fail", c.Cloud.Patience(), func() bool {
			servers := s.Servers()
			return len(servers) > 0 && servers[0].Status == "ERROR"
		})
		if s.Get().Status == updating {
			return true
		}
		remove()
		return false
	})
	remove()
	require.Empty(t, s.Members())
	require.Empty(t, s.Servers())
	view := s.Get()
	require.True(t, strings.HasPrefix(view.Status, "UPDATE_"), view.Status)
}
