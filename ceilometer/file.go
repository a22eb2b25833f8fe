package ceilometer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Defaults are cluster-wide: what holds for groups whose annotations don't say otherwise, and metrics by names.
type Defaults struct {
	// Load holds for what annotations don't give. It gives no floor to a group that has no annotation about load at all.
	Load nodegroups.Load
	// Source is the kind of source that the metrics are read from that need no expression, such as cpu; SourceGnocchi if empty.
	Source string
	// Metrics are those that annotations can name besides the sources' own.
	Metrics map[string]NamedMetric
}

// NamedMetric is a metric that has a name in the cluster.
type NamedMetric struct {
	// Source is the kind of its source, SourceGnocchi or SourcePrometheus.
	Source string `json:"source"`
	// Expression is a Gnocchi dynamic-aggregates operation or PromQL. It may be empty for one that Gnocchi's source knows by name.
	Expression string `json:"expression"`
	// Target is the load per machine to aim at, in the metric's unit; 0: annotations or defaults have to give it.
	Target float64 `json:"target"`
}

// file is the form of the file that LoadFile reads.
type file struct {
	Defaults map[string]json.RawMessage `json:"defaults"`
	Metrics  map[string]NamedMetric     `json:"metrics"`
}

// LoadFile reads the file of cluster-wide defaults, which is YAML:
//
//	defaults:                 # the annotations' keys
//	  load-metric: cpu
//	  load-target: 60
//	metrics:
//	  queue-length:
//	    source: prometheus
//	    expression: avg by (node_group) (queue_length)
//	    target: 20
//
// Unknown keys are errors. Every error names the file, the key, the value and the remedy.
func LoadFile(path string) (Defaults, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return Defaults{}, fmt.Errorf("load file: %w", err)
	}
	d, err := ParseFile(text)
	if err != nil {
		return Defaults{}, fmt.Errorf("load file %s: %w", path, err)
	}
	return d, nil
}

// ParseFile reads the text of such a file.
func ParseFile(text []byte) (Defaults, error) {
	var f file
	if err := yaml.UnmarshalStrict(text, &f); err != nil {
		return Defaults{}, err
	}
	values := map[string]string{}
	for key, raw := range f.Defaults {
		value, err := scalar(raw)
		if err != nil {
			return Defaults{}, fmt.Errorf("defaults: %s: %w", key, err)
		}
		values[key] = value
	}
	load, err := nodegroups.ParseLoad(values)
	if err != nil {
		return Defaults{}, fmt.Errorf("defaults: %w", err)
	}
	if load.ServerGroup != "" {
		return Defaults{}, fmt.Errorf("defaults: %s=%q: node groups can't share it; give it to the node group as an annotation",
			nodegroups.KeyLoadServerGroup, load.ServerGroup)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Metrics)) {
		if err := f.Metrics[name].check(name); err != nil {
			return Defaults{}, fmt.Errorf("metrics: %s: %w", name, err)
		}
	}
	return Defaults{Load: load, Metrics: f.Metrics}, nil
}

// scalar returns the text of a value as an annotation would have it; a list becomes one with semicolons.
func scalar(raw json.RawMessage) (string, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && list != nil {
		items := make([]string, 0, len(list))
		for _, one := range list {
			item, err := scalar(one)
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return strings.Join(items, ";"), nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text = strings.TrimSpace(text); text != "" {
			return text, nil
		}
		return "", errors.New("has no value")
	}
	text = string(raw)
	if strings.HasPrefix(text, "{") || text == "null" {
		return "", fmt.Errorf("%s must be a text, a number, true, false or a list", text)
	}
	return text, nil
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

func (m NamedMetric) check(name string) error {
	switch {
	case !namePattern.MatchString(name) || name == "none":
		return errors.New("a metric's name must be lower-case letters, digits and '-', a letter first, and not none")
	case slices.Contains(wellKnown, name):
		return errors.New("is the name of a metric that there is already; choose another one")
	case m.Source != SourceGnocchi && m.Source != SourcePrometheus:
		return fmt.Errorf("source %q must be %s or %s", m.Source, SourceGnocchi, SourcePrometheus)
	case strings.TrimSpace(m.Expression) == "":
		return errors.New("has no expression; write the query that reads it")
	case !(m.Target >= 0):
		return fmt.Errorf("target %v must be above 0", m.Target)
	}
	return nil
}

// metric returns the Metric that a name or expression of an annotation means.
func (d *Defaults) metric(name string) (Metric, float64, error) {
	for _, kind := range []string{SourceGnocchi, SourcePrometheus} {
		if expression, ok := strings.CutPrefix(name, kind+":"); ok {
			return Metric{Name: name, Source: kind, Expression: strings.TrimSpace(expression)}, 0, nil
		}
	}
	if slices.Contains(wellKnown, name) {
		return Metric{Name: name, Source: cmp.Or(d.Source, SourceGnocchi)}, defaultTargets[name], nil
	}
	if m, ok := d.Metrics[name]; ok {
		return Metric{Name: name, Source: cmp.Or(m.Source, SourceGnocchi), Expression: m.Expression}, m.Target, nil
	}
	known := slices.Concat(wellKnown, slices.Sorted(maps.Keys(d.Metrics)))
	return Metric{}, 0, fmt.Errorf("there is no metric %q; name one of %s, or define it in the load file", name, strings.Join(known, ", "))
}
