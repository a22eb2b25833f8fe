package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	// sharing outlasts every test: however long it takes, scale-ups share a token.
	sharing = time.Hour
	// brief is over before a machine has joined. A token can go then.
	brief = 5 * time.Second
	// writeTimeout is how long a token that was handed out may not have reached Heat yet.
	writeTimeout = 20 * time.Second
	// provision outlasts every test: a token does not end by itself.
	provision = time.Hour
)

// TestTokens: scale-ups that follow each other share a token. Its secret part is nowhere to be seen.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := newScene(t, "tokens")
	group := s.group(world.GroupSpec{Name: "workers", Max: 5})
	require.NoError(t, s.StartAutoscaler(t.Context(), "--bootstrap-token-sharing="+sharing.String()))
	first := s.scaleUp(group, "first", 1)
	require.Len(t, s.tokens(group), 1, "the token exists before the machine")
	second := s.scaleUp(group, "second", 2)
	require.Equal(t, s.tokenOf(first), s.tokenOf(second), "two scale-ups within %s share a token", sharing)
	s.runs("first", 1)
	s.runs("second", 1)
	s.size(group, 2)
	s.requireFilled(group)
	require.Len(t, s.tokens(group), 1, "it may still be shared")
	require.EqualValues(t, http.StatusForbidden, statusOf(t, s.thief(second)), "the token is still good")
	require.Empty(t, s.sim.Deaths(), "nothing was rebuilt")
	s.noLeak(s.tokenOf(first))
}

// TestTokenIsRevoked: a token goes when its machine has joined, long before its time, and its bearer is not let in any more. A later scale-up
// gets another one. The secret parts are nowhere to be seen.
func TestTokenIsRevoked(t *testing.T) {
	t.Parallel()
	s := newScene(t, "revoked")
	group := s.group(world.GroupSpec{Name: "workers", Max: 5})
	require.NoError(t, s.StartAutoscaler(t.Context(),
		"--bootstrap-token-sharing="+brief.String(), "--openstack-write-timeout="+writeTimeout.String(), "--max-node-provision-time="+provision.String()))
	s.sim.PauseCompute() // what does not boot keeps its token
	first := s.scaleUp(group, "first", 1)
	require.Len(t, s.tokens(group), 1, "the token exists before the machine")
	thief, expires := s.thief(first), s.expiration(s.tokens(group)[0])
	require.EqualValues(t, http.StatusForbidden, statusOf(t, thief), "the token is good")
	s.sim.ResumeCompute()
	s.runs("first", 1)
	s.size(group, 1)
	s.requireFilled(group)
	s.noLeak(s.tokenOf(first))
	s.until("the token to be gone", func(ctx context.Context) error { return s.noTokens(ctx, group) })
	require.Greater(t, time.Until(expires), provision/2, "it has gone because its machine has joined")
	s.unauthorized(thief)

	second := s.scaleUp(group, "second", 2)
	require.NotEqual(t, s.tokenOf(first), s.tokenOf(second), "a later scale-up gets a token of its own")
	s.runs("second", 1)
	members := s.size(group, 2)
	require.Contains(t, members, second.Index)
	now, there := s.sim.Server(first.ID)
	require.True(t, there)
	require.Equal(t, first.UserData, now.UserData, "a new token is for new machines")
	require.Empty(t, s.sim.Deaths(), "nothing was rebuilt")
	s.noLeak(s.tokenOf(first), s.tokenOf(second))
}

// TestTokenExpires: the token of machines that never come dies with its time.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	s := newScene(t, "expiry")
	const provision = 25 * time.Second
	group := s.group(world.GroupSpec{
		Name: "workers", Max: 2, Annotations: map[string]string{"autoscaling-options-maxnodeprovisiontime": provision.String()},
	})
	s.sim.PauseCompute()
	require.NoError(t, s.StartAutoscaler(t.Context(), "--bootstrap-token-sharing="+brief.String()))
	s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m"})
	var token world.Token
	s.until("the token", func(ctx context.Context) error {
		tokens, err := s.Tokens(ctx)
		if err == nil && len(tokens) == 0 {
			err = errors.New("there is none")
		}
		if err == nil {
			token = tokens[0]
		}
		return err
	})
	made, expires := time.Now(), s.expiration(token)
	// It was minted before, in whole seconds of another clock.
	require.LessOrEqual(t, expires.Sub(made), provision+brief+time.Second, "the token is to outlive its machines by no more than it may be shared")
	server := s.newest(group, 1)
	require.Equal(t, token.ID, s.tokenOf(server)[:len(token.ID)])
	thief := s.thief(server)
	// On a computer that is too slow for more it has ended by now.
	if status := statusOf(t, thief); time.Until(expires) > time.Second {
		require.EqualValues(t, http.StatusForbidden, status, "the token is good")
	}
	s.unauthorized(thief)
	// The times in the Secret are whole seconds.
	require.Less(t, time.Until(expires), time.Second, "it is refused because of its age")
	s.until("the dead token to be gone", func(ctx context.Context) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(tokens, func(is world.Token) bool { return is.ID == token.ID }) {
			return fmt.Errorf("Secret %s is still there", token.Secret)
		}
		return nil
	})
	s.noLeak(s.tokenOf(server))
}

// scaleUp lets a pod pend and waits for the server that is made for it, the group's nth.
func (s *scene) scaleUp(group *world.Group, app string, nth int) simulator.Server {
	s.t.Helper()
	s.deploy(world.Workload{Name: app, Replicas: 1, CPU: "600m"})
	return s.newest(group, nth)
}

// expiration is when a token ends.
func (s *scene) expiration(token world.Token) time.Time {
	s.t.Helper()
	secret, err := base.Cluster.Client.CoreV1().Secrets(metav1.NamespaceSystem).Get(s.t.Context(), token.Secret, metav1.GetOptions{})
	require.NoError(s.t, err)
	expires, err := time.Parse(time.RFC3339, string(secret.Data[bootstrapapi.BootstrapTokenExpirationKey]))
	require.NoError(s.t, err)
	return expires
}

// tokens are a group's tokens.
func (s *scene) tokens(group *world.Group) []world.Token {
	s.t.Helper()
	all, err := s.Tokens(s.t.Context())
	require.NoError(s.t, err)
	return slices.DeleteFunc(all, func(token world.Token) bool { return token.Group != group.Name })
}

func (s *scene) noTokens(ctx context.Context, group *world.Group) error {
	all, err := s.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, token := range all {
		if token.Group == group.Name {
			return fmt.Errorf("token %s is there", token.ID)
		}
	}
	return nil
}

// requireFilled checks what the autoscaler has written into the stack, beside the token: where the cluster is.
func (s *scene) requireFilled(group *world.Group) {
	s.t.Helper()
	stack, err := group.Stack(s.t.Context())
	require.NoError(s.t, err)
	require.Equal(s.t, base.Cluster.Endpoint, stack.Parameters["api_server"])
	require.Equal(s.t, base.Cluster.CA, stack.Parameters["cluster_ca"])
	require.Equal(s.t, "******", stack.Parameters["bootstrap_token"])
}
