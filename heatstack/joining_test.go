package heatstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// joiningFake mints a new token with each call.
type joiningFake struct {
	mu     sync.Mutex
	minted []string // the node groups
	err    error
	noAPI  error
	// meanwhile happens while the first token is minted.
	meanwhile func()
}

func (j *joiningFake) Token(_ context.Context, group string) (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return "", j.err
	}
	j.minted = append(j.minted, group)
	if j.meanwhile != nil && len(j.minted) == 1 {
		j.meanwhile()
	}
	return fmt.Sprintf("token%d.0123456789abcdef", len(j.minted)), nil
}

func (j *joiningFake) APIServer(context.Context) (string, error) {
	return "https://10.0.0.10:6443", j.noAPI
}

func (j *joiningFake) ClusterCA(context.Context) (string, error) { return "Q0E=", nil }

// newJoinBench is a bench of a stack that has its tokens minted.
func newJoinBench(t *testing.T, count int, change func(*writerOptions)) (*writerBench, *fakeStack, *joiningFake) {
	t.Helper()
	j := &joiningFake{}
	opts := writerOptions{Joining: j}
	if change != nil {
		change(&opts)
	}
	b := newBenchWith(t, opts)
	s := b.add("a", count)
	s.ref.Config.TokenSource, s.ref.Config.Parameters.Token = nodegroups.TokenMinted, "bootstrap_token"
	return b, s, j
}

// sentTokens are the token parameters of all updates, "-" where there was none.
func (b *writerBench) sentTokens() []string {
	b.fakeCloud.mu.Lock()
	defer b.fakeCloud.mu.Unlock()
	var tokens []string
	for _, parameters := range b.sentParameters {
		token, ok := parameters["bootstrap_token"].(string)
		if !ok {
			token = "-"
		}
		tokens = append(tokens, strings.TrimSuffix(token, ".0123456789abcdef"))
	}
	return tokens
}

func TestAGrowthBringsATokenARemovalDoesNot(t *testing.T) {
	b, s, j := newJoinBench(t, 3, nil)
	require.NoError(t, b.grow(s, 1))
	b.settle(s)
	require.NoError(t, b.remove(s, 1))
	b.settle(s)
	require.NoError(t, b.grow(s, 2))
	assert.Equal(t, []string{"token1", "-", "token2"}, b.sentTokens())
	assert.Equal(t, []string{"group-a", "group-a"}, j.minted)
	assert.Empty(t, b.reasons())
}

func TestWhoeverMakesServersBringsAToken(t *testing.T) {
	t.Run("a removal while members are missing", func(t *testing.T) {
		b, s, _ := newJoinBench(t, 2, nil)
		require.NoError(t, b.grow(s, 2)) // stays in progress
		b.fails(s, 3)
		require.NoError(t, b.remove(s, 3))
		assert.Equal(t, []string{"token1", "token2"}, b.sentTokens())
	})
	t.Run("a removal beside a failed member", func(t *testing.T) {
		b, s, _ := newJoinBench(t, 3, nil)
		b.change(func() { s.rows[2].Status = "CREATE_FAILED" })
		require.NoError(t, b.remove(s, 0))
		assert.Equal(t, []string{"token1"}, b.sentTokens())
	})
	t.Run("the removal of a failed member", func(t *testing.T) {
		b, s, _ := newJoinBench(t, 3, nil)
		b.change(func() { s.rows[2].Status, s.status = "CREATE_FAILED", "UPDATE_FAILED" })
		require.NoError(t, b.remove(s, 2))
		assert.Equal(t, []string{"-"}, b.sentTokens())
	})
	t.Run("a retry", func(t *testing.T) {
		b, s, _ := newJoinBench(t, 2, nil)
		b.change(func() { s.rows[1].Status, s.rows[1].ServerID, s.status = "CREATE_FAILED", "", "UPDATE_FAILED" })
		b.refresh(s)
		b.clock.Step(recoverFirst)
		b.refresh(s)
		assert.Equal(t, []string{"token1"}, b.sentTokens())
	})
	t.Run("a lost update that is sent again", func(t *testing.T) {
		b, s, _ := newJoinBench(t, 2, nil)
		n := 0
		b.patchHook = func(s *fakeStack, _ map[string]any) (bool, error) {
			if n++; n == 1 {
				b.applyLocked(s, map[string]any{"node_count": 5}) // another update at the same moment wins
				return true, nil
			}
			return false, nil
		}
		require.NoError(t, b.grow(s, 1))
		b.settle(s)
		b.idle()
		assert.Equal(t, []string{"token1", "token2"}, b.sentTokens())
	})
}

// To mint a token takes its time. A size from before may be below what somebody else has ordered meanwhile.
func TestAStackThatChangesWhileATokenIsMintedIsLookedAtAgain(t *testing.T) {
	b, s, j := newJoinBench(t, 2, nil)
	j.meanwhile = func() {
		b.change(func() {
			b.applyLocked(s, map[string]any{"node_count": 5})
			b.settleLocked(s)
		})
	}
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, []string{"a 6 <nil>"}, b.sent())
	assert.Equal(t, []string{"token2"}, b.sentTokens())
}

func TestAStackThatCanNotBeReadAfterATokenWasMintedIsNotWrittenTo(t *testing.T) {
	b, s, j := newJoinBench(t, 2, nil)
	j.meanwhile = func() { b.change(func() { b.readErr = httpError(http.StatusServiceUnavailable) }) }
	err := b.do(func(ctx context.Context) error { return b.ws.Grow(ctx, s.ref, 1) })
	require.ErrorContains(t, err, "503")
	assert.Empty(t, b.sent())
}

func TestOtherStacksGetNoToken(t *testing.T) {
	b, s, j := newJoinBench(t, 3, nil)
	s.ref.Config.TokenSource = nodegroups.TokenOwn
	b.more = map[string]string{"bootstrap_token": "******", "api_server": "", "cluster_ca": ""}
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, []map[string]any{{"node_count": 4}}, b.sentParameters)
	assert.Empty(t, j.minted)
}

func TestADryRunMintsNothing(t *testing.T) {
	b, s, j := newJoinBench(t, 3, func(o *writerOptions) { o.DryRun = true })
	require.NoError(t, b.grow(s, 1))
	assert.Empty(t, j.minted)
	assert.Empty(t, b.sent())
}

func TestWhereTheClusterIsGoesIntoEmptyParameters(t *testing.T) {
	b, s, j := newJoinBench(t, 1, nil)
	b.more = map[string]string{"bootstrap_token": "******", "api_server": "", "cluster_ca": ""}
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, map[string]any{
		"node_count": 2, "bootstrap_token": "token1.0123456789abcdef", "api_server": "https://10.0.0.10:6443", "cluster_ca": "Q0E=",
	}, b.sentParameters[0])
	b.settle(s)

	b.more = map[string]string{"api_server": "https://other:6443"}
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, map[string]any{"node_count": 3, "bootstrap_token": "token2.0123456789abcdef"}, b.sentParameters[1], "what is given is kept")
	b.settle(s)

	b.more = map[string]string{"api_server": ""}
	j.noAPI = errors.New("only pods reach it")
	err := b.grow(s, 1)
	var p nodegroups.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, nodegroups.ReasonNoBootstrapToken, p.Reason)
	assert.Equal(t, "api_server", p.Key)
	assert.Contains(t, p.Message, "only pods reach it")
	assert.Len(t, j.minted, 2, "no token is minted for nothing")
}

func TestWithoutATokenNothingGrowsAndRemovalsGoOn(t *testing.T) {
	b, s, j := newJoinBench(t, 4, nil)
	before := b.ids(s)
	j.err = nodegroups.Problem{Reason: nodegroups.ReasonNoBootstrapToken, Severity: nodegroups.Warning, Group: "group-a", Message: "the API server is down"}

	err := b.grow(s, 1)
	var p nodegroups.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, nodegroups.ReasonNoBootstrapToken, p.Reason)
	assert.Empty(t, b.sent())
	assert.Contains(t, b.reasons(), nodegroups.ReasonNoBootstrapToken)

	require.NoError(t, b.remove(s, 0), "a removal")
	b.settle(s)
	assert.Equal(t, before[1:], b.ids(s))

	// Both at once: time stands still until the first is there.
	var grown error
	var wait sync.WaitGroup
	wait.Go(func() { grown = b.ws.Grow(t.Context(), s.ref, 2) })
	b.queued(1)
	m := b.member(s, 1)
	require.NoError(t, b.do(func(ctx context.Context) error {
		err := b.ws.Remove(ctx, s.ref, []nodegroups.Member{m})
		wait.Wait()
		return err
	}))
	require.ErrorAs(t, grown, &p)
	b.settle(s)
	assert.Equal(t, before[2:], b.ids(s))

	// A removal beside a failed member would make it again; it goes without.
	b.change(func() { s.rows[3].Status = "CREATE_FAILED" })
	require.NoError(t, b.remove(s, 2))
	assert.Equal(t, []string{"-", "-", "-"}, b.sentTokens())

	j.err = nil
	b.settle(s)
	require.NoError(t, b.grow(s, 1))
	assert.Equal(t, "token1", b.sentTokens()[3])
}

func TestATemplateThatIsNotSafeGetsNoToken(t *testing.T) {
	for name, change := range map[string]func(b *writerBench){
		"unsafe": func(b *writerBench) {
			b.facts.JoinProblem = &nodegroups.Problem{Reason: nodegroups.ReasonUnsafeBootstrap, Severity: nodegroups.Blocking, Message: "it rebuilds"}
		},
		"changed by somebody a moment ago": func(b *writerBench) { b.facts.Outdated = true },
		"no connection to Kubernetes":      func(b *writerBench) { b.ws.opts.Joining = nil },
	} {
		t.Run(name, func(t *testing.T) {
			b, s, j := newJoinBench(t, 3, nil)
			change(b)
			var p nodegroups.Problem
			require.ErrorAs(t, b.grow(s, 1), &p)
			assert.Equal(t, "stack-a", p.Stack)
			require.NoError(t, b.remove(s, 1))
			assert.Equal(t, []string{"a 2 [1]"}, b.sent())
			assert.Empty(t, j.minted)
		})
	}
}

// What is refused for want of a token does not come back by itself.
func TestARetryWithoutATokenIsReported(t *testing.T) {
	b, s, j := newJoinBench(t, 2, nil)
	j.err = errors.New("forbidden")
	b.change(func() { s.rows[1].Status, s.rows[1].ServerID, s.status = "CREATE_FAILED", "", "UPDATE_FAILED" })
	b.refresh(s)
	b.clock.Step(recoverFirst)
	b.refresh(s)
	assert.Empty(t, b.sent())
	assert.Equal(t, []string{nodegroups.ReasonNoBootstrapToken}, b.reasons())
}

func TestJoinParametersDoNotShowTheToken(t *testing.T) {
	token := "abcdef.0123456789abcdef"
	j := &joinParameters{tokenParameter: "bootstrap_token", token: secret{&token}}
	for _, text := range []string{fmt.Sprint(j), fmt.Sprintf("%v %+v %#v %s %x", *j, *j, *j, j.token, j.token)} {
		assert.NotContains(t, text, token)
		assert.NotContains(t, text, fmt.Sprintf("%x", token))
	}
	text, err := j.token.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "******", string(text))
}

func TestARefusedUpdateWithATokenIsAnError(t *testing.T) {
	b, s, _ := newJoinBench(t, 1, nil)
	b.patchHook = func(*fakeStack, map[string]any) (bool, error) { return true, httpError(http.StatusBadRequest) }
	require.Error(t, b.grow(s, 1))
	assert.Equal(t, []string{"token1"}, b.sentTokens())
}
