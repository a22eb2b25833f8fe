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
