package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Source says where a package's parts are.
type Source struct {
	// Folder holds manifest.yaml. The class, stack.yaml, and the logo, logo.png, are in the folder above it.
	Folder string
	// Template is the Heat template.
	Template string
}

// Manifest is a package's manifest.yaml, as far as it is needed here.
type Manifest struct {
	Format      string            `json:"Format"`
	Type        string            `json:"Type"`
	FullName    string            `json:"FullName"`
	Version     string            `json:"Version"`
	Name        string            `json:"Name"`
	Description string            `json:"Description"`
	Author      string            `json:"Author"`
	Classes     map[string]string `json:"Classes"`
	UI          string            `json:"UI"`
	Tags        []string          `json:"Tags"`
	Logo        string            `json:"Logo"`
}

// Sizes are the parameters that are the autoscaler's: they are no part of the form, and a deployment sends them as they are.
var Sizes = []string{"node_count", "nodes_to_remove"}

// filled are the parameters that the autoscaler fills in if the form has left them empty.
var filled = []string{"api_server", "cluster_ca"}

// Build makes a package: the files in it by their paths.
func Build(source Source) (map[string][]byte, error) {
	manifestText, err := os.ReadFile(filepath.Join(source.Folder, "manifest.yaml"))
	if err != nil {
		return nil, err
	}
	var manifest Manifest
	if err := yaml.UnmarshalStrict(manifestText, &manifest, yaml.DisallowUnknownFields); err != nil {
		return nil, fmt.Errorf("manifest.yaml: %w", err)
	}
	above := filepath.Dir(filepath.Clean(source.Folder))
	class, err := os.ReadFile(filepath.Join(above, "stack.yaml"))
	if err != nil {
		return nil, err
	}
	logo, err := os.ReadFile(filepath.Join(above, manifest.Logo))
	if err != nil {
		return nil, err
	}
	template, err := ReadTemplate(source.Template)
	if err != nil {
		return nil, err
	}
	class, err = fill(class, manifest, template)
	if err != nil {
		return nil, fmt.Errorf("stack.yaml: %w", err)
	}
	files := map[string][]byte{
		"manifest.yaml": manifestText,
		manifest.Logo:   logo,
		"Classes/" + manifest.Classes[manifest.FullName]: class,
		"Resources/template.yaml":                        template.Text,
		"UI/" + manifest.UI: form(manifest.FullName, manifest.Version, manifest.Description,
			template.groups(Sizes), template.Parameters),
	}
	for name, text := range template.Files {
		files["Resources/HotFiles/"+name] = text
	}
	return files, nil
}

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
	var lines []string
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

// Sources are the packages of the repository at root: each folder of deploy/murano, with the template of that name in
// deploy/heat.
func Sources(root string) ([]Source, error) {
	manifests, err := filepath.Glob(filepath.Join(root, "deploy/murano/*/manifest.yaml"))
	if err != nil {
		return nil, err
	}
	if len(manifests) == 0 {
		return nil, fmt.Errorf("%s: no deploy/murano/*/manifest.yaml: not the repository's root", root)
	}
	sources := make([]Source, len(manifests))
	for i, manifest := range manifests {
		folder := filepath.Dir(manifest)
		sources[i] = Source{Folder: folder, Template: filepath.Join(root, "deploy/heat", filepath.Base(folder)+".yaml")}
	}
	return sources, nil
}
