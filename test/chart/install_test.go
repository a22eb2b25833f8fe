//go:build chart

package chart

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// kubectl runs kubectl as administrator and returns what it prints; what it says otherwise is in the error.
func kubectl(ctx context.Context, input string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, base.Kubernetes(), append([]string{"kubectl", "--kubeconfig", base.Cluster.Kubeconfig}, arguments...)...)
	command.Stdin = strings.NewReader(input)
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, said.String())
	}
	return string(out), nil
}

// The API server takes every object, without a field that it does not know.
func TestServerTakesEveryObject(t *testing.T) {
	t.Parallel()
	_, err := kubectl(t.Context(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: try}\nstuff: {}\n", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
	require.ErrorContains(t, err, "stuff", "a field that is not known has to be refused")
	for _, of := range allValues(t) {
		t.Run(of, func(t *testing.T) {
			var own []string
			// A release that nobody has installed: what is there already would be merged.
			out, err := helm(t.Context(), "template", "dry", dir, "-n", "kube-system", "--kube-version", versionForTemplates, "-f", valuesFile(of))
			require.NoError(t, err)
			for _, document := range documents(t, out) {
				if isForeign(document) {
					continue
				}
				if strings.Contains(document, "\nkind: Pod\n") {
					// A pod's account has to be there already.
					document = regexp.MustCompile(`serviceAccountName: \S+`).ReplaceAllString(document, "serviceAccountName: default")
				}
				own = append(own, document)
			}
			out, err = kubectl(t.Context(), strings.Join(own, "\n---\n"), "apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict", "-f", "-")
			require.NoError(t, err)
			require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), len(own), out)
		})
	}
}

// before is the chart as it was released the last time.
const before = "testdata/cluster-autoscaler-openstack-0.1.0.tgz"

// TestLife installs the chart as it was before, upgrades it with the old values, goes over to the other mode and back, and removes it. Its
// pods find no room at first: the autoscaler of the test makes the nodes that they then run on.
func TestLife(t *testing.T) {
	t.Parallel()
	const namespace = "life"
	w, _ := newWorld(t, namespace, world.Options{NoCloudController: true})
	_, err := w.CreateGroup(t.Context(), world.GroupSpec{Name: "workers", Max: 3})
	require.NoError(t, err)
	require.NoError(t, w.StartAutoscaler(t.Context()))
	// The world's pods say so, and the nodes have no control plane's label.
	values := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(values, []byte("onControlPlane: false\nnodeSelector: {world: "+namespace+"}\n"), 0o600))
	wait := []string{"-n", namespace, "--wait", "--timeout", "5m"}
	given := []string{"-f", valuesFile("minimal"), "-f", values, "--set", "openstack.existingSecret=,openstack.cloudConf=[Global],image.tag=mine"}
	do := func(arguments ...string) string { return inCluster(t, append(arguments, wait...)...) }

	out := do(append([]string{"install", "try", before}, given...)...)
	require.Contains(t, out, "STATUS: deployed")
	require.Contains(t, out, "cluster-autoscaler v1.33.5 runs in namespace life", "NOTES.txt tells the next step")
	running(t, w, 2, "cluster-autoscaler", "node-groups")

	// The values of a chart that did not know all of today's.
	// The new pods are there before the old ones go, so that one can lead at any time.
	whilePodsStay(t, namespace, 2, func() { do("upgrade", "try", dir, "--reuse-values", "--set", "status.enabled=true") })
	running(t, w, 2, "cluster-autoscaler", "node-groups")
	containers := deployed(t, namespace, "try-"+name)
	require.Contains(t, containers[1].Image, ":mine", "values that were given before")
	require.Contains(t, containers[1].Args, "--auto-repairs-per-hour=10", "a value that the old chart did not know")
	require.Contains(t, containers[1].Args, "--status-address=127.0.0.1:8090")

	whilePodsStay(t, namespace, 2, func() { do(append([]string{"upgrade", "try", dir, "--set", "mode=embedded"}, given...)...) })
	running(t, w, 2, "cluster-autoscaler-openstack")

	do("rollback", "try", "1")
	running(t, w, 2, "cluster-autoscaler", "node-groups")
	require.NotContains(t, strings.Join(deployed(t, namespace, "try-"+name)[1].Args, " "), "--auto-repair", "the first revision is of the chart before")
	do("rollback", "try", "3")
	running(t, w, 2, "cluster-autoscaler-openstack")

	do("uninstall", "try")
	left, err := kubectl(t.Context(), "", "get", "deployments,secrets,configmaps,services,roles,rolebindings,clusterroles,clusterrolebindings,poddisruptionbudgets,serviceaccounts",
		"-A", "-l", "app.kubernetes.io/instance=try", "-o", "name")
	require.NoError(t, err)
	require.Empty(t, strings.TrimSpace(strings.ReplaceAll(left, "No resources found", "")))
}

// deployed are the containers of a Deployment.
func deployed(t *testing.T, namespace, deployment string) []v1.Container {
	t.Helper()
	d, err := base.Cluster.Client.AppsV1().Deployments(namespace).Get(t.Context(), deployment, metav1.GetOptions{})
	require.NoError(t, err)
	return d.Spec.Template.Spec.Containers
}

// running waits until there are exactly n pods of the release, all running with these containers.
func running(t *testing.T, w *world.World, n int, containers ...string) {
	t.Helper()
	require.NoError(t, w.Until(t.Context(), stepTimeout, fmt.Sprintf("%d pods of the chart", n), func(ctx context.Context) error {
		pods, err := base.Cluster.Client.CoreV1().Pods(w.Name).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=try"})
		if err != nil {
			return err
		}
		alive := 0
		for _, pod := range pods.Items {
			if pod.DeletionTimestamp != nil {
				continue
			}
			alive++
			var names []string
			for _, container := range pod.Spec.Containers {
				names = append(names, container.Name)
			}
			if pod.Status.Phase != v1.PodRunning || strings.Join(names, " ") != strings.Join(containers, " ") {
				return fmt.Errorf("%s is %s with %v", pod.Name, pod.Status.Phase, names)
			}
		}
		if alive != n {
			return fmt.Errorf("%d pods", alive)
		}
		return nil
	}))
}

// TestCertificatesAreKept: an upgrade does not make new certificates, unless the old ones near their end.
func TestCertificatesAreKept(t *testing.T) {
	t.Parallel()
	const namespace = "certificates"
	client := base.Cluster.Client.CoreV1()
	_, err := client.Namespaces().Create(t.Context(), &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	arguments := []string{"certs", dir, "-n", namespace, "-f", valuesFile("network"), "--set", "monitoring.serviceMonitor.enabled=false,grpc.tls.source=helm"}
	read := func() (server, forClient *v1.Secret) {
		server, err := client.Secrets(namespace).Get(t.Context(), "certs-cluster-autoscaler-openstack-grpc", metav1.GetOptions{})
		require.NoError(t, err)
		forClient, err = client.Secrets(namespace).Get(t.Context(), "certs-cluster-autoscaler-openstack-grpc-client", metav1.GetOptions{})
		require.NoError(t, err)
		require.Equal(t, server.Data["ca.crt"], forClient.Data["ca.crt"])
		return server, forClient
	}
	// From the usual form, whose Deployment has another strategy.
	inCluster(t, "install", "certs", dir, "-n", namespace, "-f", valuesFile("minimal"))
	inCluster(t, append([]string{"upgrade"}, arguments...)...)
	first, firstClient := read()
	requireMutualTLS(t, first, firstClient, "certs-cluster-autoscaler-openstack.certificates.svc")

	inCluster(t, append([]string{"upgrade"}, arguments...)...)
	second, secondClient := read()
	require.Equal(t, first.Data, second.Data)
	require.Equal(t, firstClient.Data, secondClient.Data)

	second.Annotations["cluster-autoscaler-openstack/renew-after"] = "1"
	_, err = client.Secrets(namespace).Update(t.Context(), second, metav1.UpdateOptions{})
	require.NoError(t, err)
	inCluster(t, append([]string{"upgrade"}, arguments...)...)
	third, thirdClient := read()
	require.NotEqual(t, first.Data["tls.crt"], third.Data["tls.crt"])
	requireMutualTLS(t, third, thirdClient, "certs-cluster-autoscaler-openstack.certificates.svc")

	inCluster(t, "uninstall", "certs", "-n", namespace)
	if err := client.Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); !errors.Is(err, nil) && !apierrors.IsNotFound(err) {
		require.NoError(t, err)
	}
}

// What helm says at the end names the next step.
func TestNotes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values, set string
		want, not   string
	}{
		{"minimal", "replicas=2", "cluster-autoscaler v1.33.5 runs in namespace default, with the provider for OpenStack beside it.", "no newer one"},
		{"minimal", "replicas=2", "openstack stack update --existing --tags 'cluster-autoscaler-enabled,cluster=prod,node-group-min-size=0", "no newer one"},
		{"minimal", `autoscaler.versions.1\.33=null`, "There is no newer one in autoscaler.versions, and the cluster is 1.33: set autoscaler.image.tag", "v1.33"},
		{"minimal", "autoscaler.image.tag=latest", "cluster-autoscaler latest runs", "no newer one"},
		{"load", "replicas=2", "port-forward pod/$(kubectl -n default get lease cluster-autoscaler", "deployment/notes-cluster-autoscaler-openstack 8090"},
		{"load", "replicas=1", "port-forward deployment/notes-cluster-autoscaler-openstack 8090", "get lease"},
		{"minimal", "replicas=2", "After an uninstall the ConfigMaps cluster-autoscaler-status and cluster-autoscaler-openstack-joins and", "port-forward"},
		{"least", "replicas=1", "After an uninstall the ConfigMap cluster-autoscaler-status and", "joins"},
		{"network", "replicas=1", "address: notes-cluster-autoscaler-openstack.default.svc:9443", "cluster-autoscaler-status -o yaml"},
		{"embedded", "replicas=2", "It is a dry run: nothing is changed.", "-c node-groups"},
		{"least", "replicas=1", "logs deployment/notes-cluster-autoscaler-openstack -c cluster-autoscaler-openstack", "dry run"},
	} {
		out := inCluster(t, "install", "notes", dir, "-n", "default", "-f", valuesFile(c.values), "--set", c.set, "--dry-run=client",
			"--set", "monitoring.serviceMonitor.enabled=false", "--set", "grpc.tls.source=helm", "--set", "externalMetrics.enabled=false")
		_, notes, found := strings.Cut(out, "\nNOTES:\n")
		require.True(t, found)
		require.Contains(t, notes, c.want)
		require.NotContains(t, notes, c.not)
	}
}
