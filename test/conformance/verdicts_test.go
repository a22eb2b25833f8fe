package conformance

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerdictsAreWrittenReadAndCompared(t *testing.T) {
	var out bytes.Buffer
	v := &Verdicts{Target: "here", Out: &out}
	v.Add("b", true)
	v.Add("a", false)
	require.Equal(t, "conformance here b pass\nconformance here a fail\n", out.String())
	path := filepath.Join(t.TempDir(), "verdicts")
	require.NoError(t, v.WriteFile(path))
	read, err := ReadVerdicts(path)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "fail", "b": "pass"}, read)
	require.Empty(t, Differences(read, read))
	require.Equal(t, []string{"a: fail and pass", "c: not run and pass"},
		Differences(read, map[string]string{"a": "pass", "b": "pass", "c": "pass"}))
}

func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, one := range Cases() {
		require.False(t, seen[one.Name], one.Name)
		require.NotNil(t, one.Run, one.Name)
		seen[one.Name] = true
	}
	require.GreaterOrEqual(t, len(seen), 40)
}
