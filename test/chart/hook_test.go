//go:build chart

package chart

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// requireCheck: what the pod of "helm test" runs finds nothing wrong, with the account and the files that it has.
func (s *scene) requireCheck() {
	s.Helper()
	hooks := inCluster(s.T, "get", "hooks", s.release, "-n", s.Name())
	pods := only[*v1.Pod](objects(s.T, hooks))
	require.Len(s, pods, 1)
	spec := pods[0].Spec
	folder := s.TempDir()
	var places []string
	for _, volume := range spec.Volumes {
		writeVolume(s.T, s.Name(), filepath.Join(folder, volume.Name), volume, strings.NewReplacer())
	}
	container := spec.Containers[0]
	for _, mount := range container.VolumeMounts {
		places = append(places, mount.MountPath, filepath.Join(folder, mount.Name))
	}
	inFolder := strings.NewReplacer(places...)
	kubeconfig := filepath.Join(folder, "kubeconfig")
	writeKubeconfig(s.T, s.Name(), spec.ServiceAccountName, kubeconfig)
	var arguments []string
	for _, argument := range append(container.Command[1:], container.Args...) {
		arguments = append(arguments, inFolder.Replace(argument))
	}
	environment := []string{"HOME=" + folder, "PATH=" + os.Getenv("PATH")}
	for _, variable := range container.Env {
		environment = append(environment, variable.Name+"="+inFolder.Replace(variable.Value))
	}
	require.Equal(s, "/cluster-autoscaler-openstack", container.Command[0])
	out, err := process.Run(s.Context(), process.Options{Env: environment}, base.Autoscaler(), append(arguments, "--kubeconfig="+kubeconfig)...)
	require.NoError(s, err)
	for _, checked := range []string{"credentials", "endpoints", "quotas", "node group " + s.Name() + "-workers", "permissions"} {
		require.Contains(s, string(out), checked)
	}
}
