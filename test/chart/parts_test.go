//go:build chart

package chart

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
	"k8s.io/cluster-bootstrap/token/util"
	"sigs.k8s.io/yaml"
)

// quickFlags are the flags of cluster-autoscaler in testdata/installed/quick.yaml.
func quickFlags(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/installed/quick.yaml")
	require.NoError(t, err)
	var values struct {
		Autoscaler struct {
			ExtraArgs map[string]any `json:"extraArgs"`
		} `json:"autoscaler"`
	}
	require.NoError(t, yaml.Unmarshal(text, &values))
	require.NotEmpty(t, values.Autoscaler.ExtraArgs)
	return values.Autoscaler.ExtraArgs
}

// ask sends a request to a port of the replicas until one of them, the one that leads, answers with this code and these words.
func (s *scene) ask(flag string, client *http.Client, path, token string, want int, words string) {
	s.Helper()
	scheme := "http"
	if client != http.DefaultClient {
		scheme = "https"
	}
	require.NoError(s, s.Until(s.Context(), stepTimeout, path+" to be answered", func(ctx context.Context) error {
		var errs []error
		for _, pod := range s.running.pods {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, pod.ports[flag], path), nil)
			if err != nil {
				return err
			}
			if token != "" {
				request.Header.Set("Authorization", "Bearer "+token)
			}
			response, err := client.Do(request)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err == nil && response.StatusCode == want && strings.Contains(string(body), words) {
				return nil
			}
			errs = append(errs, fmt.Errorf("%s: %s: %w", response.Status, body, err))
		}
		return errors.Join(errs...)
	}))
}

// requireExternalMetrics: what serves load has the certificate that the APIService asks for, knows who asks, and answers who may.
func (s *scene) requireExternalMetrics() {
	s.Helper()
	body, err := base.Cluster.Client.Discovery().RESTClient().Get().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io").DoRaw(s.Context())
	require.NoError(s, err)
	var service struct {
		Spec struct {
			CABundle []byte                           `json:"caBundle"`
			Service  struct{ Namespace, Name string } `json:"service"`
		} `json:"spec"`
	}
	require.NoError(s, json.Unmarshal(body, &service))
	at, err := base.Cluster.Client.CoreV1().Services(service.Spec.Service.Namespace).Get(s.Context(), service.Spec.Service.Name, metav1.GetOptions{})
	require.NoError(s, err)
	pods, err := base.Cluster.Client.CoreV1().Pods(s.Name()).List(s.Context(), metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: at.Spec.Selector})})
	require.NoError(s, err)
	require.NotEmpty(s, pods.Items, "the Service finds the pods of the chart")

	if s.authority != nil {
		require.Equal(s, s.authority, service.Spec.CABundle, "an upgrade keeps the certificate")
	}
	s.authority = service.Spec.CABundle
	pool := x509.NewCertPool()
	require.True(s, pool.AppendCertsFromPEM(service.Spec.CABundle))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: pool, ServerName: fmt.Sprintf("%s.%s.svc", at.Name, at.Namespace), MinVersion: tls.VersionTLS12,
	}}}
	defer client.CloseIdleConnections()
	path := "/apis/external.metrics.k8s.io/v1beta1/namespaces/" + s.Name() + "/openstack_node_group_load_cpu"
	token := tokenOf(s.T, s.Name(), "default")
	s.ask("external-metrics-address", client, path, token, http.StatusForbidden, "system:serviceaccount:"+s.Name()+":default")
	role := metav1.ObjectMeta{Name: "external-metrics-reader", Namespace: s.Name()}
	rbac := base.Cluster.Client.RbacV1()
	_, err = rbac.Roles(s.Name()).Create(s.Context(), &rbacv1.Role{ObjectMeta: role, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"external.metrics.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"get", "list"}},
	}}, metav1.CreateOptions{})
	require.NoError(s, err)
	_, err = rbac.RoleBindings(s.Name()).Create(s.Context(), &rbacv1.RoleBinding{
		ObjectMeta: role, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "default", Namespace: s.Name()}},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	require.Contains(s, s.notes(), "kubectl get --raw "+path)
	// Nothing measures here.
	s.ask("external-metrics-address", client, path, token, http.StatusNotFound, "a present value of a node group")
	require.NoError(s, rbac.RoleBindings(s.Name()).Delete(s.Context(), role.Name, metav1.DeleteOptions{}))
	require.NoError(s, rbac.Roles(s.Name()).Delete(s.Context(), role.Name, metav1.DeleteOptions{}))
}

// notes are what helm said at the end.
func (s *scene) notes() string {
	s.Helper()
	return inCluster(s.T, "get", "notes", s.release, "-n", s.Name())
}

// requireStatusPage: the page is where the chart says, and knows the node group.
func (s *scene) requireStatusPage() {
	s.Helper()
	require.Contains(s, s.notes(), "port-forward pod/$(kubectl -n "+s.Name()+" get lease cluster-autoscaler -o jsonpath='{.spec.holderIdentity}' | cut -d_ -f1) 8090")
	s.ask("status-address", http.DefaultClient, "/", "", http.StatusOK, s.Name()+"-workers")
}

// ownJoining are the template's parameters for machines that join by their own means, with a bootstrap token that the cluster's operator
// has made and whose bearers' certificates the cluster approves.
func (s *scene) ownJoining() map[string]any {
	s.Helper()
	text, err := util.GenerateBootstrapToken()
	require.NoError(s, err)
	id, secret := text[:6], text[7:]
	const group = "system:bootstrappers:own"
	_, err = base.Cluster.Client.CoreV1().Secrets(metav1.NamespaceSystem).Create(s.Context(), &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: bootstrapapi.BootstrapTokenSecretPrefix + id}, Type: bootstrapapi.SecretTypeBootstrapToken,
		StringData: map[string]string{
			bootstrapapi.BootstrapTokenIDKey: id, bootstrapapi.BootstrapTokenSecretKey: secret, bootstrapapi.BootstrapTokenExtraGroupsKey: group,
			bootstrapapi.BootstrapTokenUsageAuthentication: "true",
		},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	for name, role := range map[string]string{
		"own:bootstrapper": "system:node-bootstrapper", "own:approval": "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
	} {
		_, err := base.Cluster.Client.RbacV1().ClusterRoleBindings().Create(s.Context(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}},
		}, metav1.CreateOptions{})
		require.NoError(s, err)
	}
	return map[string]any{"bootstrap_token_source": "own", "bootstrap_token": text, "api_server": base.Cluster.Endpoint, "cluster_ca": base.Cluster.CA}
}
