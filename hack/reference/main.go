// Command reference writes what follows from something else in the repository: docs/reference/flags.md and tool.md, the tables of
// annotations.md, metrics.md and templates.md beside them, the Heat templates that are made from others, and of the Helm chart the table of its
// values and its permissions. A test of this package fails when they differ; "go run ./hack/reference" puts them right.
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

// referenceFolder holds the pages in which readers look things up.
const referenceFolder = "/docs/reference/"

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
	files, err := tables(root)
	if err != nil {
		return nil, err
	}
	if files[root+referenceFolder+"flags.md"], err = flagsDocument(); err != nil {
		return nil, err
	}
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

// tables returns the hand-written pages of the reference that have a table made from the code, with that table as it should be.
func tables(root string) (map[string]string, error) {
	files := map[string]string{}
	for section, table := range map[string]string{"annotations": annotations(), "metrics": metricsTable()} {
		name := root + referenceFolder + section + ".md"
		content, err := os.ReadFile(name) //nolint:gosec // a file of the repository
		if err != nil {
			return nil, err
		}
		if files[name], err = replace(string(content), section, table); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
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

// flagsDocument is the reference of all flags: tables of our own, then what --help says.
func flagsDocument() (string, error) {
	var out, errs bytes.Buffer
	if code := app.Main([]string{"--help"}, &out, &errs); code != 0 {
		return "", fmt.Errorf("--help ended with %d: %s", code, errs.String())
	}
	help := strings.TrimRight(testFlags.ReplaceAllString(out.String(), ""), "\n")
	return "# Flags\n\n`cluster-autoscaler-openstack` has all flags of cluster-autoscaler 1.33 and the ones in this table. Those of cluster-autoscaler are " +
		"under [All flags](#all-flags), as the program itself explains them. This page is made from the code.\n\n" + app.FlagsMarkdown() +
		"\n## All flags\n\nWhat `cluster-autoscaler-openstack --help` prints. The first section is this project's; the others are " +
		"cluster-autoscaler's own.\n\n```\n" + help + "\n```\n\n" + externalFlags(help), nil
}

var (
	ownSection = regexp.MustCompile(`(?s)\nOpenStack flags:\n(.*?)\n\n`)
	flagName   = regexp.MustCompile(`(?m)^ {6}--([a-z0-9-]+)`)
)

// notExternal are the flags of the first section of --help that the gRPC server has not: --dry-run, and those of cluster-autoscaler that mean
// nothing to it.
func notExternal(help string, cores []string) []string {
	has := map[string]bool{}
	for _, f := range app.OurFlags() {
		has[f.Name] = f.Name != "dry-run"
	}
	for _, name := range cores {
		has[name] = true
	}
	var missing []string
	for _, m := range flagName.FindAllStringSubmatch(ownSection.FindString(help), -1) {
		if !has[m[1]] {
			missing = append(missing, m[1])
		}
	}
	return missing
}

// externalFlags is what cluster-autoscaler-openstack-grpc has and has not.
func externalFlags(help string) string {
	usage, cores := app.ExternalUsage()
	return "## Flags of the gRPC server\n\n`cluster-autoscaler-openstack-grpc` has the flags of the first section, but for `--" +
		strings.Join(notExternal(help, cores), "`, `--") + "`; those about logging; of " +
		"cluster-autoscaler's `--" + strings.Join(cores, "`, `--") + "`, and these:\n\n```\n" + strings.TrimRight(usage, "\n") + "\n```\n"
}
