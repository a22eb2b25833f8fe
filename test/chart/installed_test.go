//go:build chart

package chart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// installation is the programs of a Deployment of the chart, run as it says: with its flags and environment, the contents of its volumes
// and its service account.
type installation struct {
	pods []*installedPod
}

// installedPod is a replica. In place of the ports that a pod has for itself it has free ones.
type installedPod struct {
	processes *process.Group
	// containers are the programs by their containers' names.
	containers map[string]*process.Process
	// ports are those of the flags that name an address, such as external-metrics-address.
	ports map[string]int
}

// start starts the programs of a Deployment, once for each replica. Flags whose names begin with one of without are left out.
func start(t *testing.T, namespace, deployment string, without ...string) *installation {
	t.Helper()
	installed, err := base.Cluster.Client.AppsV1().Deployments(namespace).Get(t.Context(), deployment, metav1.GetOptions{})
	require.NoError(t, err)
	waitForRights(t, namespace, installed.Spec.Template.Spec.ServiceAccountName)
	in := &installation{}
	t.Cleanup(in.stop)
	for range *installed.Spec.Replicas {
		in.pods = append(in.pods, startPod(t, namespace, &installed.Spec.Template.Spec, without))
	}
	return in
}

// waitForRights waits until a service account has all that is bound to it: nothing that its programs ask may be refused.
func waitForRights(t *testing.T, namespace, name string) {
	t.Helper()
	account := &v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	isBound := func(subjects []rbacv1.Subject) bool {
		return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == namespace && s.Name == name
		})
	}
	rbac := base.Cluster.Client.RbacV1()
	wait := func(in string, ref rbacv1.RoleRef) {
		var rules []rbacv1.PolicyRule
		if ref.Kind == "Role" {
			role, err := rbac.Roles(in).Get(t.Context(), ref.Name, metav1.GetOptions{})
			require.NoError(t, err)
			rules = role.Rules
		} else {
			role, err := rbac.ClusterRoles().Get(t.Context(), ref.Name, metav1.GetOptions{})
			require.NoError(t, err)
			rules = role.Rules
		}
		ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
		defer cancel()
		require.NoError(t, base.Cluster.WaitForRights(ctx, account, in, rules))
	}
	bindings, err := rbac.RoleBindings("").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, binding := range bindings.Items {
		if isBound(binding.Subjects) {
			wait(binding.Namespace, binding.RoleRef)
		}
	}
	clusterBindings, err := rbac.ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, binding := range clusterBindings.Items {
		if isBound(binding.Subjects) {
			wait("", binding.RoleRef)
		}
	}
}

// startPod starts the programs of a pod's containers.
func startPod(t *testing.T, namespace string, spec *v1.PodSpec, without []string) *installedPod {
	t.Helper()
	server, stock, err := builder.External(t.Context())
	require.NoError(t, err)
	binary := map[string]string{"cluster-autoscaler-openstack": base.Autoscaler(), "cluster-autoscaler": stock, "node-groups": server}
	folder, logs := t.TempDir(), t.TempDir()
	pod := &installedPod{
		processes: process.NewGroup(logs), containers: map[string]*process.Process{}, ports: map[string]int{"grpc-address": freePort(t)},
	}
	t.Cleanup(func() {
		pod.processes.Stop()
		if t.Failed() {
			for _, container := range spec.Containers {
				t.Logf("the end of the log of %s:\n%s", container.Name, process.Tail(filepath.Join(logs, container.Name+".log"), 60000))
			}
		}
	})
	addresses := strings.NewReplacer("address: 127.0.0.1:8086", fmt.Sprintf("address: 127.0.0.1:%d", pod.ports["grpc-address"]))
	for _, volume := range spec.Volumes {
		writeVolume(t, namespace, filepath.Join(folder, volume.Name), volume, addresses)
	}
	kubeconfig := filepath.Join(folder, "kubeconfig")
	writeKubeconfig(t, namespace, spec.ServiceAccountName, kubeconfig)
	for _, container := range spec.Containers {
		var places []string
		for _, mount := range container.VolumeMounts {
			places = append(places, mount.MountPath, filepath.Join(folder, mount.Name))
		}
		inFolder := strings.NewReplacer(places...)
		arguments := []string{"--kubeconfig=" + kubeconfig, fmt.Sprintf("--address=127.0.0.1:%d", freePort(t))}
		for _, argument := range container.Args {
			flag, _, _ := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
			isLeftOut := slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(flag, prefix) })
			switch {
			case flag == "address" || isLeftOut:
				continue
			case strings.HasSuffix(flag, "-address"):
				if pod.ports[flag] == 0 {
					pod.ports[flag] = freePort(t)
				}
				argument = fmt.Sprintf("--%s=127.0.0.1:%d", flag, pod.ports[flag])
			}
			arguments = append(arguments, inFolder.Replace(argument))
		}
		var environment []string
		for _, variable := range container.Env {
			environment = append(environment, variable.Name+"="+inFolder.Replace(variable.Value))
		}
		pod.containers[container.Name], err = pod.processes.Start(container.Name, process.Options{Env: environment}, binary[container.Name], arguments...)
		require.NoError(t, err)
	}
	return pod
}

// stop ends the programs as the kubelet does, those that lead last: others must not take over.
func (in *installation) stop() {
	for _, leads := range []bool{false, true} {
		for _, pod := range in.pods {
			if pod.leads() != leads {
				continue
			}
			for _, p := range pod.containers {
				p.Terminate(15 * time.Second)
			}
			pod.processes.Stop()
		}
	}
	in.pods = nil
}

// leads says whether one of the pod's programs has become the leader, as client-go's leader election logs it.
func (pod *installedPod) leads() bool {
	for _, p := range pod.containers {
		text, err := os.ReadFile(p.LogPath)
		if err == nil && strings.Contains(string(text), "successfully acquired lease") {
			return true
		}
	}
	return false
}

// killLeader ends the leading pod as a failing host would.
func (in *installation) killLeader(t *testing.T) {
	t.Helper()
	at := slices.IndexFunc(in.pods, (*installedPod).leads)
	require.GreaterOrEqual(t, at, 0, "none of the replicas leads")
	in.pods[at].processes.Stop()
	in.pods = slices.Delete(in.pods, at, at+1)
	require.NotEmpty(t, in.pods)
	require.False(t, slices.ContainsFunc(in.pods, (*installedPod).leads), "two replicas lead")
}
