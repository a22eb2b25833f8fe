package docs

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// words are the names that the documentation may use, each with where it comes from.
type words map[string]string

// readWords gathers the names that there are.
func readWords(t *testing.T) words {
	t.Helper()
	w := words{}
	for _, a := range nodegroups.Annotations() {
		w.add("annotation", string(a.Key))
		// A table may shorten it to its end.
		_, end, _ := strings.Cut(string(a.Key), "/")
		w.add("annotation", end)
	}
	for _, page := range []string{"docs/reference/flags.md", "docs/reference/tool.md"} {
		for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z0-9-]+)`).FindAllStringSubmatch(readFile(t, page), -1) {
			w.add("flag", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## ([a-z-]+)$`).FindAllStringSubmatch(readFile(t, "docs/reference/tool.md"), -1) {
		w.add("command", m[1])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(cluster_autoscaler_openstack_[a-z_]+)` \\|").FindAllStringSubmatch(readFile(t, "docs/reference/metrics.md"), -1) {
		w.add("metric", m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(readFile(t, "Makefile"), -1) {
		w.add("target", m[1])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\|").FindAllStringSubmatch(readFile(t, "deploy/chart/cluster-autoscaler-openstack/README.md"), -1) {
		w.add("value", m[1])
		w.add("value", strings.Split(m[1], ".")[0])
	}
	for _, m := range regexp.MustCompile(`(?m)^  - alert: ([A-Za-z]+)$`).FindAllStringSubmatch(readFile(t, "deploy/grafana/alerts.yaml"), -1) {
		w.add("alert", m[1])
	}
	for _, pattern := range []string{"deploy/heat/*.yaml", "deploy/kubernetes/*.yaml"} {
		files, err := filepath.Glob(root + "/" + pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			w.addManifests(t, file)
		}
	}
	w.addCode(t)
	return w
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(root + "/" + name) //nolint:gosec // a file of the repository
	require.NoError(t, err)
	return string(text)
}

func (w words) add(from, word string) {
	if _, ok := w[word]; !ok {
		w[word] = from
	}
}

// has says whether something is called so: also a metric without the prefix that all of ours have, an annotation by another of its
// names, and a part of one or of its prefix.
func (w words) has(name string) bool {
	if w[name] != "" || w[metricPrefix+name] == "metric" || name == metricPrefix {
		return true
	}
	_, isAnnotation := nodegroups.CanonicalKey(name)
	return isAnnotation
}

const metricPrefix = "cluster_autoscaler_openstack_"

// addManifests adds all keys and short texts of a YAML file.
func (w words) addManifests(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of the repository
	require.NoError(t, err)
	for _, document := range regexp.MustCompile(`(?m)^---$`).Split(string(text), -1) {
		var content any
		require.NoError(t, yaml.Unmarshal([]byte(document), &content), file)
		w.addTree(content)
	}
}

func (w words) addTree(content any) {
	switch v := content.(type) {
	case map[string]any:
		for key, value := range v {
			w.add("manifest", key)
			w.addTree(value)
		}
	case []any:
		for _, value := range v {
			w.addTree(value)
		}
	case string:
		if !strings.ContainsAny(v, " \n") {
			w.add("manifest", v)
		}
	}
}

// addCode adds the texts in the product's code, the names of all tests and those of their cases.
func (w words) addCode(t *testing.T) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || path == root+"/test/docs") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		isTest := strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, root+"/test/")
		ast.Inspect(file, func(n ast.Node) bool {
			switch v := n.(type) {
			case *ast.FuncDecl:
				if strings.HasPrefix(v.Name.Name, "Test") {
					w.add("test", v.Name.Name)
				}
			case *ast.Field:
				if v.Tag != nil {
					w.add("field", jsonName(v.Tag.Value))
				}
			case *ast.BasicLit:
				text, err := strconv.Unquote(v.Value)
				switch isSentence := strings.ContainsAny(text, " \n"); {
				case v.Kind != token.STRING || err != nil:
				case isTest && isSentence:
					w.add("case", text)
				case !isTest && !isSentence:
					w.add("code", text)
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
}

// jsonName is the name that a field has in JSON, empty if its tag gives none.
func jsonName(tag string) string {
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(tag, "`")).Get("json"), ",")
	return name
}

// readForeign reads testdata/foreign.txt: names that belong to others, which nothing here can check.
func readForeign(t *testing.T) map[string]bool {
	t.Helper()
	file, err := os.Open("testdata/foreign.txt")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	out := map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "# ") {
			require.False(t, out[line], "%s is there twice", line)
			out[line] = true
		}
	}
	return out
}
