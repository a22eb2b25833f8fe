// Command reference writes what follows from something else in the repository: the tables of README.md and docs/templates.md,
// docs/flags.md, docs/reference/tool.md, the Heat templates that are made from others, and of the Helm chart the table of its values and its permissions. A test of this package fails when they differ; "go run ./hack/reference" puts them right.
package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/app"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// write brings the files below root up to date.
func write(root string) error {
	files, err := render(root)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // documentation is for everybody
			return err
		}
	}
	return nil
}

// render returns the files as they should be, by path.
func render(root string) (map[string]string, error) {
	readme := root + "/README.md"
	content, err := os.ReadFile(readme) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	out := string(content)
	for section, table := range map[string]string{
		"annotations": annotations(), "flags": app.FlagsMarkdown(), "metrics": metricsTable(),
	} {
		if out, err = replace(out, section, table); err != nil {
			return nil, err
		}
	}
	flags, err := allFlags()
	if err != nil {
		return nil, err
	}
	files := map[string]string{readme: out, root + "/docs/flags.md": flags}
	templates, err := heatTemplates(root)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, templates)
	ofChart, err := chart(root)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, ofChart)
	name, text, err := templatesDocument(root, templates)
	if err != nil {
		return nil, err
	}
	files[name] = text
	files[root+toolPage], err = toolDocument(root)
	return files, err
}

// replace puts table between the markers of a section.
func replace(text, section, table string) (string, error) {
	begin, end := "<!-- begin "+section+" -->\n", "<!-- end "+section+" -->"
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("no section %q between %q and %q", section, strings.TrimSpace(begin), end)
	}
	return before + begin + table + end + after, nil
}

func annotations() string {
	var b strings.Builder
	b.WriteString("| key | type | default | example | meaning |\n|---|---|---|---|---|\n")
	for _, a := range nodegroups.Annotations() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` | %s |\n", a.Key, a.Type, a.Default, a.Example, a.Meaning)
	}
	return b.String()
}

var described = regexp.MustCompile(`fqName: "([^"]*)", help: "(.*)", constLabels: {.*}, variableLabels: {([^}]*)}`)

func metricsTable() string {
	var b strings.Builder
	b.WriteString("| metric | labels | meaning |\n|---|---|---|\n")
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		metrics.New(nil, nil).Describe(descriptions)
	}()
	for d := range descriptions {
		if m := described.FindStringSubmatch(d.String()); m != nil {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m[1], strings.ReplaceAll(m[3], ",", ", "), m[2])
		}
	}
	return b.String()
}

// testFlags are what a test program adds to the flags, with their explanations.
var testFlags = regexp.MustCompile(`(?m)^ +--test\..*\n(?:^ {40,}[^ ].*\n)*`)

// allFlags is what --help says.
func allFlags() (string, error) {
	var out, errs bytes.Buffer
	if code := app.Main([]string{"--help"}, &out, &errs); code != 0 {
		return "", fmt.Errorf("--help ended with %d: %s", code, errs.String())
	}
	help := strings.TrimRight(testFlags.ReplaceAllString(out.String(), ""), "\n")
	return "# All flags\n\nWhat `cluster-autoscaler-openstack --help` prints. The first section is this project's; the others are " +
		"cluster-autoscaler's own.\n\n```\n" + help + "\n```\n\n" + externalFlags(), nil
}

// externalFlags is what cluster-autoscaler-openstack-grpc has and has not.
func externalFlags() string {
	usage, cores := app.ExternalUsage()
	return "# Flags of the gRPC server\n\n`cluster-autoscaler-openstack-grpc` has the flags of the first section, but for `--dry-run`, those about logging, of " +
		"cluster-autoscaler's `--" + strings.Join(cores, "`, `--") + "`, and these:\n\n```\n" + strings.TrimRight(usage, "\n") + "\n```\n"
}
