package templates_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const withPorts = "nodegroup-with-ports.yaml"

// form is what Horizon's "launch stack" makes its form from.
type form struct {
	Version     string `json:"heat_template_version"`
	Description string `json:"description"`
	Groups      []struct {
		Label       string   `json:"label"`
		Description string   `json:"description"`
		Parameters  []string `json:"parameters"`
	} `json:"parameter_groups"`
	Parameters map[string]struct {
		Type        string           `json:"type"`
		Label       string           `json:"label"`
		Description string           `json:"description"`
		Default     any              `json:"default"`
		Hidden      bool             `json:"hidden"`
		Constraints []map[string]any `json:"constraints"`
	} `json:"parameters"`
}

var templates = []string{nodegroup, withPorts, "node-with-port.yaml", cluster}

func TestFormsExplainThemselves(t *testing.T) {
	for _, name := range templates {
		var f form
		require.NoError(t, yaml.Unmarshal([]byte(read(t, name)), &f))
		assert.NotEmpty(t, f.Description, name)
		times := map[string]int{}
		for _, g := range f.Groups {
			assert.NotEmpty(t, g.Label, name)
			assert.NotEmpty(t, g.Description, "%s: group %s", name, g.Label)
			for _, p := range g.Parameters {
				times[p]++
				assert.Contains(t, f.Parameters, p, "%s: group %s", name, g.Label)
			}
		}
		labels := map[string]bool{}
		for p, is := range f.Parameters {
			where := name + ": " + p
			assert.Equal(t, 1, times[p], "%s is in as many groups", where)
			assert.NotEmpty(t, is.Label, where)
			assert.False(t, labels[is.Label], "%s: two parameters are labelled %q", where, is.Label)
			labels[is.Label] = true
			assert.Greater(t, len(is.Description), 8, where)
			assert.Contains(t, []string{"string", "number", "boolean", "json", "comma_delimited_list"}, is.Type, where)
			if is.Type == "number" {
				assert.NotEmpty(t, is.Constraints, "%s: a number has limits", where)
			}
			for _, c := range is.Constraints {
				if c["allowed_pattern"] != nil {
					assert.NotEmpty(t, c["description"], "%s: a pattern is nothing to show to people", where)
				}
			}
			secret := strings.Contains(p, "token") && !strings.Contains(p, "source") || strings.Contains(p, "secret") || strings.Contains(p, "user_data")
			assert.True(t, is.Hidden || !secret, "%s has to be hidden", where)
		}
	}
}

// functions are those of HOT 2018-08-31 that the templates use, conditions included (heat/engine/hot/template.py).
var functions = []string{
	"get_param", "get_resource", "get_attr", "str_replace", "str_split", "list_join", "list_concat", "map_merge", "repeat", "if",
	"equals", "not", "and", "or",
}

// looksLikeAFunction are the other functions of HOT: a template that begins to use one needs it in the simulated Heat too.
var looksLikeAFunction = []string{
	"get_file", "resource_facade", "digest", "yaql", "map_replace", "filter", "str_replace_strict", "make_url", "str_replace_vstrict",
	"list_concat_unique", "contains",
}

func TestTemplatesUseKnownFunctions(t *testing.T) {
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 1 {
				for k := range v {
					used[k] = true
				}
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	for _, name := range templates {
		template := parse(t, read(t, name))
		assert.Equal(t, "2018-08-31", strings.TrimSuffix(at(template, "heat_template_version"), "T00:00:00Z"), name)
		walk(template["conditions"])
		walk(template["resources"])
		walk(template["outputs"])
		assert.Less(t, len(read(t, name)), 524288, "%s: Heat's max_template_size", name)
	}
	for _, f := range functions {
		assert.True(t, used[f], "%s is not used any more", f)
	}
	for _, f := range looksLikeAFunction {
		assert.False(t, used[f], "%s is not known to the simulated Heat", f)
	}
}
