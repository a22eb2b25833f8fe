// Command vulnreport reads govulncheck's JSON from standard input and fails on every vulnerability whose code we call and
// that is not in the file of allowed ones. It also fails on an allowed one that is not found any more, so that the file
// does not outlive its reasons.
//
// What a newer Go mends in its standard library is reported but is no failure: it depends on the Go that builds, not on
// anything in this repository.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
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

// standardLibrary is the name that the vulnerability database has for the modules that come with Go.
const standardLibrary = "stdlib"

// report prints what was found, by id, and returns an error if something has to be done.
func report(input io.Reader, output io.Writer, allowed map[string]string) error {
	called, elsewhere, err := read(input)
	if err != nil {
		return err
	}
	var todo, standard []string
	var built, mended string
	found := map[string]bool{}
	for _, f := range called {
		found[f.OSV] = true
		frame := f.Trace[0]
		line := fmt.Sprintf("%s: %s@%s, called, %s", f.OSV, frame.Module, frame.Version, f.fix())
		reason, ok := allowed[f.OSV]
		switch {
		case ok:
			fmt.Fprintf(output, "%s; allowed: %s\n", line, reason)
			continue
		case frame.Module == standardLibrary && f.FixedVersion != "":
			standard = append(standard, f.OSV)
			built, mended = frame.Version, newest(mended, f.FixedVersion)
		default:
			todo = append(todo, f.OSV)
		}
		fmt.Fprintln(output, line)
	}
	fmt.Fprintf(output, "%d vulnerabilities are in code that is called, %d more in modules of which no vulnerable code is\n", len(found), elsewhere)
	if len(standard) > 0 {
		fmt.Fprintf(output, "WARNING: %d of them are in the standard library of Go %s: build what is given to others with Go %s or later\n",
			len(standard), strings.TrimPrefix(built, "v"), strings.TrimPrefix(mended, "v"))
	}
	for _, id := range slices.Sorted(maps.Keys(allowed)) {
		if !found[id] {
			todo = append(todo, id+" (allowed, but not found any more: remove its line)")
		}
	}
	if len(todo) > 0 {
		return errors.New(strings.Join(todo, ", "))
	}
	return nil
}

func (f finding) fix() string {
	if f.FixedVersion == "" {
		return "no version mends it"
	}
	return "mended in " + f.FixedVersion
}

// newest returns the later of two versions of Go, which govulncheck writes as v1.26.9.
func newest(a, b string) string {
	if version.Compare("go"+strings.TrimPrefix(a, "v"), "go"+strings.TrimPrefix(b, "v")) > 0 {
		return a
	}
	return b
}

// read returns the findings whose first frame is a function, which govulncheck gives only for code that is called, and
// counts the other vulnerabilities. One vulnerability can be in two modules, such as the standard library's copy of
// golang.org/x/net and that module itself, so there is one finding for each id and module, in this order.
func read(input io.Reader) (called []finding, elsewhere int, err error) {
	byModule, ids, known := map[string]finding{}, map[string]bool{}, map[string]bool{}
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
			ids[f.OSV] = true
			byModule[f.OSV+" "+f.Trace[0].Module] = *f
		}
	}
	for _, key := range slices.Sorted(maps.Keys(byModule)) {
		called = append(called, byModule[key])
	}
	return called, len(known) - len(ids), nil
}
