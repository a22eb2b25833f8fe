package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func vanishedServerIsNotNoticed(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.DeleteServer(before["0"])
	s.Update(Params{})
	require.Equal(t, before, s.Listed(), "Heat still lists it")
	require.True(t, strings.HasSuffix(s.Row("0").Status, "_COMPLETE"))
	require.Equal(t, "1", indices(s.Alive()))
}

func checkNoticesVanishedServer(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.DeleteServer(before["0"])
	answer := s.Check()
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "null", string(answer.Body))
	view := s.Settle("CHECK_FAILED")
	require.Contains(t, view.Reason, "could not be found")
	row := s.Row("0")
	require.Equal(t, "CHECK_FAILED", row.Status)
	require.Contains(t, row.Reason, "could not be found")
	require.Equal(t, "CHECK_COMPLETE", s.Row("1").Status)
	s.Update(Params{})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	require.NotEqual(t, before["0"], after["0"])
	requireKept(t, before, after, "1")
}

func markUnhealthyReplacesVanishedServer(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.DeleteServer(before["0"])
	s.MarkUnhealthy("0", true)
	require.Equal(t, "CHECK_FAILED", s.Row("0").Status)
	require.Equal(t, "CREATE_COMPLETE", s.Get().Status, "the stack itself does not change")
	s.Update(Params{})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	require.NotEqual(t, before["0"], after["0"])
	requireKept(t, before, after, "1")
}

func markUnhealthyInNestedGroup(t *testing.T, c *Case) {
	s := c.Create("nested.yaml", Params{"node_count": 2})
	before := s.Members()
	s.DeleteServer(before["1"])
	s.MarkUnhealthy("1", true)
	s.Update(Params{})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	require.NotEqual(t, before["1"], after["1"])
	requireKept(t, before, after, "0")
}

func unhealthyButAliveIsReplaced(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.MarkUnhealthy("0", true)
	s.Update(Params{"node_count": 3})
	after := s.Members()
	require.Equal(t, "0,1,2", indices(after))
	require.NotEqual(t, before["0"], after["0"], "a living server is replaced by an update that only grows")
	requireKept(t, before, after, "1")
}

func checkHealsUnhealthyButAlive(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.MarkUnhealthy("0", true)
	require.Equal(t, http.StatusOK, s.Check().Code)
	s.Settle("CHECK_COMPLETE")
	require.Equal(t, "CHECK_COMPLETE", s.Row("0").Status)
	s.Update(Params{"node_count": 3})
	after := s.Members()
	require.Equal(t, "0,1,2", indices(after))
	requireKept(t, before, after, "0", "1")
}

func markHealthyAgain(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.MarkUnhealthy("0", true)
	s.MarkUnhealthy("0", false)
	require.Equal(t, "CHECK_COMPLETE", s.Row("0").Status)
	s.Update(Params{"node_count": 3})
	requireKept(t, before, s.Members(), "0", "1")
}

func vanishedMemberIsRemovedByName(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 3})
	before := s.Members()
	s.DeleteServer(before["1"])
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"1"}})
	after := s.Members()
	require.Equal(t, "0,2", indices(after))
	requireKept(t, before, after, "0", "2")
}

func checkOfHealthyStack(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	require.Equal(t, http.StatusOK, s.Check().Code)
	s.Settle("CHECK_COMPLETE")
	for _, row := range s.Rows() {
		require.Equal(t, "CHECK_COMPLETE", row.Status)
	}
	require.Equal(t, before, s.Members())
}
