//go:build chart

package chart

import (
	"context"
	"fmt"
	"net"
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

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestInstalledChartScales runs the programs as the installed Deployment says: with its flags, the contents of its volumes and its
// service account, in a namespace that is not kube-system. A node group grows and shrinks through them, in both modes.
func TestInstalledChartScales(t *testing.T) {
	const namespace, release = "scales", "mine"
	w := newWorld(t, namespace, 99, false)
	group, err := w.CreateGroup(t.Context(), world.GroupSpec{Name: "workers", Max: 2})
	require.NoError(t, err)
	_, cloudConf, found := strings.Cut(w.Cloud.Arguments[0], "--cloud-config=")
	require.True(t, found)
	arguments := []string{
		release, dir, "-n", namespace, "-f", valuesFile("minimal"), "-f", "testdata/quick.yaml", "--set", "openstack.existingSecret=",
		"--set-file", "openstack.cloudConf=" + cloudConf, "--set", "nodeGroups.tags={cluster-autoscaler-enabled,cluster=" + namespace + "}",
		"--set", "provider.extraArgs.bootstrap-api-server=" + base.Cluster.Endpoint, "--set", fmt.Sprintf("grpc.port=%d", freePort(t)),
	}
	for _, mode := range []string{"external", "embedded"} {
		inCluster(t, append([]string{"upgrade", "--install", "--set", "mode=" + mode}, arguments...)...)
		programs := startInstalled(t, namespace, release+"-"+name)
		require.NoError(t, w.Deploy(t.Context(), world.Workload{Name: mode, Replicas: 1, CPU: "600m"}))
		require.NoError(t, w.WaitForRunning(t.Context(), stepTimeout, mode, 1), mode)
		require.NoError(t, w.Undeploy(t.Context(), mode))
		_, err := group.WaitForSize(t.Context(), stepTimeout, 0)
		require.NoError(t, err, mode)
		programs.Stop()
	}
	inCluster(t, "uninstall", release, "-n", namespace)
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// startInstalled starts the programs of a Deployment's containers.
func startInstalled(t *testing.T, namespace, deployment string) *process.Group {
	t.Helper()
	server, stock, err := builder.External(t.Context())
	require.NoError(t, err)
	binary := map[string]string{"cluster-autoscaler-openstack": base.Autoscaler(), "cluster-autoscaler": stock, "node-groups": server}
	installed, err := base.Cluster.Client.AppsV1().Deployments(namespace).Get(t.Context(), deployment, metav1.GetOptions{})
	require.NoError(t, err)
	pod := installed.Spec.Template.Spec
	volumes := t.TempDir()
	for _, volume := range pod.Volumes {
		writeVolume(t, namespace, filepath.Join(volumes, volume.Name), volume)
	}
	kubeconfig := filepath.Join(volumes, "kubeconfig")
	writeKubeconfig(t, namespace, pod.ServiceAccountName, kubeconfig)
	logs := t.TempDir()
	group := process.NewGroup(logs)
	t.Cleanup(func() {
		group.Stop()
		if t.Failed() {
			for _, container := range pod.Containers {
				t.Log(process.Tail(filepath.Join(logs, container.Name+".log"), 8000))
			}
		}
	})
	for _, container := range pod.Containers {
		arguments := []string{"--kubeconfig=" + kubeconfig}
		for _, argument := range container.Args {
			for _, mount := range container.VolumeMounts {
				argument = strings.ReplaceAll(argument, "="+mount.MountPath+"/", "="+filepath.Join(volumes, mount.Name)+"/")
			}
			if !strings.HasPrefix(argument, "--address=") { // a pod has all ports for itself
				arguments = append(arguments, argument)
			}
		}
		arguments = append(arguments, fmt.Sprintf("--address=127.0.0.1:%d", freePort(t)))
		_, err := group.Start(container.Name, process.Options{}, binary[container.Name], arguments...)
		require.NoError(t, err)
	}
	return group
}

// writeVolume writes what a volume holds into a folder.
func writeVolume(t *testing.T, namespace, folder string, volume v1.Volume) {
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
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), text, 0o600))
	}
}

// writeKubeconfig writes a kubeconfig of a service account.
func writeKubeconfig(t *testing.T, namespace, account, path string) {
	t.Helper()
	seconds := int64(time.Hour.Seconds())
	answer, err := base.Cluster.Client.CoreV1().ServiceAccounts(namespace).CreateToken(context.WithoutCancel(t.Context()), account,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	require.NoError(t, err)
	config, err := clientcmd.LoadFromFile(base.Cluster.Kubeconfig)
	require.NoError(t, err)
	config.AuthInfos = map[string]*clientcmdapi.AuthInfo{account: {Token: answer.Status.Token}}
	for _, context := range config.Contexts {
		context.AuthInfo = account
	}
	require.NoError(t, clientcmd.WriteToFile(*config, path))
}
