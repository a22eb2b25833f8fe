package conformance

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// Verdicts are what a run found out: pass or fail for each case. It is safe for concurrent use.
type Verdicts struct {
	// Target is the name of the cloud that was tried.
	Target string
	// Out is where each verdict is written as soon as it is there.
	Out io.Writer

	mu     sync.Mutex
	byCase map[string]string
}

// Add keeps a verdict and writes it as a line: conformance TARGET CASE pass|fail.
func (v *Verdicts) Add(name string, passed bool) {
	word := "fail"
	if passed {
		word = "pass"
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.byCase == nil {
		v.byCase = map[string]string{}
	}
	v.byCase[name] = word
	_, _ = fmt.Fprintln(v.Out, "conformance", v.Target, name, word)
}

// WriteFile writes one line for each case, sorted, without the target's name: files of two targets can be compared.
func (v *Verdicts) WriteFile(path string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(v.byCase)) {
		fmt.Fprintln(&text, name, v.byCase[name])
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("verdicts: %w", err)
	}
	return nil
}

// ReadVerdicts reads a file of WriteFile.
func ReadVerdicts(path string) (map[string]string, error) {
	file, err := os.Open(path) //nolint:gosec // the path is the caller's own
	if err != nil {
		return nil, fmt.Errorf("verdicts: %w", err)
	}
	defer func() { _ = file.Close() }()
	byCase := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, verdict, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			return nil, fmt.Errorf("verdicts: %s: %q is not a case and its verdict", path, lines.Text())
		}
		byCase[name] = verdict
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("verdicts: %w", err)
	}
	return byCase, nil
}

// Differences says in which cases two runs differ, a case that only one of them has included.
func Differences(one, other map[string]string) []string {
	all := map[string]bool{}
	for name := range one {
		all[name] = true
	}
	for name := range other {
		all[name] = true
	}
	word := func(verdicts map[string]string, name string) string {
		if verdict, ok := verdicts[name]; ok {
			return verdict
		}
		return "not run"
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if a, b := word(one, name), word(other, name); a != b {
			found = append(found, fmt.Sprintf("%s: %s and %s", name, a, b))
		}
	}
	return found
}
