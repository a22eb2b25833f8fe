package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func growthKeepsMembers(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	require.Equal(t, "0,1", indices(before))
	view := s.Update(Params{"node_count": 4})
	require.Equal(t, "4", view.Parameters["node_count"])
	after := s.Members()
	require.Equal(t, "0,1,2,3", indices(after))
	requireKept(t, before, after, "0", "1")
}

func growthFromZero(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 0})
	require.Empty(t, s.Members())
	s.Update(Params{"node_count": 2})
	require.Equal(t, "0,1", indices(s.Members()))
}

func growthOfNestedMembers(t *testing.T, c *Case) {
	s := c.Create("nested.yaml", Params{"node_count": 1})
	before := s.Members()
	s.Update(Params{"node_count": 3})
	after := s.Members()
	require.Equal(t, "0,1,2", indices(after))
	requireKept(t, before, after, "0")
}

// Heat makes an empty text of a null in a map of a server's networks, and looks for a subnet of that name
// (heat/engine/clients/os/neutron, network_id_from_subnet_id).
func growthWithNullSubnetFails(t *testing.T, c *Case) {
	s := c.Create("null-subnet.yaml", Params{"node_count": 0})
	s.Patch(Params{"node_count": 1})
	s.Settle("UPDATE_FAILED")
	require.Regexp(t, `^Resource UPDATE failed: resources\.nodes: Resource CREATE failed: KeyError: resources\[0\]: 'subnet'`, s.Get().Reason)
	require.Equal(t, "CREATE_FAILED", s.Row("0").Status)
	require.Empty(t, s.Alive())
}

func shrinkingByCountAloneKillsHighest(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 3})
	before := s.Members()
	s.Update(Params{"node_count": 1})
	after := s.Members()
	require.Equal(t, "0", indices(after))
	requireKept(t, before, after, "0")
	// Nobody named the members that went, so their indices are free.
	s.Update(Params{"node_count": 2})
	require.Equal(t, "0,1", indices(s.Members()))
}
