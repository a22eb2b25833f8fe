package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	yaml "sigs.k8s.io/yaml/goyaml.v3"
)

const chartFolder = "/deploy/chart/cluster-autoscaler-openstack/"

// chart returns the files of the Helm chart that follow from others: the table of its values, their defaults, and the permissions.
func chart(root string) (map[string]string, error) {
	values, err := os.ReadFile(root + chartFolder + "values.yaml") //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	table, err := valuesTable(values)
	if err != nil {
		return nil, fmt.Errorf("values.yaml: %w", err)
	}
	readme, err := os.ReadFile(root + chartFolder + "README.md") //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	text, err := replace(string(readme), "values", table)
	if err != nil {
		return nil, err
	}
	manifest, err := os.ReadFile(root + "/deploy/kubernetes/cluster-autoscaler-openstack.yaml") //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	rules, err := chartRules(string(manifest))
	if err != nil {
		return nil, err
	}
	defaults, err := chartDefaults(values)
	if err != nil {
		return nil, fmt.Errorf("values.yaml: %w", err)
	}
	return map[string]string{
		root + chartFolder + "README.md": text, root + chartFolder + "files/rules.yaml": rules, root + chartFolder + "files/defaults.yaml": defaults,
	}, nil
}

// valuesTable is a table of all values: every one has a comment that begins with "--".
func valuesTable(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| value | default | meaning |\n|---|---|---|\n")
	if err := valueRows(&b, "", document.Content[0]); err != nil {
		return "", err
	}
	return b.String(), nil
}

// valueRows writes a row for each value.
func valueRows(b *strings.Builder, prefix string, parent *yaml.Node) error {
	return eachValue(prefix, parent, func(name, meaning string, value *yaml.Node) error {
		text, err := defaultOf(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, text, strings.ReplaceAll(meaning, "|", "\\|"))
		return nil
	})
}

// eachValue calls do for each value of a map that has a comment; one without has values of its own.
func eachValue(prefix string, parent *yaml.Node, do func(name, meaning string, value *yaml.Node) error) error {
	for i := 0; i+1 < len(parent.Content); i += 2 {
		key, value := parent.Content[i], parent.Content[i+1]
		name := prefix + key.Value
		meaning, isDocumented := meaningOf(key.HeadComment)
		if !isDocumented {
			if value.Kind != yaml.MappingNode || len(value.Content) == 0 {
				return fmt.Errorf("%s in line %d has no comment that begins with \"# --\"", name, key.Line)
			}
			if err := eachValue(name+".", value, do); err != nil {
				return err
			}
			continue
		}
		if err := do(name, meaning, value); err != nil {
			return err
		}
	}
	return nil
}

// chartDefaults are the values by their whole names. The templates look there for what an older chart did not know.
func chartDefaults(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# The values of values.yaml by their whole names, written by \"go run ./hack/reference\". The templates take from here what is missing.\n")
	err := eachValue("", document.Content[0], func(name, _ string, value *yaml.Node) error {
		inOneLine(value)
		text, err := yaml.Marshal(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(strings.Fields(string(text)), " "))
		return nil
	})
	return b.String(), err
}

// meaningOf is the text of the lines of a comment from "# --" on.
func meaningOf(comment string) (string, bool) {
	var words []string
	isDocumented := false
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#"))
		if text, begins := strings.CutPrefix(line, "-- "); begins {
			isDocumented, line = true, text
		}
		if isDocumented && line != "" {
			words = append(words, line)
		}
	}
	return strings.Join(words, " "), isDocumented
}

// longestDefault is what still fits into a table.
const longestDefault = 70

// defaultOf is a default in YAML's one-line form.
func defaultOf(value *yaml.Node) (string, error) {
	inOneLine(value)
	text, err := yaml.Marshal(value)
	if err != nil {
		return "", err
	}
	one := strings.Join(strings.Fields(string(text)), " ")
	if len(one) > longestDefault {
		return "see values.yaml", nil
	}
	return "`" + strings.ReplaceAll(one, "|", "\\|") + "`", nil
}

func inOneLine(node *yaml.Node) {
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""
	if node.Kind == yaml.MappingNode || node.Kind == yaml.SequenceNode {
		node.Style = yaml.FlowStyle
	}
	for _, child := range node.Content {
		inOneLine(child)
	}
}

// errRules says that the manifest is not as the chart's permissions need it.
var errRules = errors.New("deploy/kubernetes/cluster-autoscaler-openstack.yaml does not have one ClusterRole and two Roles")

var (
	roleKind  = regexp.MustCompile(`(?m)^kind: (ClusterRole|Role)$`)
	roleSpace = regexp.MustCompile(`(?m)^  namespace: (\S+)$`)
)

// chartRules are the rules of the manifest's roles by where they hold: "cluster", or a namespace.
func chartRules(manifest string) (string, error) {
	var b strings.Builder
	b.WriteString("# The rules of deploy/kubernetes/cluster-autoscaler-openstack.yaml, written by \"go run ./hack/reference\". The templates leave out what is\n" +
		"# not needed with the values at hand.\n")
	found := 0
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		kind := roleKind.FindStringSubmatch(document)
		_, rules, hasRules := strings.Cut(document, "\nrules:\n")
		if kind == nil || !hasRules {
			continue
		}
		found++
		place := "cluster"
		if kind[1] == "Role" {
			namespace := roleSpace.FindStringSubmatch(document)
			if namespace == nil {
				return "", errRules
			}
			place = namespace[1]
		}
		fmt.Fprintf(&b, "%s:\n%s\n", place, strings.TrimRight(rules, "\n"))
	}
	if found != 3 {
		return "", errRules
	}
	return b.String(), nil
}
