package alerts

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// Suffixes of the series of a histogram.
var ofHistogram = regexp.MustCompile(`_(bucket|sum|count)$`)

// known are the metrics that there are: those of the table in docs/reference/metrics.md, and others' in testdata/foreign.txt.
func known(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	reference, err := os.ReadFile("../../../docs/reference/metrics.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| `(cluster_autoscaler_openstack_[a-z_]+)` \\|").FindAllStringSubmatch(string(reference), -1) {
		out[m[1]] = true
	}
	require.Greater(t, len(out), 20)
	foreign, err := os.ReadFile("testdata/foreign.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(foreign)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out[line] = true
		}
	}
	return out
}

func requireMetrics(t *testing.T, metrics map[string]bool, where, expression string) {
	t.Helper()
	parsed, err := parser.ParseExpr(expression)
	require.NoError(t, err, "%s: %s", where, expression)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			name := selector.Name
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == labels.MetricName {
					name = matcher.Value
				}
			}
			if !metrics[name] && !metrics[ofHistogram.ReplaceAllString(name, "")] {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
		return nil
	})
}

func TestAlertsUseMetricsThatThereAre(t *testing.T) {
	metrics := known(t)
	for name, rule := range readRules(t) {
		requireMetrics(t, metrics, name, rule.Expr)
	}
}

// The dashboard's queries are valid, of metrics that there are; its panels have different ids and do not overlap.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/grafana/dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		UID    string `json:"uid"`
		Panels []struct {
			ID          int    `json:"id"`
			Type        string `json:"type"`
			Title       string `json:"title"`
			Description string `json:"description"`
			Datasource  struct {
				UID string `json:"uid"`
			} `json:"datasource"`
			Place   struct{ X, Y, W, H int } `json:"gridPos"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	require.NotEmpty(t, dashboard.UID)
	metrics := known(t)
	// What Grafana puts in place of its variables.
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$namespace", "kube-system", "$node_group", "workers")
	ids, places, queries, all := map[int]bool{}, map[[2]int]string{}, 0, ""
	for _, panel := range dashboard.Panels {
		require.False(t, ids[panel.ID], "two panels have the id %d", panel.ID)
		ids[panel.ID] = true
		for x := panel.Place.X; x < panel.Place.X+panel.Place.W; x++ {
			for y := panel.Place.Y; y < panel.Place.Y+panel.Place.H; y++ {
				require.Less(t, x, 24, panel.Title)
				require.Empty(t, places[[2]int{x, y}], "%s is above another panel", panel.Title)
				places[[2]int{x, y}] = panel.Title
			}
		}
		if panel.Type == "row" {
			continue
		}
		require.NotEmpty(t, panel.Description, panel.Title)
		require.Equal(t, "${datasource}", panel.Datasource.UID, panel.Title)
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			queries++
			all += target.Expr + "\n"
			requireMetrics(t, metrics, panel.Title, variables.Replace(target.Expr))
		}
	}
	require.Greater(t, queries, 40)
	// What an operator opens it for.
	for _, metric := range []string{
		"node_group_target_size", "node_group_members", "node_group_floor", "load", "load_target", "api_requests_total", "node_ready_duration_seconds_bucket",
		"removals_wrong_total", "removals_verified_total", "problems", "csr_approval_duration_seconds_bucket", "repairs_held_back",
	} {
		require.Contains(t, all, "cluster_autoscaler_openstack_"+metric+"{", "no panel shows it")
	}
}
