package bootstrap

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestNodeGroupOfAToken(t *testing.T) {
	now := time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*v1.Secret)
		found  bool
	}{
		"ours":                 {func(*v1.Secret) {}, true},
		"of another minter":    {func(s *v1.Secret) { delete(s.Labels, ManagedByLabel) }, false},
		"without a node group": {func(s *v1.Secret) { s.Annotations = nil }, false},
		"of another kind":      {func(s *v1.Secret) { s.Type = v1.SecretTypeOpaque }, false},
		"of kubeadm's group": {func(s *v1.Secret) {
			s.Data["auth-extra-groups"] = []byte("system:bootstrappers:kubeadm:default-node-token")
		}, false},
		"with another id":     {func(s *v1.Secret) { s.Data["token-id"] = []byte("fedcba") }, false},
		"expired":             {func(s *v1.Secret) { s.Data["expiration"] = []byte(now.Format(time.RFC3339)) }, false},
		"that never expires":  {func(s *v1.Secret) { delete(s.Data, "expiration") }, false},
		"that is being taken": {func(s *v1.Secret) { s.DeletionTimestamp, s.Finalizers = &metav1.Time{Time: now}, []string{"x"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			secret := &v1.Secret{
				ObjectMeta: metav1.ObjectMeta{
					Name: "bootstrap-token-abcdef", Namespace: TokenNamespace,
					Labels: map[string]string{ManagedByLabel: ManagedBy}, Annotations: map[string]string{NodeGroupAnnotation: "workers"},
				},
				Type: "bootstrap.kubernetes.io/token",
				Data: map[string][]byte{
					"token-id": []byte("abcdef"), "token-secret": []byte("0123456789abcdef"), "auth-extra-groups": []byte(TokenGroup),
					"expiration": []byte(now.Add(time.Minute).Format(time.RFC3339)),
				},
			}
			c.change(secret)
			tokens := NewSecretTokens(fake.NewSimpleClientset(secret), clocktesting.NewFakePassiveClock(now))
			group, found, err := tokens.NodeGroup(t.Context(), "abcdef")
			require.NoError(t, err)
			require.Equal(t, c.found, found)
			if found {
				require.Equal(t, "workers", group)
			}
		})
	}
	client := fake.NewSimpleClientset()
	tokens := NewSecretTokens(client, nil)
	_, found, err := tokens.NodeGroup(t.Context(), "abcdef")
	require.NoError(t, err)
	require.False(t, found, "revoked")
	client.PrependReactor("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, errors.New("away") })
	_, _, err = tokens.NodeGroup(t.Context(), "abcdef")
	require.ErrorContains(t, err, "token abcdef")
}
