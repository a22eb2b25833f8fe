//go:build vm

package vm_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/attacker"
)

// tokenSecret is the secret part of the tokens that are made here.
const tokenSecret = "0123456789abcdef"

// makeToken makes a token as an operator would, with which a kubelet may ask for a certificate. It is taken away in the end.
func makeToken(t *testing.T, id, group string, expires time.Time) string {
	t.Helper()
	secrets := base.Cluster.Client.CoreV1().Secrets(bootstrap.TokenNamespace)
	name := bootstrapapi.BootstrapTokenSecretPrefix + id
	_, err := secrets.Create(t.Context(), &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: bootstrapapi.SecretTypeBootstrapToken,
		StringData: map[string]string{
			bootstrapapi.BootstrapTokenIDKey: id, bootstrapapi.BootstrapTokenSecretKey: tokenSecret,
			bootstrapapi.BootstrapTokenExpirationKey:       expires.UTC().Format(time.RFC3339),
			bootstrapapi.BootstrapTokenUsageAuthentication: "true", bootstrapapi.BootstrapTokenExtraGroupsKey: group,
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = secrets.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}) })
	return id + "." + tokenSecret
}

// letAsk lets bearers of a group ask for kubelets' certificates, as kubeadm does for its own.
func letAsk(t *testing.T, group string) {
	t.Helper()
	bindings := base.Cluster.Client.RbacV1().ClusterRoleBindings()
	const name = "operator:node-bootstrapper"
	_, err := bindings.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:node-bootstrapper"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = bindings.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}) })
}

// answers waits until the API server answers to a token by this status: 403 if it knows it, 401 if not.
func (s *scene) answers(t *testing.T, token string, status int32) {
	t.Helper()
	thief, err := attacker.WithToken(base.Cluster.Config, token)
	require.NoError(t, err)
	require.NoError(t, s.Until(t.Context(), nodeTimeout, fmt.Sprintf("HTTP %d", status), func(ctx context.Context) error {
		if code := attacker.StatusOf(thief.Look(ctx)); code != status {
			return fmt.Errorf("HTTP %d", code)
		}
		return nil
	}))
}

// badTokens are one that was good and has expired, and one that was good and was revoked.
func (s *scene) badTokens(t *testing.T) (expired, revoked string) {
	t.Helper()
	expired = makeToken(t, "expird", bootstrap.TokenGroup, time.Now().Add(10*time.Second))
	revoked = makeToken(t, "revokd", bootstrap.TokenGroup, time.Now().Add(time.Hour))
	for _, token := range []string{expired, revoked} {
		s.answers(t, token, http.StatusForbidden)
	}
	name := bootstrapapi.BootstrapTokenSecretPrefix + "revokd"
	require.NoError(t, base.Cluster.Client.CoreV1().Secrets(bootstrap.TokenNamespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
	for _, token := range []string{expired, revoked} {
		s.answers(t, token, http.StatusUnauthorized)
	}
	return expired, revoked
}
