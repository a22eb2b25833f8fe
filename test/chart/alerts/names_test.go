package alerts

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// Suffixes of the series of a histogram.
var ofHistogram = regexp.MustCompile(`_(bucket|sum|count)$`)

// known are the metrics that there are with their labels: those of our reference, and others' in testdata/foreign.txt.
func known(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	split := func(labels string) []string {
		return strings.FieldsFunc(labels, func(r rune) bool { return r == ',' || r == ' ' })
	}
	reference, err := os.ReadFile("../../../docs/reference/metrics.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| `(cluster_autoscaler_openstack_[a-z_]+)` \\| ([a-z_, ]*)\\|").FindAllStringSubmatch(string(reference), -1) {
		out[m[1]] = split(m[2])
	}
	require.Greater(t, len(out), 20)
	foreign, err := os.ReadFile("testdata/foreign.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(foreign)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			name, labels, _ := strings.Cut(line, " ")
			out[name] = split(labels)
		}
	}
	return out
}

// Labels that a scrape adds, and that of a histogram's buckets.
var scraped = []string{"namespace", "instance", "pod", "job", "le"}

// requireMetrics: all metrics of an expression are there, with the labels by which they are chosen and grouped.
func requireMetrics(t *testing.T, metrics map[string][]string, where, expression string) {
	t.Helper()
	parsed, err := parser.ParseExpr(expression)
	require.NoError(t, err, "%s: %s", where, expression)
	// labelsIn are those of all metrics in an expression.
	labelsIn := func(of parser.Node) []string {
		all := scraped[:len(scraped):len(scraped)]
		parser.Inspect(of, func(node parser.Node, _ []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok {
				all = append(all, metrics[metricOf(metrics, selector)]...)
			}
			return nil
		})
		return all
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			name := metricOf(metrics, node)
			if _, isThere := metrics[name]; !isThere {
				t.Errorf("%s: there is no metric %s", where, name)
			}
			for _, matcher := range node.LabelMatchers {
				if matcher.Name != labels.MetricName && !slices.Contains(labelsIn(node), matcher.Name) {
					t.Errorf("%s: %s has no label %s", where, name, matcher.Name)
				}
			}
		case *parser.AggregateExpr:
			for _, label := range node.Grouping {
				if !slices.Contains(labelsIn(node.Expr), label) {
					t.Errorf("%s: nothing in %s has a label %s", where, node.Expr, label)
				}
			}
		case *parser.BinaryExpr:
			if node.VectorMatching == nil {
				break
			}
			for _, label := range node.VectorMatching.MatchingLabels {
				if !slices.Contains(labelsIn(node.LHS), label) || !slices.Contains(labelsIn(node.RHS), label) {
					t.Errorf("%s: one side of %s has no label %s", where, node, label)
				}
			}
		}
		return nil
	})
}

// metricOf is the metric of a selector, also if it chooses the buckets of a histogram.
func metricOf(metrics map[string][]string, selector *parser.VectorSelector) string {
	name := selector.Name
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == labels.MetricName {
			name = matcher.Value
		}
	}
	if _, isThere := metrics[name]; isThere {
		return name
	}
	return ofHistogram.ReplaceAllString(name, "")
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
		UID       string `json:"uid"`
		Variables struct {
			List []struct {
				Name  string `json:"name"`
				Type  string `json:"type"`
				Query any    `json:"query"`
			} `json:"list"`
		} `json:"templating"`
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
				Expr   string `json:"expr"`
				Legend string `json:"legendFormat"`
			} `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	require.NotEmpty(t, dashboard.UID)
	metrics := known(t)
	// What Grafana puts in place of its variables.
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$namespace", "kube-system", "$node_group", "workers")
	for _, variable := range dashboard.Variables.List {
		if variable.Type != "query" {
			continue
		}
		text := variable.Query.(map[string]any)["query"].(string)
		parts := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(text)
		require.NotNil(t, parts, text)
		requireMetrics(t, metrics, "$"+variable.Name, "count by ("+parts[2]+") ("+variables.Replace(parts[1])+")")
	}
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
			for _, m := range regexp.MustCompile(`\{\{ *(\w+) *\}\}`).FindAllStringSubmatch(target.Legend, -1) {
				require.Regexp(t, `\bby \([a-z_, ]*\b`+m[1]+`\b`, target.Expr, "%s: the legend %s names a label that the query does not leave", panel.Title, target.Legend)
			}
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
