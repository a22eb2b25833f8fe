package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// placeholder matches what fill replaces: a word in at signs.
var placeholder = regexp.MustCompile(`@[A-Z_]+@`)

// fill completes the class. Its placeholders stand where YAML allows values on one line.
func fill(class []byte, manifest Manifest, template *Template) ([]byte, error) {
	namespace, name, ok := cutLast(manifest.FullName, ".")
	if !ok || manifest.Classes[manifest.FullName] == "" {
		return nil, fmt.Errorf("the manifest's Classes have no file for its FullName %q", manifest.FullName)
	}
	words := map[string]string{
		"@NAMESPACE@": namespace,
		"@CLASS@":     name,
		"@CONTRACTS@": contracts(template, false),
		"@HIDDEN@":    contracts(template, true),
		"@PREFIX@":    strconv.Itoa(len(hiddenPrefix)),
		"@FILES@":     fileMap(template),
		"@SIZES@":     yaqlList(present(template, Sizes)),
		"@FILLED@":    yaqlList(present(template, filled)),
		"@DIGEST@":    digest(template),
		"@NAME@":      applicationName,
	}
	var unknown []string
	out := placeholder.ReplaceAllFunc(class, func(word []byte) []byte {
		text, ok := words[string(word)]
		if !ok {
			unknown = append(unknown, string(word))
		}
		return []byte(text)
	})
	if len(unknown) > 0 {
		return nil, fmt.Errorf("unknown placeholders %s", strings.Join(unknown, " "))
	}
	return out, nil
}

func cutLast(s, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(separator):], true
}

// hiddenPrefix is before the names of hidden parameters in an application. What has "pass" or "token" in its name is left out
// of Murano's log, see murano/common/helpers/token_sanitizer.py; the engine logs everything else that it is to deploy.
const hiddenPrefix = "password_"

// contracts are the types of the parameters that are hidden, or that are not. Their constraints are left to Heat: a contract
// would apply them to parameters that were not given, too.
func contracts(template *Template, hidden bool) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(template.Parameters)) {
		parameter := template.Parameters[name]
		if !slices.Contains(Sizes, name) && parameter.Hidden == hidden {
			lines = append(lines, propertyName(name, parameter)+": "+Contract(parameter.Type))
		}
	}
	return "{" + strings.Join(lines, ", ") + "}"
}

// propertyName is a parameter's name in an application.
func propertyName(name string, parameter Parameter) string {
	if parameter.Hidden {
		return hiddenPrefix + name
	}
	return name
}

// Contract is the MuranoPL contract for a type of Heat parameter. Lists and JSON are strings, which Heat reads.
func Contract(kind string) string {
	switch kind {
	case "number":
		return "$.int()"
	case "boolean":
		return "$.bool()"
	default:
		return "$.string()"
	}
}

// fileMap are the files that Heat gets beside the template.
func fileMap(template *Template) string {
	lines := make([]string, 0, len(template.Files))
	for _, name := range slices.Sorted(maps.Keys(template.Files)) {
		lines = append(lines, fmt.Sprintf("'%s' => $resources.string('HotFiles/%s')", name, name))
	}
	return "{" + strings.Join(lines, ", ") + "}"
}

// present are the names that are parameters of the template.
func present(template *Template, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, ok := template.Parameters[name]
		return !ok
	})
}

func yaqlList(names []string) string { return "list(" + strings.Join(names, ", ") + ")" }

// digest changes when the template or one of its files does.
func digest(template *Template) string {
	sum := sha256.New()
	sum.Write(template.Text)
	for _, name := range slices.Sorted(maps.Keys(template.Files)) {
		fmt.Fprintf(sum, "\x00%s\x00%s", name, bytes.TrimSpace(template.Files[name]))
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
