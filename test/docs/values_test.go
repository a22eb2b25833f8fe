package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// Values for the chart are those that it has, and the flags in them go to the side that has them: the gRPC server is not cluster-autoscaler.
func TestChartValuesExist(t *testing.T) {
	var chart map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, "deploy/chart/cluster-autoscaler-openstack/values.yaml")), &chart))
	flags := readFile(t, "docs/reference/flags.md")
	all := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z0-9-]+)`).FindAllStringSubmatch(flags, -1) {
		all[m[1]] = true
	}
	server := serverFlags(t, flags)
	checked := 0
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			var values map[string]any
			if b.language != "yaml" || yaml.Unmarshal([]byte(b.text), &values) != nil || !areValues(values, chart) {
				continue
			}
			checked++
			for _, problem := range unknownValues("", values, chart) {
				t.Errorf("%s, code block in line %d: the chart has no value %s", b.page, b.line, problem)
			}
			for side, has := range map[string]map[string]bool{"autoscaler": all, "provider": server} {
				given, _ := object(values[side])["extraArgs"].(map[string]any)
				for flag := range given {
					if !has[flag] {
						t.Errorf("%s, code block in line %d: %s.extraArgs: the program there has no flag --%s", b.page, b.line, side, flag)
					}
				}
			}
		}
	}
	require.Greater(t, checked, 3)
}

// serverFlags are the flags of the gRPC server, as docs/reference/flags.md tells them: those of the first section without the ones it names, others of
// cluster-autoscaler, and its own.
func serverFlags(t *testing.T, flags string) map[string]bool {
	t.Helper()
	name := regexp.MustCompile("--([a-z0-9-]+)")
	own := regexp.MustCompile(`(?s)\nOpenStack flags:\n(.*?)\n\n`).FindString(flags)
	_, rest, _ := strings.Cut(flags, "\n## Flags of the gRPC server")
	sentence := regexp.MustCompile(`but for (.*?); those about logging; of cluster-autoscaler's (.*?), and these`).FindStringSubmatch(rest)
	require.Len(t, sentence, 3)
	has := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ {6}--([a-z0-9-]+)`).FindAllStringSubmatch(own, -1) {
		has[m[1]] = true
	}
	for _, m := range name.FindAllStringSubmatch(sentence[1], -1) {
		delete(has, m[1])
	}
	for _, m := range name.FindAllStringSubmatch(sentence[2], -1) {
		has[m[1]] = true
	}
	has["v"] = true
	require.True(t, has["openstack-rate"] && has["scan-interval"] && !has["gpu-total"] && !has["dry-run"])
	return has
}

// areValues says whether a block can only be meant for the chart.
func areValues(values, chart map[string]any) bool {
	if values["apiVersion"] != nil || len(values) == 0 {
		return false
	}
	for key := range values {
		if _, ok := chart[key]; !ok {
			return false
		}
	}
	return true
}

// unknownValues are the paths that the chart does not have. What is empty there may hold anything.
func unknownValues(path string, values, chart map[string]any) []string {
	var unknown []string
	for key, value := range values {
		known, ok := chart[key]
		switch {
		case !ok:
			unknown = append(unknown, path+key)
		case key != "extraArgs" && len(object(known)) > 0:
			unknown = append(unknown, unknownValues(path+key+".", object(value), object(known))...)
		}
	}
	slices.Sort(unknown)
	return unknown
}

func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}
