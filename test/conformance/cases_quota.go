package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// overQuota makes a stack of two in a project that has room for two, and lets it fail at growing.
func overQuota(t *testing.T, c *Case, file string, wanted int) (*Stack, map[string]string) {
	t.Helper()
	c.OwnProject(2)
	s := c.Create(file, Params{"node_count": 2})
	before := s.Members()
	require.Equal(t, "0,1", indices(before))
	s.Patch(Params{"node_count": wanted})
	s.Settle("UPDATE_FAILED")
	return s, before
}

func quotaFailsUpdateAndKeepsCount(t *testing.T, c *Case) {
	s, before := overQuota(t, c, "flat.yaml", 3)
	view := s.Get()
	require.Equal(t, "3", view.Parameters["node_count"], "the count that could not be reached stays")
	require.Regexp(t, `^Resource UPDATE failed: resources\.nodes: Resource CREATE failed: Forbidden: resources\[2\]: `+
		`Quota exceeded for instances: Requested 1, but already used 2 of 2 instances \(HTTP 403\)`, view.Reason)
	row := s.Row("2")
	require.Equal(t, "CREATE_FAILED", row.Status)
	require.Regexp(t, `Forbidden: .*Quota exceeded for instances: Requested 1, but already used 2 of 2 instances \(HTTP 403\)`, row.Reason)
	require.Empty(t, row.ID, "there is no server")
	alive := s.Alive()
	require.Equal(t, "0,1", indices(alive))
	requireKept(t, before, alive, "0", "1")
}

func quotaNestedMessage(t *testing.T, c *Case) {
	s, _ := overQuota(t, c, "nested.yaml", 3)
	require.Regexp(t, `^Resource UPDATE failed: resources\.nodes: Resource CREATE failed: Forbidden: .*resources\[2\]\.resources\.server: `+
		`Quota exceeded for instances: Requested 1, but already used 2 of 2 instances \(HTTP 403\)`, s.Get().Reason)
	row := s.Row("2")
	require.Equal(t, "server", row.Name)
	require.Equal(t, "CREATE_FAILED", row.Status)
	require.Equal(t, "0,1", indices(s.Alive()))
}

func quotaRecoveredByNamingFailedMember(t *testing.T, c *Case) {
	s, before := overQuota(t, c, "flat.yaml", 3)
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"2"}})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	requireKept(t, before, after, "0", "1")
}

func quotaRecoveredByRaisingIt(t *testing.T, c *Case) {
	s, before := overQuota(t, c, "flat.yaml", 4)
	c.Quota(10)
	s.Update(Params{})
	after := s.Members()
	require.Equal(t, "0,1,2,3", indices(after))
	requireKept(t, before, after, "0", "1")
}

func quotaRecoveredByOldCount(t *testing.T, c *Case) {
	s, before := overQuota(t, c, "flat.yaml", 4)
	s.Update(Params{"node_count": 2})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	requireKept(t, before, after, "0", "1")
	c.Quota(10)
	s.Update(Params{"node_count": 3})
	require.Equal(t, "0,1,2", indices(s.Members()), "the failed index was not named, so it is free")
}

func quotaRolledBack(t *testing.T, c *Case) {
	c.OwnProject(2)
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	answer := c.Do(http.MethodPatch, api.Orchestration, s.path(""),
		map[string]any{"parameters": Params{"node_count": 3}, "disable_rollback": false})
	require.Equal(t, http.StatusAccepted, answer.Code)
	// On its way it is UPDATE_FAILED for a moment.
	c.Eventually("for the rollback to begin", c.Cloud.Patience(), func() bool {
		return strings.HasPrefix(s.Get().Status, "ROLLBACK_")
	})
	view := s.Settle("ROLLBACK_COMPLETE")
	require.Equal(t, "2", view.Parameters["node_count"], "the old count is back")
	require.False(t, view.DisableRollback)
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	requireKept(t, before, after, "0", "1")
	s.Update(Params{"node_count": 1, "nodes_to_remove": []string{"0"}})
	require.Equal(t, "1", indices(s.Members()), "it works on after a rollback")
}

// quotaCleanupKeepsSiblings names one of two failed members while there is room for the other.
func quotaCleanupKeepsSiblings(t *testing.T, c *Case) {
	s, before := overQuota(t, c, "flat.yaml", 4)
	c.Quota(3)
	s.Update(Params{"node_count": 3, "nodes_to_remove": []string{"2"}})
	after := s.Members()
	require.Equal(t, "0,1,3", indices(after))
	requireKept(t, before, after, "0", "1")
}
