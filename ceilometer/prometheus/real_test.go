//go:build prometheus

package prometheus_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
)

// exporter is what Ceilometer's exporter gives of a server whose processors are used at a steady rate, and a queue's length.
func exporter(start time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i, share := range []float64{.5, 1} {
			_, _ = fmt.Fprintf(w, "ceilometer_cpu{resource=\"server-%d\",server_group=\"stack-1\"} %.0f\n", i, time.Since(start).Seconds()*1e9*2*share)
		}
		_, _ = fmt.Fprint(w, "queue_length{node_group=\"stack-1\",pod=\"a\"} 30\nqueue_length{node_group=\"stack-1\",pod=\"b\"} 50\n")
	})
}

// TestRealPrometheus asks a server of its own. PROMETHEUS names its program, /usr/bin/prometheus of Debian's package for instance.
func TestRealPrometheus(t *testing.T) {
	program := os.Getenv("PROMETHEUS")
	require.NotEmpty(t, program, "PROMETHEUS does not name a program; hack/test-prometheus does")
	scraped := httptest.NewServer(exporter(time.Now()))
	defer scraped.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte("scrape_configs:\n- {job_name: test, scrape_interval: 1s, static_configs: [{targets: ["+
		strings.TrimPrefix(scraped.URL, "http://")+"]}]}\n"), 0o600))
	address, err := ports.Address(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	require.NoError(t, command.Start())
	t.Cleanup(func() { cancel(); _ = command.Wait() })

	s := source(t, "http://"+address, prometheus.Options{})
	ask := request()
	ask.Groups[0].Machines = ask.Groups[0].Machines[:2]
	cpu := ask
	cpu.Metric = ceilometer.Metric{Name: "cpu"}
	var sample ceilometer.Sample
	require.Eventually(t, func() bool {
		cpu.Now = time.Now()
		samples, err := s.Read(t.Context(), cpu)
		sample = samples["workers"]
		return err == nil && sample.Machines == 2 && sample.Err == nil
	}, time.Minute, 200*time.Millisecond, "no sample")
	// rate() does not reach to the ends of the range, where there are only some seconds of data.
	assert.WithinDuration(t, time.Now(), sample.At, 10*time.Second)
	assert.Positive(t, sample.Load)

	ask.Now = time.Now()
	ask.Metric.Expression = `avg by (node_group) (queue_length)
		or label_replace(count by (node_group) (queue_length), "part", "machines", "", "")
		or label_replace(min by (node_group) (timestamp(queue_length)), "part", "timestamp", "", "")`
	samples, err := s.Read(t.Context(), ask)
	require.NoError(t, err)
	assert.Equal(t, 40.0, samples["workers"].Load)
	assert.Equal(t, 2, samples["workers"].Machines)
	assert.WithinDuration(t, time.Now(), samples["workers"].At, 10*time.Second)

	for expression, says := range map[string]string{
		"avg by (": "parse error", "1": "scalar", "up": `"node_group"`, "queue_length[1m]": "matrix",
	} {
		ask.Metric.Expression = expression
		_, err := s.Read(t.Context(), ask)
		require.ErrorContains(t, err, says)
	}
	ask.Metric.Expression = "queue_length"
	samples, err = s.Read(t.Context(), ask)
	require.NoError(t, err)
	require.ErrorContains(t, samples["workers"].Err, `pod="b"`)
}
