package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	calledJSON = `{"config":{"protocol_version":"v1"}}
{"finding":{"osv":"GO-1","fixed_version":"v1.2.4","trace":[{"module":"example.org/m","version":"v1.2.3","package":"example.org/m/p","function":"F"}]}}`
	importedJSON = `{"finding":{"osv":"GO-2","trace":[{"module":"example.org/n","version":"v1.0.0","package":"example.org/n"}]}}`
	goJSON       = `{"finding":{"osv":"GO-3","fixed_version":"v1.26.10","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"F"}]}}
{"finding":{"osv":"GO-4","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"F"}]}}`
	goUnmendedJSON = `{"finding":{"osv":"GO-5","trace":[{"module":"stdlib","version":"v1.26.8","package":"os","function":"F"}]}}`
	alsoInGoJSON   = `{"finding":{"osv":"GO-1","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"F"}]}}`
)

func TestReport(t *testing.T) {
	tests := map[string]struct {
		input   string
		allowed map[string]string
		prints  string
		fails   string
	}{
		"nothing":               {"", nil, "0 vulnerabilities", ""},
		"called":                {calledJSON + importedJSON, nil, "GO-1: example.org/m@v1.2.3, called, mended in v1.2.4", "GO-1"},
		"only imported":         {importedJSON, nil, "0 vulnerabilities are in code that is called, 1 more", ""},
		"allowed":               {calledJSON, map[string]string{"GO-1": "pinned"}, "allowed: pinned", ""},
		"allowed, but gone":     {"", map[string]string{"GO-1": "pinned"}, "0 vulnerabilities", "remove its line"},
		"mended by a newer Go":  {goJSON, nil, "WARNING: 2 of them are in the standard library of Go 1.26.8: build what is given to others with Go 1.26.10 or later", ""},
		"not mended by any Go":  {goUnmendedJSON, nil, "GO-5: stdlib@v1.26.8, called, no version mends it", "GO-5"},
		"in Go and in a module": {calledJSON + alsoInGoJSON + importedJSON, nil, "1 vulnerabilities are in code that is called, 1 more", "GO-1"},
		"in a module and in Go": {alsoInGoJSON + calledJSON, nil, "example.org/m@v1.2.3", "GO-1"},
		"not JSON":              {"error: no database", nil, "", "reading govulncheck"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var output strings.Builder
			err := report(strings.NewReader(test.input), &output, test.allowed)
			assert.Contains(t, output.String(), test.prints)
			if test.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.fails)
			}
		})
	}
}

func TestAllowedNeedAReason(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allowed")
	require.NoError(t, os.WriteFile(path, []byte("# comment\n\nGO-1 pinned by Kubernetes 1.33\n"), 0o600))
	allowed, err := readAllowed(path)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"GO-1": "pinned by Kubernetes 1.33"}, allowed)
	require.NoError(t, os.WriteFile(path, []byte("GO-1\n"), 0o600))
	_, err = readAllowed(path)
	require.ErrorContains(t, err, "GO-1 has no reason")
}
