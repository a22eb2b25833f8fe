package conformance

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// magnumGrowsAndShrinks: a stack of Magnum's shape is scaled by its own parameters, keeps its tags, and its masters are left alone.
func magnumGrowsAndShrinks(t *testing.T, c *Case) {
	tags := []string{"cluster-autoscaler-enabled", "removal-parameter=minions_to_remove", "size-parameter=number_of_minions"}
	s := c.Create("magnum.yaml", Params{"number_of_minions": 2}, tags...)
	masters, before := s.named("master"), s.named("node")
	require.Equal(t, "0", indices(masters))
	require.Equal(t, "0,1", indices(before))

	s.Update(Params{"number_of_minions": 3})
	grown := s.named("node")
	require.Equal(t, "0,1,2", indices(grown))
	requireKept(t, before, grown, "0", "1")

	// An update that names no tags, as Magnum's are, keeps those that there are.
	view := s.Update(Params{"number_of_minions": 2, "minions_to_remove": []string{"1"}})
	require.ElementsMatch(t, tags, view.Tags)
	left := s.named("node")
	require.Equal(t, "0,2", indices(left))
	requireKept(t, grown, left, "0", "2")
	require.Equal(t, masters, s.named("master"))
}

// magnumRemovesByServerID: Magnum and its provider name members by their servers. Heat knows them so because a member's template has an
// output OS::stack_id; without that the highest goes, see removal-by-server-id-in-nested-group-kills-highest.
func magnumRemovesByServerID(t *testing.T, c *Case) {
	s := c.Create("magnum.yaml", Params{"number_of_minions": 3})
	before := s.named("node")
	require.Equal(t, "0,1,2", indices(before))
	s.Update(Params{"number_of_minions": 2, "minions_to_remove": []string{before["0"]}})
	left := s.named("node")
	require.Equal(t, "1,2", indices(left))
	requireKept(t, before, left, "1", "2")
}

// named maps the index of each server that is called STACK-what-INDEX to its id.
func (s *Stack) named(what string) map[string]string {
	s.c.t.Helper()
	var list struct {
		Servers []Server `json:"servers"`
	}
	prefix := s.Name + "-" + what + "-"
	s.c.Get(api.Compute, "/servers/detail?name="+url.QueryEscape(prefix), &list)
	members := map[string]string{}
	for _, server := range list.Servers {
		if index, ok := strings.CutPrefix(server.Name, prefix); ok && !server.isGoing() {
			members[index] = server.ID
		}
	}
	return members
}
