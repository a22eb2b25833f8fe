package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// TestCrashAfterMinting: the autoscaler dies between the making of a token and the update that should carry it. Started again,
// it uses that token if there is still something to make, and deletes it if not.
func TestCrashAfterMinting(t *testing.T) {
	t.Parallel()
	spec := world.GroupSpec{Name: "workers", Max: 3}
	// From --v=8 on the client logs what the API server answers.
	flags := []string{"--bootstrap-token-sharing=" + sharing.String(), "--openstack-write-timeout=" + writeTimeout.String(), "--v=9"}
	crash := func(t *testing.T, s *scene, group *world.Group) world.Token {
		t.Helper()
		require.NoError(t, s.StartAutoscaler(t.Context(), flags...))
		mend := s.sim.Inject(simulator.Fault{Service: simulator.Heat, Method: http.MethodPatch, Hang: true})
		s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m"})
		s.until("the update to be on its way", func(context.Context) error {
			if s.sim.CountCalls(simulator.Heat, http.MethodPatch) == 0 {
				return errors.New("no PATCH has come")
			}
			return nil
		})
		tokens := s.tokens(group)
		require.Len(t, tokens, 1, "the token is made before the update is sent")
		s.KillAutoscaler()
		mend()
		require.Empty(t, s.sim.Updates(), "nothing has reached Heat")
		return tokens[0]
	}
	// Now the token may be shared no more: neither by what is said, nor because machines of this group may take so long that it was minted for
	// them alone.
	unshared := append(slices.Clone(flags), "--bootstrap-token-sharing="+brief.String())
	unshare := func(t *testing.T, s *scene, group *world.Group) {
		t.Helper()
		slow := spec
		slow.Annotations = map[string]string{"autoscaling-options-maxnodeprovisiontime": (sharing + provision).String()}
		require.NoError(t, group.Annotate(t.Context(), slow))
		require.NoError(t, s.StartAutoscaler(t.Context(), unshared...))
	}
	t.Run("adopted", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, "adopted")
		group := s.group(spec)
		token := crash(t, s, group)
		require.NoError(t, s.StartAutoscaler(t.Context(), flags...))
		server := s.newest(group, 1)
		require.Equal(t, token.ID, s.tokenOf(server)[:len(token.ID)], "the token that was there is used")
		s.runs("app", 1)
		s.size(group, 1)
		s.noLeak(s.tokenOf(server))
		require.True(t, s.StopAutoscaler())
		unshare(t, s, group)
		s.until("the token to be gone", func(ctx context.Context) error { return s.noTokens(ctx, group) })
		s.noLeak(s.tokenOf(server))
	})
	t.Run("deleted", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, "orphan")
		group := s.group(spec)
		crash(t, s, group)
		require.NoError(t, s.Undeploy(t.Context(), "app"))
		unshare(t, s, group)
		s.until("the token to be gone", func(ctx context.Context) error { return s.noTokens(ctx, group) })
		s.size(group, 0)
	})
}
