package installed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
)

func TestFlags(t *testing.T) {
	f := ParseFlags([]string{"/autoscaler", "--nodes=1:2:a", "--nodes", "1:3:b", "--dry-run", "-v=2", "--scan_interval=20s", "--scale-down-enabled=false", "--max-nodes-total=x"})
	require.Equal(t, []string{"1:2:a", "1:3:b"}, f["nodes"])
	require.Equal(t, "1:3:b", f.Last("nodes"))
	require.True(t, f.Bool("dry-run", false))
	require.False(t, f.Bool("scale-down-enabled", true))
	require.Equal(t, 20*time.Second, f.Duration("scan-interval", time.Second))
	require.Equal(t, 7, f.Int("max-nodes-total", 7), "what can't be read is not known")
	require.InDelta(t, 0.5, f.Float("scale-down-utilization-threshold", 0.5), 0)
	require.Empty(t, f.Last("other"))
}

func TestStatusPort(t *testing.T) {
	for name, c := range map[string]struct {
		container v1.Container
		want      int
	}{
		"flag":             {v1.Container{Args: []string{"--status-address=:8087"}}, 8087},
		"flag in command":  {v1.Container{Command: []string{"/a", "--status-address=[::]:81"}}, 81},
		"port":             {v1.Container{Ports: []v1.ContainerPort{{Name: "metrics", ContainerPort: 1}, {Name: StatusPortName, ContainerPort: 2}}}, 2},
		"none":             {v1.Container{Args: []string{"--address=:8085"}}, 0},
		"not understood":   {v1.Container{Args: []string{"--status-address=$(ADDRESS)"}}, 0},
		"switched off":     {v1.Container{Args: []string{"--status-address="}}, 0},
		"a name of a port": {v1.Container{Args: []string{"--status-address=:http"}}, 0},
	} {
		pod := &v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{}, c.container}}}
		require.Equal(t, c.want, StatusPort(pod), name)
	}
}

func TestStockMinor(t *testing.T) {
	for image, want := range map[string]int{
		"registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.5":                    33,
		"mirror.example:5000/cluster-autoscaler-arm64:v1.28.7":                      28,
		"cluster-autoscaler:1.30.0@sha256:0123456789012345678901234567890123456789": 30,
		"registry.k8s.io/autoscaling/cluster-autoscaler:latest":                     -1,
		"registry.k8s.io/autoscaling/cluster-autoscaler@sha256:0123456789":          -1,
		"ghcr.io/x/cluster-autoscaler-openstack:v1.2.3":                             -1,
		"ghcr.io/x/cluster-autoscaler-openstack-grpc:v1.2.3":                        -1,
		"": -1,
	} {
		a := &Running{Pods: []v1.Pod{{Spec: v1.PodSpec{Containers: []v1.Container{{Image: "provider:v1.2.3"}, {Image: image}}}}}}
		minor, known := a.StockMinor()
		require.Equal(t, want >= 0, known, image)
		if known {
			require.Equal(t, want, minor, image)
		}
	}
	_, known := (&Running{}).StockMinor()
	require.False(t, known, "no pods")
}
