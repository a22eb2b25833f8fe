package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// documented are the templates whose parameters docs/reference/templates.md lists.
var documented = []string{"nodegroup.yaml", "nodegroup-with-ports.yaml", "cluster.yaml"}

// hot is what the tables are made from.
type hot struct {
	Groups []struct {
		Label       string   `json:"label"`
		Description string   `json:"description"`
		Parameters  []string `json:"parameters"`
	} `json:"parameter_groups"`
	Parameters map[string]struct {
		Type        string           `json:"type"`
		Description string           `json:"description"`
		Default     any              `json:"default"`
		Hidden      bool             `json:"hidden"`
		Constraints []map[string]any `json:"constraints"`
	} `json:"parameters"`
	Outputs map[string]struct {
		Description string `json:"description"`
	} `json:"outputs"`
}

// templatesDocument is docs/reference/templates.md with its tables as the templates are. Those that are made from others are in made.
func templatesDocument(root string, made map[string]string) (name, text string, err error) {
	name = root + referenceFolder + "templates.md"
	content, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return "", "", err
	}
	text = string(content)
	known := map[string]bool{}
	for _, template := range documented {
		path := root + heatFolder + template
		source, isMade := made[path]
		if !isMade {
			content, err := os.ReadFile(path) //nolint:gosec // a file of the repository
			if err != nil {
				return "", "", err
			}
			source = string(content)
		}
		var t hot
		if err := yaml.Unmarshal([]byte(source), &t); err != nil {
			return "", "", fmt.Errorf("%s: %w", template, err)
		}
		if text, err = replace(text, template, t.tables(known)); err != nil {
			return "", "", fmt.Errorf("docs/reference/templates.md: %w", err)
		}
	}
	return name, text, nil
}

// tables lists the parameters group by group. What has been told of an earlier template, in the same words, is not told again.
func (t *hot) tables(known map[string]bool) string {
	var b strings.Builder
	var same []string
	for _, g := range t.Groups {
		var rows strings.Builder
		for _, name := range g.Parameters {
			row := t.row(name)
			if known[row] {
				same = append(same, "`"+name+"`")
				continue
			}
			known[row] = true
			rows.WriteString(row)
		}
		if rows.Len() > 0 {
			fmt.Fprintf(&b, "\n**%s.** %s.\n\n| parameter | type | default | meaning |\n|---|---|---|---|\n%s", g.Label, strings.TrimSuffix(strings.TrimSpace(g.Description), "."), rows.String())
		}
	}
	if len(same) > 0 {
		fmt.Fprintf(&b, "\nAs above: %s.\n", strings.Join(same, ", "))
	}
	b.WriteString("\n| output | is |\n|---|---|\n")
	for _, name := range sorted(t.Outputs) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.TrimSpace(t.Outputs[name].Description))
	}
	return b.String() + "\n"
}

// row is a parameter's row. Whoever has no default has to be given.
func (t *hot) row(name string) string {
	p := t.Parameters[name]
	fallback := "**required**"
	if p.Default != nil {
		text, isText := p.Default.(string)
		if !isText {
			data, err := json.Marshal(p.Default)
			if err == nil {
				text = string(data)
			}
		}
		fallback = "`" + text + "`"
		if text == "" {
			fallback = ""
		}
	}
	kind := p.Type
	if p.Hidden {
		kind += ", hidden"
	}
	meaning := strings.Join(strings.Fields(p.Description), " ")
	if !strings.HasSuffix(meaning, ".") {
		meaning += "."
	}
	for _, c := range p.Constraints {
		if d, _ := c["description"].(string); d != "" {
			meaning += " " + d + "."
		}
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, kind, fallback, strings.ReplaceAll(meaning, "|", `\|`))
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
