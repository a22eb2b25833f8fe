//go:build chart

package chart

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// The dashboard is long, and a file of its own.
var dashboard = regexp.MustCompile(`(?m)(^  cluster-autoscaler-openstack\.json: \|\n)(?:    .*\n)+`)

func TestSnapshots(t *testing.T) {
	t.Parallel()
	for _, of := range allValues(t) {
		t.Run(of, func(t *testing.T) {
			text := render(t, "-f", valuesFile(of))
			text = dashboard.ReplaceAllString(text, "${1}    (files/dashboard.json)\n")
			file := "testdata/snapshots/" + of + ".yaml"
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), text, "if that is meant: test/chart/run -update")
		})
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	for _, of := range allValues(t) {
		_, err := helm(t.Context(), "lint", "--strict", "--kube-version", versionForTemplates, dir, "-f", valuesFile(of))
		require.NoError(t, err, of)
	}
}

// Every container runs without rights: not as root, on a file system that it can't write to, without capabilities.
func TestContainersHaveNoRights(t *testing.T) {
	t.Parallel()
	for _, of := range allValues(t) {
		all := objects(t, render(t, "-f", valuesFile(of)))
		pods := map[string]v1.PodSpec{}
		for _, deployment := range only[*appsv1.Deployment](all) {
			pods[deployment.Name] = deployment.Spec.Template.Spec
		}
		for _, pod := range only[*v1.Pod](all) {
			pods[pod.Name] = pod.Spec
		}
		for name, pod := range pods {
			require.NotNil(t, pod.SecurityContext, name)
			require.True(t, *pod.SecurityContext.RunAsNonRoot)
			require.Equal(t, v1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
			for _, container := range pod.Containers {
				security := container.SecurityContext
				require.NotNil(t, security, container.Name)
				require.True(t, *security.ReadOnlyRootFilesystem)
				require.False(t, *security.AllowPrivilegeEscalation)
				require.Equal(t, []v1.Capability{"ALL"}, security.Capabilities.Drop)
				require.NotEmpty(t, container.Resources.Limits.Memory().Value(), container.Name)
			}
			for _, volume := range pod.Volumes {
				require.Nil(t, volume.HostPath, volume.Name)
			}
		}
	}
}

// The programs take the flags that the chart gives them.
func TestProgramsKnowTheirFlags(t *testing.T) {
	t.Parallel()
	server, stock, err := builder.External(t.Context())
	require.NoError(t, err)
	programs := map[string]string{"cluster-autoscaler-openstack": base.Autoscaler(), "cluster-autoscaler": stock, "node-groups": server}
	seen := map[string]bool{}
	for _, of := range allValues(t) {
		for _, deployment := range only[*appsv1.Deployment](objects(t, render(t, "-f", valuesFile(of)))) {
			for _, container := range deployment.Spec.Template.Spec.Containers {
				program, isOurs := programs[container.Name]
				if !isOurs {
					require.Equal(t, "descheduler", container.Name)
					continue
				}
				seen[container.Name] = true
				// A flag that is not known, or has a wrong value, is told before the help that comes last.
				out, err := process.Run(t.Context(), process.Options{}, program, append(container.Args, "--help")...)
				text := string(out)
				if err != nil {
					text += err.Error()
				}
				require.Contains(t, strings.ToLower(text), "usage", of)
				require.NotRegexp(t, `unknown flag|invalid argument|invalid value|there is no flag`, text, of)
			}
		}
	}
	require.Len(t, seen, len(programs))
}

// The stock image follows the cluster's version; a cluster that is newer than all known ones gets the newest.
func TestStockImageFollowsTheCluster(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"1.25.0": "v1.25.3", "1.29.14": "v1.29.5", "1.33.1": "v1.33.5", "1.36.0": "v1.36.1", "1.45.0": "v1.36.1"} {
		out, err := helm(t.Context(), "template", name, dir, "--kube-version", version, "-f", valuesFile("minimal"))
		require.NoError(t, err)
		require.Contains(t, out, `image: "registry.k8s.io/autoscaling/cluster-autoscaler:`+want+`"`, version)
	}
	_, err := helm(t.Context(), "template", name, dir, "--kube-version", "1.24.9", "-f", valuesFile("minimal"))
	require.ErrorContains(t, err, "which is incompatible with Kubernetes v1.24.9")
	_, err = helm(t.Context(), "template", name, dir, "--kube-version", "1.25.3", "-f", valuesFile("minimal"), "--set", `autoscaler.versions.1\.25=null`)
	require.ErrorContains(t, err, "autoscaler.versions has no image for Kubernetes 1.25: set autoscaler.image.tag")
}

// Without a cluster and without --kube-version, helm takes the version that it was built with: that of the Kubernetes libraries in it. So
// the documentation says to give one of the two.
func TestTemplateWithoutACluster(t *testing.T) {
	t.Parallel()
	built, err := helm(t.Context(), "version", "--template", "{{.Version}}")
	require.NoError(t, err)
	out, err := helm(t.Context(), "template", name, dir, "-f", valuesFile("minimal"))
	require.NoError(t, err)
	require.Contains(t, out, "registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.5", "helm %s", built)
	out, err = helm(t.Context(), "template", name, dir, "-f", valuesFile("minimal"), "--set", "autoscaler.image.tag=v1.28.7")
	require.NoError(t, err)
	require.Contains(t, out, "registry.k8s.io/autoscaling/cluster-autoscaler:v1.28.7")
}

// What is not "none" of an override stays.
func TestFalseAndNull(t *testing.T) {
	t.Parallel()
	out := render(t, "-f", valuesFile("embedded"), "--set", "autoscaler.extraArgs.enforce-node-group-min-size=false,autoscaler.extraArgs.v=0,autoscaler.extraArgs.expander=null")
	require.Contains(t, out, `"--enforce-node-group-min-size=false"`)
	require.Contains(t, out, `"--v=0"`)
	require.NotContains(t, out, "--expander")
	require.Contains(t, out, `"--openstack-rate=1000000"`)
}
