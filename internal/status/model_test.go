package status

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The reference names every field, and nothing that is none.
func TestTheReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/status.md")
	require.NoError(t, err)
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-zA-Z]+)`").FindAllStringSubmatch(string(text), -1) {
		told[m[1]] = true
	}
	fields := map[string]bool{}
	collect(reflect.TypeFor[Report](), fields)
	require.Greater(t, len(fields), 80)
	for name := range fields {
		require.True(t, told[name], "docs/reference/status.md does not tell of %q", name)
	}
	for name := range told {
		require.True(t, fields[name] || words[name] != "", "docs/reference/status.md tells of %q, which is no field", name)
	}
}

// words are what fields may say, and the name of the type.
var words = map[string]string{
	ModeEmbedded: "mode", ModeExternal: "mode",
	DecisionGrow: "kind", DecisionRemove: "kind", DecisionVerify: "kind", DecisionShrink: "kind", DecisionReplace: "kind", DecisionDeleteNode: "kind",
	DecisionFloor: "kind", DecisionBackOff: "kind", DecisionProblem: "kind", DecisionCertificate: "kind", DecisionToken: "kind",
	ResultOK: "result", ResultFailed: "result", ResultWrong: "result", ResultDryRun: "result", ResultWaiting: "result",
}

// collect gathers the names that the fields of a type have in JSON.
func collect(t reflect.Type, into map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		collect(t.Elem(), into)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() || !strings.HasSuffix(t.PkgPath(), "internal/status") {
			return
		}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			into[name] = true
			collect(t.Field(i).Type, into)
		}
	default: // numbers, texts, and maps with keys of their own
	}
}
