package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestATokensSecretIsWhatKubernetesWants(t *testing.T) {
	b := newTokenBench(t, nil)
	token := b.token("workers")
	assert.Regexp(t, `^[a-z0-9]{6}\.[a-z0-9]{16}$`, token)
	secrets := b.api.secrets(t)
	require.Len(t, secrets, 1)
	s := secrets[0]
	assert.Equal(t, "kube-system", s.Namespace)
	assert.Equal(t, "bootstrap-token-"+token[:6], s.Name)
	assert.Equal(t, v1.SecretType("bootstrap.kubernetes.io/token"), s.Type)
	assert.Equal(t, "workers", s.Annotations["cluster-autoscaler-openstack/node-group"])
	text := map[string]string{}
	for k, v := range s.Data {
		text[k] = string(v)
	}
	assert.Equal(t, map[string]string{
		"token-id": token[:6], "token-secret": token[7:], "usage-bootstrap-authentication": "true",
		"auth-extra-groups": "system:bootstrappers:cluster-autoscaler-openstack",
		"expiration":        b.clock.Now().Add(20 * time.Minute).Format(time.RFC3339),
		"description":       "Made by cluster-autoscaler-openstack for new machines of node group workers",
	}, text, "and no usage for signing")
	assert.Equal(t, 1, b.counts.minted)
}

func TestScaleUpsShareATokenWhileItIsFresh(t *testing.T) {
	b := newTokenBench(t, nil)
	first := b.token("workers")
	b.step(5 * time.Minute)
	assert.Equal(t, first, b.token("workers"))
	assert.NotEqual(t, first, b.token("others"), "a token is for one node group")
	b.step(time.Second)
	second := b.token("workers")
	assert.NotEqual(t, first, second)
	assert.True(t, b.api.accepts(t, first), "machines may still be on their way with it")
	assert.Equal(t, 3, b.counts.minted)

	// Another leader, or this one after a restart.
	other := NewTokens(b.api, TokensOptions{Clock: b.clock})
	token, err := other.Token(t.Context(), "workers", DefaultProvisionTime)
	require.NoError(t, err)
	assert.Equal(t, second, token)
	token, err = other.Token(t.Context(), "workers", time.Hour)
	require.NoError(t, err)
	assert.NotEqual(t, second, token, "it does not live long enough")
	assert.Equal(t, b.clock.Now().Add(65*time.Minute), b.api.expires(t, token))
	again, err := other.Token(t.Context(), "workers", DefaultProvisionTime)
	require.NoError(t, err)
	assert.Equal(t, second, again, "the other one lives too long")
}

func TestWithoutSharingEveryScaleUpHasItsOwn(t *testing.T) {
	b := newTokenBench(t, func(o *TokensOptions) { o.Sharing = -1 })
	first := b.token("workers")
	assert.Equal(t, b.clock.Now().Add(15*time.Minute), b.api.expires(t, first))
	assert.NotEqual(t, first, b.token("workers"))
}

func TestCallersAtTheSameTimeGetOneToken(t *testing.T) {
	b := newTokenBench(t, nil)
	tokens := make([]string, 20)
	var wait sync.WaitGroup
	for i := range tokens {
		wait.Go(func() { tokens[i], _ = b.Token(t.Context(), "workers", DefaultProvisionTime) })
	}
	wait.Wait()
	for _, token := range tokens {
		assert.Equal(t, tokens[0], token)
	}
	assert.Len(t, b.api.secrets(t), 1)
}

func TestACallerDoesNotWaitForEver(t *testing.T) {
	b := newTokenBench(t, nil)
	done, err := b.takeTurn(t.Context(), "workers")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Token(ctx, "workers", time.Minute)
	require.ErrorIs(t, err.(nodegroups.Problem), err) //nolint:errorlint // it is the value itself
	done()
	b.token("workers")
}

func TestTheAPIServersClockCounts(t *testing.T) {
	for _, offset := range []time.Duration{-time.Hour, -500 * time.Millisecond, time.Hour} {
		b := newTokenBench(t, nil)
		b.clock.SetTime(b.clock.Now().Add(offset))
		token := b.token("workers")
		left := b.api.expires(t, token).Sub(b.api.clock.Now())
		assert.InDelta(t, 20*time.Minute, left, float64(time.Second), "%s", offset)
		b.step(time.Minute)
		assert.Equal(t, token, b.token("workers"))
		group, found, err := b.NodeGroup(t.Context(), token[:6])
		require.NoError(t, err)
		assert.True(t, found)
		assert.Equal(t, "workers", group)
		b.revoke()
		assert.True(t, b.api.accepts(t, token))
		b.step(20 * time.Minute)
		b.revoke()
		assert.Empty(t, b.api.secrets(t))
	}
}

func TestAnOldAPIServerDoesNotTellItsTime(t *testing.T) {
	b := newTokenBench(t, nil)
	b.api.fail("create", "selfsubjectreviews", apierrors.NewNotFound(schema.GroupResource{}, ""))
	assert.Equal(t, b.clock.Now().Add(20*time.Minute), b.api.expires(t, b.token("workers")))
}

func TestATokenThatCannotBeMadeIsAProblemWithARemedy(t *testing.T) {
	for _, broken := range [][2]string{{"list", "secrets"}, {"create", "secrets"}, {"create", "selfsubjectreviews"}} {
		b := newTokenBench(t, nil)
		mend := b.api.fail(broken[0], broken[1], errors.New("the API server is down"))
		_, err := b.Token(t.Context(), "workers", time.Minute)
		var p nodegroups.Problem
		require.ErrorAs(t, err, &p)
		assert.Equal(t, nodegroups.ReasonNoBootstrapToken, p.Reason)
		assert.Equal(t, "workers", p.Group)
		assert.Contains(t, p.Message, "the API server is down")
		assert.Contains(t, p.Remedy, "kube-system")
		mend()
		b.token("workers")
	}
}

func TestAnIDThatIsTakenIsNotUsed(t *testing.T) {
	b := newTokenBench(t, nil)
	times := 0
	b.api.PrependReactor("create", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		times++
		return times < 3, nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "secrets"}, "x")
	})
	b.token("workers")
	assert.Equal(t, 3, times)
	times = -10
	_, err := b.Token(t.Context(), "others", time.Minute)
	assert.ErrorContains(t, err, "is taken")
}

// Nobody sees a secret, however it is printed.
func TestSecretsAreHidden(t *testing.T) {
	b := newTokenBench(t, nil)
	var said string
	b.api.PrependReactor("create", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		said = string(action.(clienttesting.CreateAction).GetObject().(*v1.Secret).Data["token-secret"])
		return true, nil, fmt.Errorf("a webhook refuses %s", said)
	})
	_, err := b.Token(t.Context(), "workers", time.Minute)
	require.Error(t, err)
	require.Len(t, said, 16)
	assert.NotContains(t, err.Error(), said)
	assert.Contains(t, err.Error(), "a webhook refuses ******")

	k := token{id: "abcdef", secret: hide("0123456789abcdef")}
	asJSON, err := json.Marshal(struct{ S secretText }{k.secret})
	require.NoError(t, err)
	for _, text := range []string{
		fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s %q %x", k, &k, k, k.secret, k.secret, k.secret), string(asJSON),
	} {
		assert.NotContains(t, text, "0123456789abcdef")
		assert.NotContains(t, text, fmt.Sprintf("%x", "0123456789abcdef"))
	}
	assert.False(t, klog.FromContext(unlogged(t.Context())).V(0).Enabled())
}

func TestWhoseTokenItIs(t *testing.T) {
	b := newTokenBench(t, nil)
	token := b.token("workers")
	group, found, err := b.NodeGroup(t.Context(), token[:6])
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, "workers", group)

	for _, id := range []string{"nobody", "", "ABCDEF", "../../x", token} {
		_, found, err = b.NodeGroup(t.Context(), id)
		require.NoError(t, err)
		assert.False(t, found, id)
	}
	mend := b.api.fail("get", "secrets", errors.New("down"))
	_, _, err = b.NodeGroup(t.Context(), token[:6])
	require.Error(t, err)
	mend()
	b.step(20*time.Minute + time.Second)
	_, found, err = b.NodeGroup(t.Context(), token[:6])
	require.NoError(t, err)
	assert.False(t, found, "it is expired")
}

// Somebody else's Secrets are never ours, whatever they look like.
// oddToken puts a token of the node group workers, abcdef, that is valid but for the change.
func (b *bench) oddToken(t *testing.T, change func(*v1.Secret)) token {
	t.Helper()
	k := token{id: "abcdef", secret: hide("0123456789abcdef"), group: "workers", expires: b.clock.Now().Add(20 * time.Minute)}
	secret := k.object()
	change(secret)
	_, err := b.api.CoreV1().Secrets(TokenNamespace).Create(t.Context(), secret, metav1.CreateOptions{})
	require.NoError(t, err)
	return k
}

func TestForeignSecretsAreLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*v1.Secret){
		"no label":      func(s *v1.Secret) { s.Labels = nil },
		"another label": func(s *v1.Secret) { s.Labels[ManagedByLabel] = "Helm" },
		"no group":      func(s *v1.Secret) { s.Annotations = nil },
		"another type":  func(s *v1.Secret) { s.Type = v1.SecretTypeOpaque },
		"another name":  func(s *v1.Secret) { s.Name = "credentials" },
		"kubeadm's": func(s *v1.Secret) {
			s.Data["auth-extra-groups"] = []byte("system:bootstrappers:kubeadm:default-node-token")
		},
		"two groups":     func(s *v1.Secret) { s.Data["auth-extra-groups"] = []byte(TokenGroup + ",system:bootstrappers:more") },
		"a malformed id": func(s *v1.Secret) { s.Data["token-id"] = []byte("x") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newTokenBench(t, nil)
			k := b.oddToken(t, change)
			assert.NotEqual(t, k.text(), b.token("workers"))
			_, found, err := b.NodeGroup(t.Context(), "abcdef")
			require.NoError(t, err)
			assert.False(t, found)
			b.step(time.Hour)
			b.revoke()
			assert.Len(t, b.api.secrets(t), 1)
		})
	}
}

func TestATokenThatKubernetesRefusesIsNotShared(t *testing.T) {
	for name, change := range map[string]func(*v1.Secret){
		"no expiration":      func(s *v1.Secret) { delete(s.Data, "expiration") },
		"odd expiration":     func(s *v1.Secret) { s.Data["expiration"] = []byte("tomorrow") },
		"a malformed secret": func(s *v1.Secret) { s.Data["token-secret"] = []byte("short") },
		"being deleted": func(s *v1.Secret) {
			s.Finalizers, s.DeletionTimestamp = []string{"a/b"}, &metav1.Time{Time: time.Unix(1, 0)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTokenBench(t, nil)
			b.oddToken(t, change)
			assert.NotEqual(t, "abcdef", b.token("workers")[:6])
			b.revoke()
			assert.Equal(t, []string{"workers expired"}, b.counts.revoked)
		})
	}
}
