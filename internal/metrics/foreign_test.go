package metrics_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/autoscaler/cluster-autoscaler/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
	scheduler "k8s.io/kubernetes/pkg/scheduler/metrics"
)

// foreignFile names the metrics of others that the dashboard and the alerts use, with their labels.
const foreignFile = "../../test/chart/alerts/testdata/foreign.txt"

// registerOnce is for "go test -count": core may register its metrics once in a process.
var registerOnce sync.Once

// The dashboard and the alerts ask for metrics that cluster-autoscaler and the scheduler really have, with these labels.
func TestForeignMetricsAreThere(t *testing.T) {
	registerOnce.Do(func() { core.RegisterAll(false) })
	core.UpdateClusterSafeToAutoscale(true)
	core.UpdateUnschedulablePodsCount(1, 0)
	core.UpdateDuration(core.Main, time.Second)
	core.RegisterScaleUp(1, "", "")
	core.RegisterFailedScaleUp(core.APIError, "", "")
	core.RegisterScaleDown(1, "", "", core.Empty)
	scheduler.Register()
	scheduler.PodSchedulingSLIDuration.WithLabelValues("1").Observe(1)

	families, err := legacyregistry.DefaultGatherer.Gather()
	require.NoError(t, err)
	have := map[string][]string{}
	for _, family := range families {
		labels := []string{}
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		have[family.GetName()] = labels
	}
	text, err := os.ReadFile(foreignFile)
	require.NoError(t, err)
	checked := 0
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "cluster_autoscaler_") && !strings.HasPrefix(name, "scheduler_") {
			continue
		}
		checked++
		labels, known := have[name]
		require.True(t, known, "there is no metric %s", name)
		want := slices.DeleteFunc(strings.Split(rest, ","), func(label string) bool { return label == "" })
		require.ElementsMatch(t, want, labels, name)
	}
	require.Equal(t, 7, checked)
}
