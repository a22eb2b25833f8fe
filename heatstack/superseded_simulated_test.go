package heatstack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// At the moment of a removal of ours somebody gives the stack a template whose group forgets indices that are not listed any more, and
// Heat loses ours. Were it ordered again as for the old template it would bring an index back, and take the highest member for it.
func TestSimulatedRemovalAfterAnUpdateLostToANewTemplate(t *testing.T) {
	for name, isNew := range map[string]bool{"known to be convergent": false, "not known": true} {
		t.Run(name, func(t *testing.T) { removeAmidANewTemplate(t, isNew) })
	}
}

func removeAmidANewTemplate(t *testing.T, isNew bool) {
	t.Helper()
	s := newMintedScene(t, mintedServer, "firsta.aaaaaaaaaaaaaaaa")
	require.NoError(t, s.cloud.Grow(t.Context(), s.stack, 4))
	s.settle()
	find := func(index string) *nodegroups.Member {
		list, _ := s.cloud.List()
		for _, m := range list[0].Members {
			if m.Index == index {
				return &m
			}
		}
		return nil
	}
	remove := func(index string) string {
		m := find(index)
		require.NotNil(t, m)
		// An order that was lost after it had been answered is given again by whoever misses its effect.
		for begin := time.Now(); find(index) != nil; {
			require.Less(t, time.Since(begin), 3*time.Minute) // it waits for a quarter of a minute after somebody else's update
			require.NoError(t, s.cloud.Remove(t.Context(), s.stack, []nodegroups.Member{*m}))
			s.settle()
		}
		return m.ServerID
	}
	named := []string{remove("1")}
	if isNew {
		s.start(s.session)
		s.settle()
	}
	template := strings.ReplaceAll(mintedTemplate, "MEMBER", mintedServer)
	template = strings.Replace(template, "      resource_def:", "      removal_policies_mode: update\n      resource_def:", 1)
	s.sim.DuringNextPatch(s.stack, func() { assert.NoError(t, s.sim.ReplaceTemplate(s.stack, template, nil)) })
	named = append(named, remove("2"))
	var dead []string
	for _, d := range s.sim.Deaths() {
		dead = append(dead, d.ServerID)
	}
	assert.ElementsMatch(t, named, dead)
}
