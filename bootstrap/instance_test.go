package bootstrap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two autoscalers of one cluster, each with a node group of the same name, know nothing of each other's tokens.
func TestAutoscalersOfOneClusterKeepTheirTokensApart(t *testing.T) {
	here := newTokenBench(t, func(o *TokensOptions) { o.Instance = "kube-system.one" })
	opts := here.opts
	opts.Instance = "kube-system.two"
	there := NewTokens(here.api, opts)

	mine := here.token("workers")
	theirs, err := there.Token(t.Context(), "workers", DefaultProvisionTime)
	require.NoError(t, err)
	assert.NotEqual(t, mine, theirs)
	assert.Equal(t, mine, here.token("workers"), "ours is shared by us")

	_, _, err = here.NodeGroup(t.Context(), theirs[:6])
	require.ErrorIs(t, err, ErrOtherInstance)
	group, found, err := here.NodeGroup(t.Context(), mine[:6])
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, "workers", group)

	here.step(settled)
	here.revoke()
	assert.False(t, here.api.accepts(t, mine))
	assert.True(t, here.api.accepts(t, theirs), "their machines may still need it")
	here.step(time.Hour)
	here.revoke()
	assert.Len(t, here.api.secrets(t), 1, "theirs is theirs to delete, or Kubernetes'")
}

// A request with another autoscaler's token is that one's to decide, and costs us nothing that our own machines need.
func TestRequestsWithAnothersTokenAreLeftAlone(t *testing.T) {
	r := newRig(t)
	r.tokens.err = ErrOtherInstance
	require.Equal(t, "untouched", r.submit(joiner(honest)))
	require.Equal(t, "untouched", r.submit(joiner("theirs-1")))
	require.Zero(t, r.cloud.calls())
	require.Empty(t, r.counts.decisions)
	csr := r.object(joiner("theirs-2"))
	require.True(t, r.approver.isOthers(t.Context(), parseRequest(csr)))
	r.tokens.err = nil
	r.clock.Step(time.Minute)
	require.False(t, r.approver.isOthers(t.Context(), parseRequest(csr)))
}
