package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queue is what a Prometheus is asked for here: the jobs that wait for a pool, and when they were counted.
const queue = `label_replace(sum by (pool) (jobs_waiting), "part", "total", "", "") or label_replace(min by (pool) (timestamp(jobs_waiting)), "part", "timestamp", "", "")`

// newPrometheus is a Prometheus in which 170 jobs wait for the pool "workers"; it answers those who know the word.
func newPrometheus(t *testing.T, word string) *httptest.Server {
	t.Helper()
	const now = 1700000000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		assert.Equal(t, "Bearer "+word, r.Header.Get("Authorization"))
		assert.Equal(t, queue, r.FormValue("query"))
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"pool":"workers","part":"total"},"value":[%[1]d,"170"]},{"metric":{"pool":"workers","part":"timestamp"},"value":[%[1]d,"%[2]d"]},
			{"metric":{"pool":"others","part":"total"},"value":[%[1]d,"9999"]}]}}`, now, now-7)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestPrometheusMakesTheStackGrow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("word", "sesame")
	r := startWithTags(t, []string{"load-metric=jobs"},
		"--load-config="+write("load.yaml", fmt.Sprintf("metrics: {jobs: {source: prometheus, target: 60, expression: %q}}", queue)),
		"--prometheus-url="+newPrometheus(t, "sesame").URL, "--prometheus-node-group-label=pool",
		"--prometheus-config="+write("http.yaml", "authorization: {credentials_file: word}"))
	r.eventually(t, "the stack grows beyond what the pending pod needs", func() bool { return r.size(t) == "3" })
	r.eventually(t, "an Event", func() bool { return r.told("FloorRaised", "target 60, wants 3") })
	require.NoError(t, r.terminate(t))
	require.Equal(t, "3", r.size(t))
	require.NotContains(t, r.log.String(), "sesame", "a secret")
}

func TestAMetricOfPrometheusWithoutPrometheusIsAProblem(t *testing.T) {
	t.Parallel()
	r := startWithTags(t, []string{"load-metric=prometheus:queue", "load-target=60"})
	r.eventually(t, "an Event", func() bool { return r.told("BadLoadPolicy", "--prometheus-url") })
	require.NoError(t, r.terminate(t))
	require.Equal(t, "1", r.size(t), "the pending pod counts as without load")
}

// told says whether there is an Event of this reason with these words.
func (r *running) told(reason, words string) bool {
	for _, e := range r.kube.under("api/v1/namespaces/kube-system/events") {
		if e["reason"] == reason && strings.Contains(textOf(e["message"]), words) {
			return true
		}
	}
	return false
}
