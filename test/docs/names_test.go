package docs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// names takes the names out of a piece of inline code: "" if it is an example, a URL or a command.
func names(span string) []string {
	if flag, _, _ := strings.Cut(span, "="); strings.HasPrefix(flag, "--") && !strings.Contains(flag, " ") {
		return []string{flag}
	}
	if strings.ContainsAny(span, " $<>{}()…*") || strings.Contains(span, "://") {
		return nil
	}
	name, value, isPair := strings.Cut(span, "=")
	if isPair && regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`).MatchString(value) && !strings.Contains(value, "ID") {
		return []string{name, value}
	}
	return []string{name}
}

// allCapitals are places for the reader's own values.
var allCapitals = regexp.MustCompile(`^[A-Z_]+$`)

// The threat table names the cases of tests.
func TestCasesExist(t *testing.T) {
	known := readWords(t)
	checked := 0
	for _, p := range readPages(t) {
		if !strings.HasPrefix(p.path, "docs/explanation/") {
			continue
		}
		for _, span := range p.spans() {
			if !strings.Contains(span, " ") || regexp.MustCompile(`[=/]|^(kubeadm|kubectl|make|openstack|helm) `).MatchString(span) {
				continue
			}
			checked++
			if known[span] != "case" {
				t.Errorf("%s: no test has a case %q", p.path, span)
			}
		}
	}
	require.Greater(t, checked, 20)
}

// A name in the documentation is that of something that there is, or somebody else's.
func TestNamesExist(t *testing.T) {
	known, foreign := readWords(t), readForeign(t)
	used := map[string]bool{}
	checked := 0
	for _, p := range readPages(t) {
		if !p.isGuide() {
			continue
		}
		for _, span := range p.spans() {
			for _, name := range names(span) {
				if name == "" || allCapitals.MatchString(name) || regexp.MustCompile(`^[0-9.]+[a-z]?$`).MatchString(name) {
					continue
				}
				checked++
				if _, err := os.Stat(root + "/" + name); err == nil {
					continue
				}
				switch {
				case foreign[name]:
					used[name] = true
				case known.has(name):
				default:
					t.Errorf("%s: nothing here is called %q. Correct it, or add it to test/docs/testdata/foreign.txt if it is not this project's", p.path, name)
				}
			}
		}
	}
	require.Greater(t, checked, 100)
	for name := range foreign {
		if !used[name] {
			t.Errorf("testdata/foreign.txt: no page uses %q", name)
		}
		if from := known[name]; slices.Contains([]string{"annotation", "flag", "metric"}, from) {
			t.Errorf("testdata/foreign.txt: %q is a %s of ours", name, from)
		}
	}
}

// README's flags outside of its tables, which are made from the code.
func TestFlagsExist(t *testing.T) {
	known, foreign, others := readWords(t), readForeign(t), map[string]bool{}
	for _, flags := range readCommands(t) {
		for _, flag := range flags {
			others[flag] = true
		}
	}
	for _, p := range readPages(t) {
		if p.path != "README.md" && !p.isGuide() {
			continue
		}
		for _, span := range p.spans() {
			if flag := regexp.MustCompile(`^--[a-z0-9-]+`).FindString(span); flag != "" && known[flag] != "flag" && !foreign[flag] && !others[flag] {
				t.Errorf("%s: there is no flag %s", p.path, flag)
			}
		}
	}
}
