package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// What a pod's claims are bound to. A volume that is gone is an answer, one that may not be read is an error.
func TestVolumes(t *testing.T) {
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: "shop"} }
	claim := func(name, volume string) *v1.PersistentVolumeClaim {
		return &v1.PersistentVolumeClaim{ObjectMeta: named(name), Spec: v1.PersistentVolumeClaimSpec{VolumeName: volume}}
	}
	pod := &v1.Pod{ObjectMeta: named("a")}
	for _, name := range []string{"bound", "unbound", "missing", "lost"} {
		source := v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: name}}
		pod.Spec.Volumes = append(pod.Spec.Volumes, v1.Volume{Name: name, VolumeSource: source})
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, v1.Volume{Name: "none"})
	client := fake.NewClientset(claim("bound", "pv-1"), claim("unbound", ""), claim("lost", "pv-2"), &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-1"}})
	reader := New(client, cli.AutoscalerOptions{})
	claims, err := reader.Volumes(t.Context(), pod)
	require.NoError(t, err)
	require.Len(t, claims, 3)
	require.Equal(t, "pv-1", claims["bound"].Volume.Name)
	require.Equal(t, Claim{}, claims["unbound"])
	require.Equal(t, Claim{Lost: "pv-2"}, claims["lost"])

	client.PrependReactor("get", "persistentvolumes", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", nil)
	})
	_, err = reader.Volumes(t.Context(), pod)
	require.True(t, apierrors.IsForbidden(err))
}
