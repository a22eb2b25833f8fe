package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValuesTable(t *testing.T) {
	table, err := valuesTable([]byte("# about all\n\n# -- One\n# and more.\na: 1\nb:\n  # -- Two | three.\n  c: {x: [1, \"2\"]}\n"))
	require.NoError(t, err)
	require.Equal(t, "| value | default | meaning |\n|---|---|---|\n| `a` | `1` | One and more. |\n| `b.c` | `{x: [1, \"2\"]}` | Two \\| three. |\n", table)
}

func TestChartDefaults(t *testing.T) {
	defaults, err := chartDefaults([]byte("# about all\n\n# -- One.\na: 1\nb:\n  # -- Two.\n  c: {x: [1, \"2\"]}\n"))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(defaults, "\n")
	require.Equal(t, "a: 1\nb.c: {x: [1, \"2\"]}\n", rest)
}

func TestEveryValueIsDocumented(t *testing.T) {
	for _, values := range []string{"a: 1\n", "a:\n  b: []\n", "# no dashes\na: {}\n"} {
		_, err := valuesTable([]byte(values))
		require.ErrorContains(t, err, "has no comment", values)
	}
}

func TestChartRulesNeedAllRoles(t *testing.T) {
	_, err := chartRules("kind: ClusterRole\nrules:\n- a\n")
	require.ErrorIs(t, err, errRules)
}
