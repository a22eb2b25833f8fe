// Command vulnreport reads govulncheck's JSON from standard input and fails on every vulnerability whose code we call and
// that is not in the file of allowed ones. It also fails on an allowed one that is not found any more, so that the file
// does not outlive its reasons.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// finding is the part of a govulncheck message that is needed: https://pkg.go.dev/golang.org/x/vuln/internal/govulncheck.
type finding struct {
	OSV          string `json:"osv"`
	FixedVersion string `json:"fixed_version"`
	Trace        []struct {
		Module, Version, Package, Function string
	} `json:"trace"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: govulncheck -format json ./... | vulnreport ALLOWED")
		os.Exit(2)
	}
	allowed, err := readAllowed(os.Args[1])
	if err == nil {
		err = report(os.Stdin, os.Stdout, allowed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulnerabilities:", err)
		os.Exit(1)
	}
}

// readAllowed reads "ID reason" lines.
func readAllowed(path string) (map[string]string, error) {
	file, err := os.Open(path) //nolint:gosec // the path is our own script's
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	allowed := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s: %s has no reason", path, id)
		}
		allowed[id] = reason
	}
	return allowed, lines.Err()
}

// report prints what was found, most serious first, and returns an error if something has to be done.
func report(input io.Reader, output io.Writer, allowed map[string]string) error {
	called, elsewhere, err := read(input)
	if err != nil {
		return err
	}
	var todo []string
	for _, id := range slices.Sorted(maps.Keys(called)) {
		f := called[id]
		fix := "no version mends it"
		if f.FixedVersion != "" {
			fix = "mended in " + f.FixedVersion
		}
		line := fmt.Sprintf("%s: %s@%s, called, %s", id, f.Trace[0].Module, f.Trace[0].Version, fix)
		if reason, ok := allowed[id]; ok {
			fmt.Fprintf(output, "%s; allowed: %s\n", line, reason)
			continue
		}
		fmt.Fprintln(output, line)
		todo = append(todo, id)
	}
	fmt.Fprintf(output, "%d vulnerabilities are in code that is called, %d more in modules of which no vulnerable code is\n", len(called), elsewhere)
	for _, id := range slices.Sorted(maps.Keys(allowed)) {
		if _, ok := called[id]; !ok {
			todo = append(todo, id+" (allowed, but not found any more: remove its line)")
		}
	}
	if len(todo) > 0 {
		return errors.New(strings.Join(todo, ", "))
	}
	return nil
}

// read returns the findings whose first frame is a function, which govulncheck gives only for code that is called, and
// counts the other vulnerabilities.
func read(input io.Reader) (called map[string]finding, elsewhere int, err error) {
	called, known := map[string]finding{}, map[string]bool{}
	decoder := json.NewDecoder(input)
	for {
		var message struct {
			Finding *finding `json:"finding"`
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, 0, fmt.Errorf("reading govulncheck's output: %w", err)
		}
		f := message.Finding
		if f == nil || len(f.Trace) == 0 {
			continue
		}
		known[f.OSV] = true
		if f.Trace[0].Function != "" {
			called[f.OSV] = *f
		}
	}
	return called, len(known) - len(called), nil
}
