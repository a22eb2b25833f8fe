package alerts

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const rulesFile = "../../../deploy/grafana/alerts.yaml"

func readRules(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false)
	require.Empty(t, errs)
	out := map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			require.NotContains(t, out, rule.Alert)
			out[rule.Alert] = rule
		}
	}
	return out
}

// runbook is the page of the documentation that the alerts lead to.
const runbook = "docs/how-to/troubleshooting.md"

// Whoever is woken has to know how bad it is, what it is, and what to do: the runbook has a section that is called like the alert, and none
// for an alert that there is not.
func TestAlertsAreDescribed(t *testing.T) {
	page, err := os.ReadFile("../../../" + runbook)
	require.NoError(t, err)
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^##+ ((?:OpenStack|Cluster)[A-Z]\w+)$`).FindAllStringSubmatch(string(page), -1) {
		require.False(t, sections[m[1]], "two sections about %s", m[1])
		sections[m[1]] = true
	}
	rules := readRules(t)
	for section := range sections {
		require.Contains(t, rules, section, "a section about no alert")
	}
	for name, rule := range rules {
		require.True(t, sections[name], "%s has no section %s", runbook, name)
		// A heading's anchor is its text in small letters.
		require.Equal(t, "https://github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/blob/main/"+runbook+"#"+strings.ToLower(name), rule.Annotations["runbook_url"], name)
		require.Contains(t, []string{"critical", "warning"}, rule.Labels["severity"], name)
		require.NotEmpty(t, rule.Annotations["summary"], name)
		require.NotEmpty(t, rule.Annotations["description"], name)
	}
}

// unit is a test in the form of promtool's (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/).
type unit struct {
	Name   string `yaml:"name"`
	Series []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Alerts []struct {
		At       model.Duration `yaml:"eval_time"`
		Name     string         `yaml:"alertname"`
		Expected []struct {
			Labels      map[string]string `yaml:"exp_labels"`
			Annotations map[string]string `yaml:"exp_annotations"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

const interval = time.Minute

func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("testdata/alerts.yaml")
	require.NoError(t, err)
	var file struct {
		RuleFiles []string       `yaml:"rule_files"`
		Interval  model.Duration `yaml:"evaluation_interval"`
		Tests     []unit         `yaml:"tests"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	require.NoError(t, decoder.Decode(&file))
	require.Equal(t, interval, time.Duration(file.Interval))
	all := readRules(t)
	fired, quiet := map[string]bool{}, map[string]bool{}
	for _, u := range file.Tests {
		t.Run(u.Name, func(t *testing.T) {
			var load strings.Builder
			load.WriteString("load 1m\n")
			for _, s := range u.Series {
				fmt.Fprintf(&load, "  %s %s\n", s.Series, s.Values)
			}
			storage := promqltest.LoadedStorage(t, load.String())
			defer storage.Close()
			query := rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery), storage)
			for _, want := range u.Alerts {
				rule, isThere := all[want.Name]
				require.True(t, isThere, want.Name)
				have := firing(t, rule, query, time.Duration(want.At))
				require.Len(t, have, len(want.Expected), "%s at %s: %v", want.Name, want.At, have)
				for _, expected := range want.Expected {
					fired[want.Name] = true
					expected.Labels["alertname"] = want.Name
					found := false
					for _, alert := range have {
						if labels.Equal(alert.Labels, labels.FromMap(expected.Labels)) {
							found = true
							for name, text := range expected.Annotations {
								require.Equal(t, text, alert.Annotations.Get(name))
							}
						}
					}
					require.True(t, found, "%s at %s has %v, not %v", want.Name, want.At, have, expected.Labels)
				}
				if len(want.Expected) == 0 {
					quiet[want.Name] = true
				}
			}
		})
	}
	for name := range all {
		require.True(t, fired[name], "no test in which %s fires", name)
		require.True(t, quiet[name], "no test in which %s is quiet", name)
	}
}

// firing evaluates a rule once a minute and returns what fires at the end.
func firing(t *testing.T, rule rulefmt.Rule, query rules.QueryFunc, until time.Duration) []*rules.Alert {
	t.Helper()
	expression, err := parser.ParseExpr(rule.Expr)
	require.NoError(t, err, rule.Alert)
	alerting := rules.NewAlertingRule(rule.Alert, expression, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
		labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	for at := time.Duration(0); at <= until; at += interval {
		_, err := alerting.Eval(t.Context(), 0, time.Unix(0, 0).UTC().Add(at), query, nil, 0)
		require.NoError(t, err, rule.Alert)
	}
	var out []*rules.Alert
	for _, alert := range alerting.ActiveAlerts() {
		if alert.State == rules.StateFiring {
			require.NotContains(t, alert.Annotations.String(), "error expanding template", rule.Alert)
			out = append(out, alert)
		}
	}
	return out
}
