package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	// sharing is long enough for two scale-ups, one after the other, on a busy computer.
	sharing = 45 * time.Second
	// writeTimeout is how long a token that was handed out may not have reached Heat yet.
	writeTimeout = 20 * time.Second
)

// TestTokens: scale-ups that follow each other share a token, a later one gets another; a token goes when its machines have
// joined, and its bearer is not let in any more. Its secret part is nowhere to be seen.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := newScene(t, "tokens")
	group := s.group(world.GroupSpec{Name: "workers", Max: 5})
	require.NoError(t, s.StartAutoscaler(t.Context(),
		"--bootstrap-token-sharing="+sharing.String(), "--openstack-write-timeout="+writeTimeout.String()))
	first := s.scaleUp(group, "first", 1)
	made := time.Now()
	require.Len(t, s.tokens(group), 1, "the token exists before the machine")
	second := s.scaleUp(group, "second", 2)
	require.Equal(t, s.tokenOf(first), s.tokenOf(second), "two scale-ups within %s share a token", sharing)
	s.runs("first", 1)
	s.runs("second", 1)
	s.size(group, 2)
	s.requireFilled(group)

	thief := s.thief(second)
	require.EqualValues(t, http.StatusForbidden, statusOf(t, thief), "the token is still good")
	s.noLeak(s.tokenOf(first))
	s.until("the token to be gone", func(ctx context.Context) error { return s.noTokens(ctx, group) })
	// It may be shared for a while, then travel to Heat; and the autoscaler looks every ten seconds.
	require.Less(t, time.Since(made), sharing+writeTimeout+30*time.Second, "the token should go soon after its machines have joined")
	s.unauthorized(thief)

	third := s.scaleUp(group, "third", 3)
	require.NotEqual(t, s.tokenOf(first), s.tokenOf(third), "a later scale-up gets a token of its own")
	s.runs("third", 1)
	members := s.size(group, 3)
	require.Contains(t, members, third.Index)
	for _, server := range []simulator.Server{first, second} {
		now, there := s.sim.Server(server.ID)
		require.True(t, there)
		require.Equal(t, server.UserData, now.UserData, "a new token is for new machines")
	}
	require.Empty(t, s.sim.Deaths(), "nothing was rebuilt")
	s.noLeak(s.tokenOf(first), s.tokenOf(third))
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
	const brief = 5 * time.Second
	require.NoError(t, s.StartAutoscaler(t.Context(), "--bootstrap-token-sharing="+brief.String()))
	server := s.scaleUp(group, "app", 1)
	made := time.Now()
	thief := s.thief(server)
	require.EqualValues(t, http.StatusForbidden, statusOf(t, thief), "the token is good")
	expires := s.expiration(server)
	// It was minted before its server was there, in whole seconds of another clock.
	require.LessOrEqual(t, expires.Sub(made), provision+brief+time.Second, "the token is to outlive its machines by no more than it may be shared")
	s.unauthorized(thief)
	// The times in the Secret are whole seconds.
	require.WithinRange(t, time.Now(), expires.Add(-time.Second), expires.Add(stepTimeout/4), "it is refused because of its age, and soon")
	s.until("the dead token to be gone", func(ctx context.Context) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, token := range tokens {
			if strings.HasPrefix(s.tokenOf(server), token.ID) {
				return fmt.Errorf("Secret %s is still there", token.Secret)
			}
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

// expiration is when the token of a server ends.
func (s *scene) expiration(server simulator.Server) time.Time {
	s.t.Helper()
	id, _, _ := strings.Cut(s.tokenOf(server), ".")
	secret, err := base.Cluster.Client.CoreV1().Secrets(metav1.NamespaceSystem).Get(s.t.Context(), bootstrapapi.BootstrapTokenSecretPrefix+id, metav1.GetOptions{})
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
