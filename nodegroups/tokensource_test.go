package nodegroups_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestTheAnnotationGoesBeforeTheStacksParameter(t *testing.T) {
	for name, test := range map[string]struct {
		tags      []string
		parameter string
		want      nodegroups.TokenSource
	}{
		"nothing":            {nil, "", ""},
		"parameter":          {nil, "minted", nodegroups.TokenMinted},
		"annotation":         {[]string{"bootstrap-token-source=minted"}, "", nodegroups.TokenMinted},
		"both":               {[]string{"bootstrap-token-source=own"}, "minted", nodegroups.TokenOwn},
		"a parameter unread": {[]string{"bootstrap-token-source=own"}, "nonsense", nodegroups.TokenOwn},
	} {
		t.Run(name, func(t *testing.T) {
			config, problems := nodegroups.ParseConfig("a", test.tags, "")
			require.Empty(t, problems)
			require.Nil(t, config.SetTokenSource(test.parameter))
			assert.Equal(t, test.want, config.TokenSource)
		})
	}
}

func TestASourceThatDoesNotExistIsAProblem(t *testing.T) {
	_, problems := nodegroups.ParseConfig("a", []string{"bootstrap-token-source=mint"}, "")
	require.Len(t, problems, 1)
	assert.Equal(t, nodegroups.ReasonBadAnnotation, problems[0].Reason)
	assert.Contains(t, problems[0].Message, "must be minted or own")

	config, _ := nodegroups.ParseConfig("a", nil, "")
	problem := config.SetTokenSource("mint")
	require.NotNil(t, problem)
	assert.Equal(t, nodegroups.Blocking, problem.Severity)
	assert.Equal(t, "bootstrap_token_source", problem.Key)
	assert.Empty(t, config.TokenSource)
}

func TestTheTokenHasAParameterOfItsOwn(t *testing.T) {
	for _, name := range []string{"node_count", "nodes_to_remove"} {
		_, problems := nodegroups.ParseConfig("a", []string{"bootstrap-token-parameter=" + name}, "")
		require.Len(t, problems, 1)
		assert.Equal(t, string(nodegroups.KeyTokenParameter), problems[0].Key)
	}
}

func growthBlocked(s *nodegroups.Stack) {
	s.GrowthBlocked = &nodegroups.Problem{
		Reason: nodegroups.ReasonUnsafeBootstrap, Severity: nodegroups.Blocking, Group: s.Config.Name, Stack: s.Name, Message: "unsafe",
	}
}

func TestAStackThatMustNotGrowMayShrink(t *testing.T) {
	stacks := fake.NewStacks(fake.Stack("a", 3, growthBlocked))
	m := nodegroups.NewManager(stacks, nil, nodegroups.ManagerOptions{})
	require.NoError(t, m.Refresh(t.Context()))
	g := m.Snapshot().Group("a")
	assert.Nil(t, g.Blocked)
	require.NotNil(t, g.GrowthBlocked)

	err := m.Grow(t.Context(), "a", 1)
	var p nodegroups.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, nodegroups.ReasonUnsafeBootstrap, p.Reason)
	require.NoError(t, m.Remove(t.Context(), "a", []string{fake.ServerID("a", 1)}, false))
	assert.Equal(t, 2, m.Snapshot().Group("a").Target)
}

func TestGrowthGoesToTheShardsThatMayGrow(t *testing.T) {
	stacks := fake.NewStacks(fake.Stack("a", 1, fake.InGroup("g", 0, 10), growthBlocked), fake.Stack("b", 5, fake.InGroup("g", 0, 10)))
	m := nodegroups.NewManager(stacks, nil, nodegroups.ManagerOptions{})
	require.NoError(t, m.Refresh(t.Context()))
	require.Nil(t, m.Snapshot().Group("g").GrowthBlocked)
	require.NoError(t, m.Grow(t.Context(), "g", 2))
	g := m.Snapshot().Group("g")
	assert.Equal(t, []int{1, 7}, []int{g.Stacks[0].Target, g.Stacks[1].Target})
}
