package bootstrap

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	groups "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// settled is when a token of the default settings may be revoked at the earliest.
const settled = DefaultSharing + DefaultSettle + time.Second

func TestATokenIsRevokedWhenItsMachinesHaveJoined(t *testing.T) {
	b := newTokenBench(t, nil)
	token := b.token("workers")
	server := b.member()
	b.step(settled)
	b.revoke()
	assert.True(t, b.api.accepts(t, token), "the machine has not joined")
	assert.Equal(t, map[string]int{"workers": 1}, b.counts.live)
	assert.False(t, b.counts.expires["workers"].IsZero(), "and it is told until when")
	b.nodes = nodeList{server}
	b.revoke()
	assert.Empty(t, b.api.secrets(t))
	assert.Equal(t, []string{"workers joined"}, b.counts.revoked)
	assert.Empty(t, b.counts.live)
	b.revoke()
	assert.Empty(t, b.counts.live)
}

func TestATokenThatMayBeUnderWayIsKept(t *testing.T) {
	b := newTokenBench(t, nil)
	token := b.token("workers")
	b.step(settled - 2*time.Second)
	b.revoke()
	assert.True(t, b.api.accepts(t, token), "it may be in an update that is not seen yet")
	read := b.read
	b.step(time.Minute)
	b.read = read
	require.NoError(t, b.Revoke(t.Context(), b.sight(b.stack), b.nodes))
	assert.True(t, b.api.accepts(t, token), "the cloud has not been read since")
	b.read = time.Time{}
	require.NoError(t, b.Revoke(t.Context(), b.sight(), b.nodes))
	assert.True(t, b.api.accepts(t, token), "the cloud has never been read")
	b.revoke()
	assert.Empty(t, b.api.secrets(t))
}

func TestWhoMayStillUseAToken(t *testing.T) {
	made := func(change func(*nodegroups.Member)) func(b *bench) {
		return func(b *bench) {
			b.member()
			change(&b.stack.Members[0])
		}
	}
	for name, tc := range map[string]struct {
		change func(b *bench)
		isKept bool
	}{
		"nobody":            {func(*bench) {}, false},
		"a running machine": {func(b *bench) { b.member() }, true},
		"one in creation":   {made(func(m *nodegroups.Member) { m.State = nodegroups.Creating }), true},
		"one without a server": {made(func(m *nodegroups.Member) {
			m.State, m.Created, m.ServerID, m.Placeholder = nodegroups.Creating, time.Time{}, "", "p"
		}), true},
		"a failed one":           {made(func(m *nodegroups.Member) { m.State, m.Failure = nodegroups.Failed, &nodegroups.Failure{} }), false},
		"one being deleted":      {made(func(m *nodegroups.Member) { m.State = nodegroups.Deleting }), false},
		"a lost one":             {made(func(m *nodegroups.Member) { m.State = nodegroups.Lost }), false},
		"an older machine":       {made(func(m *nodegroups.Member) { m.Created = m.Created.Add(-clockTolerance - time.Second) }), false},
		"Nova's clock is behind": {made(func(m *nodegroups.Member) { m.Created = m.Created.Add(-clockTolerance) }), true},
		"a busy stack":           {func(b *bench) { b.stack.Busy = true }, true},
		"a blocked stack":        {groupsBlocked, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTokenBench(t, nil)
			token := b.token("workers")
			tc.change(b)
			b.step(settled)
			b.revoke()
			assert.Equal(t, tc.isKept, b.api.accepts(t, token))
			b.step(12 * time.Minute)
			b.revoke()
			assert.Empty(t, b.api.secrets(t), "20 minutes are the end of it")
		})
	}
}

func groupsBlocked(b *bench) { groups.BlockedBy(nodegroups.ReasonBadAnnotation)(b.stack) }

func TestAMachineThatNeverJoinsIsNotWaitedFor(t *testing.T) {
	five := 5 * time.Minute
	b := newTokenBench(t, nil)
	b.stack.Config.Options.MaxNodeProvisionTime = &five
	token, err := b.Token(t.Context(), "workers", b.ValidFor(b.sight(b.stack).Snapshot, "workers"))
	require.NoError(t, err)
	assert.Equal(t, b.clock.Now().Add(10*time.Minute), b.api.expires(t, token))
	b.member()
	b.step(8*time.Minute + time.Second) // shared until 5 minutes, settled at 8
	b.revoke()
	assert.Empty(t, b.api.secrets(t), "7 minutes are the node group's provision time and the clocks' difference")
	assert.Equal(t, DefaultProvisionTime, b.ValidFor(b.sight().Snapshot, "workers"))
}

func TestTokensOfAGroupThatIsGone(t *testing.T) {
	b := newTokenBench(t, nil)
	b.token("former")
	b.step(time.Minute)
	b.revoke()
	assert.Len(t, b.api.secrets(t), 1, "the group may be new")
	b.step(settled)

	b.refresh()
	unread := groups.Stack("unread", 1, groups.OfUnknownSize)
	require.NoError(t, b.Revoke(t.Context(), b.sight(unread), b.nodes))
	assert.Len(t, b.api.secrets(t), 1, "the group may be that of the stack that can't be read")
	b.revoke()
	assert.Equal(t, []string{"former gone"}, b.counts.revoked)
}

func TestRevokingGoesOnAfterAnError(t *testing.T) {
	b := newTokenBench(t, nil)
	b.token("workers")
	b.step(time.Hour)
	for _, broken := range [][2]string{{"list", "secrets"}, {"delete", "secrets"}, {"create", "selfsubjectreviews"}} {
		mend := b.api.fail(broken[0], broken[1], errors.New("down"))
		b.step(timeKept)
		require.ErrorContains(t, b.Revoke(t.Context(), b.sight(b.stack), b.nodes), "down")
		assert.Len(t, b.api.secrets(t), 1)
		mend()
	}
	require.ErrorContains(t, b.Revoke(t.Context(), b.sight(b.stack), noNodes{}), "listing nodes")
	b.revoke()
	assert.Empty(t, b.api.secrets(t))
}

type noNodes struct{}

func (noNodes) List(labels.Selector) ([]*v1.Node, error) { return nil, errors.New("not yet") }

func TestATokenThatWentBeforeUsIsNoError(t *testing.T) {
	b := newTokenBench(t, nil)
	require.NoError(t, b.Tokens.revoke(t.Context(), &token{id: "abcdef"}, RevokedExpired))
	assert.Empty(t, b.counts.revoked)
}

// Run looks once at the start, then only as long as there are tokens, and reports what goes wrong.
func TestRun(t *testing.T) {
	b := newTokenBench(t, nil)
	lists := func() int {
		n := 0
		for _, a := range b.api.Actions() {
			if a.Matches("list", "secrets") {
				n++
			}
		}
		return n
	}
	isDown := b.api.breakable("list", "secrets", errors.New("down"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Run(ctx, func() Sight { return b.sight(b.stack) }, b.nodes)
	}()
	tick := func() {
		require.Eventually(t, b.clock.HasWaiters, time.Minute, time.Millisecond)
		b.step(RevokeInterval)
	}
	eventually := func(what string, done func() bool) {
		t.Helper()
		require.Eventually(t, done, time.Minute, time.Millisecond, what)
	}
	eventually("a look at the start", func() bool { return lists() == 1 })
	tick()
	tick()
	assert.LessOrEqual(t, lists(), 1)
	b.token("workers")
	eventually("tokens are looked after when there are some", func() bool { tick(); return lists() > 2 })
	b.step(time.Hour)
	eventually("it is over", func() bool { tick(); return len(b.api.secrets(t)) == 0 })

	isDown.Store(true)
	b.step(idleLook)
	eventually("an error is reported", func() bool { tick(); return len(b.reports.All()) > 0 })
	p := b.reports.All()[0]
	assert.Equal(t, nodegroups.ReasonTokenNotRevoked, p.Reason)
	assert.Contains(t, p.Message, "down")
	cancel()
	<-ended
}
