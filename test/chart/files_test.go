//go:build chart

package chart

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
)

// writeFile writes a file of this name and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// writeVolume writes what a volume holds into a folder, with texts replaced.
func writeVolume(t *testing.T, namespace, folder string, volume v1.Volume, replace *strings.Replacer) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o700))
	files := map[string][]byte{}
	switch {
	case volume.Secret != nil:
		secret, err := base.Cluster.Client.CoreV1().Secrets(namespace).Get(t.Context(), volume.Secret.SecretName, metav1.GetOptions{})
		require.NoError(t, err)
		files = secret.Data
	case volume.ConfigMap != nil:
		configMap, err := base.Cluster.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), volume.ConfigMap.Name, metav1.GetOptions{})
		require.NoError(t, err)
		for file, text := range configMap.Data {
			files[file] = []byte(text)
		}
	}
	require.NotEmpty(t, files, volume.Name)
	for file, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(replace.Replace(string(text))), 0o600))
	}
}

// tokenOf is a token of a service account.
func tokenOf(t *testing.T, namespace, account string) string {
	t.Helper()
	seconds := int64(time.Hour.Seconds())
	answer, err := base.Cluster.Client.CoreV1().ServiceAccounts(namespace).CreateToken(context.WithoutCancel(t.Context()), account,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	require.NoError(t, err)
	return answer.Status.Token
}

// writeKubeconfig writes a kubeconfig of a service account.
func writeKubeconfig(t *testing.T, namespace, account, path string) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(base.Cluster.Kubeconfig)
	require.NoError(t, err)
	config.AuthInfos = map[string]*clientcmdapi.AuthInfo{account: {Token: tokenOf(t, namespace, account)}}
	for _, context := range config.Contexts {
		context.AuthInfo = account
	}
	require.NoError(t, clientcmd.WriteToFile(*config, path))
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	return port
}
