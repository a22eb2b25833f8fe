package bootstrap

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// withInfo is an API server with a ConfigMap cluster-info that holds this kubeconfig; "" for none.
func withInfo(t *testing.T, kubeconfig string) *apiServer {
	t.Helper()
	api := newAPIServer()
	if kubeconfig != "" {
		_, err := api.CoreV1().ConfigMaps("kube-public").Create(t.Context(), &v1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "cluster-info"}, Data: map[string]string{"kubeconfig": kubeconfig},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	return api
}

// kubeconfig is as kubeadm publishes it.
func kubeconfig(name, server, ca string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters:\n- name: %q\n  cluster: {server: %q, certificate-authority-data: %q}\n", name, server, ca)
}

const inPod = "/var/run/secrets/kubernetes.io/serviceaccount/token"

func TestWhereTheAPIServerIs(t *testing.T) {
	for name, test := range map[string]struct {
		info, flag, own string
		inPod           bool
		want, err       string
	}{
		"the flag":                        {kubeconfig("", "https://1.2.3.4:6443", "Q0E="), "https://lb:6443", "https://own:6443", false, "https://lb:6443", ""},
		"the flag on purpose":             {"", "https://127.0.0.1:6443", "https://own:6443", false, "https://127.0.0.1:6443", ""},
		"cluster-info":                    {kubeconfig("", "https://1.2.3.4:6443", "Q0E="), "", "https://10.96.0.1:443", true, "https://1.2.3.4:6443", ""},
		"cluster-info with a name":        {kubeconfig("prod", "https://1.2.3.4:6443", "Q0E="), "", "https://own:6443", false, "https://1.2.3.4:6443", ""},
		"the kubeconfig":                  {"", "", "https://own:6443", false, "https://own:6443", ""},
		"in a pod":                        {"", "", "https://10.96.0.1:443", true, "", "only the one for pods; give it by --bootstrap-api-server"},
		"this host only":                  {"", "", "https://127.0.0.1:6443", false, "", "an address of this host only; give its address by --bootstrap-api-server"},
		"this host by its name":           {"", "", "https://localhost:6443", false, "", "an address of this host only"},
		"this host in cluster-info":       {kubeconfig("", "https://127.0.0.1:6443", "Q0E="), "", "https://own:6443", false, "", "machines can't reach"},
		"no TLS":                          {"", "", "http://own:8080", false, "", "it must be an https URL"},
		"an odd cluster-info":             {"{", "", "https://own:6443", false, "https://own:6443", ""},
		"a cluster-info without clusters": {"apiVersion: v1\nkind: Config\n", "", "https://10.96.0.1", true, "", "does not name one cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			config := &rest.Config{Host: test.own}
			if test.inPod {
				config.BearerTokenFile = inPod
			}
			got, err := NewCluster(withInfo(t, test.info), config, test.flag).APIServer(t.Context())
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestTheClustersCertificateAuthority(t *testing.T) {
	const pem = "-----BEGIN CERTIFICATE-----\n"
	file := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.WriteFile(file, []byte(pem), 0o600))
	encoded := base64.StdEncoding.EncodeToString([]byte(pem))
	for name, test := range map[string]struct {
		info      string
		tls       rest.TLSClientConfig
		want, err string
	}{
		"cluster-info":      {kubeconfig("", "https://x", encoded), rest.TLSClientConfig{CAData: []byte("other")}, encoded, ""},
		"the kubeconfig":    {"", rest.TLSClientConfig{CAData: []byte(pem)}, encoded, ""},
		"a file":            {"", rest.TLSClientConfig{CAFile: file}, encoded, ""},
		"a file that isn't": {"", rest.TLSClientConfig{CAFile: file + "x"}, "", "certificate authority"},
		"none":              {"", rest.TLSClientConfig{}, "", "is not known; give it to the stack"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := NewCluster(withInfo(t, test.info), &rest.Config{TLSClientConfig: test.tls}, "").ClusterCA(t.Context())
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	api := withInfo(t, kubeconfig("", "https://x", encoded))
	api.fail("get", "configmaps", errors.New("forbidden"))
	got, err := NewCluster(api, &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAData: []byte(pem)}}, "").ClusterCA(t.Context())
	require.NoError(t, err, "the ConfigMap is no must")
	assert.Equal(t, encoded, got)
}
