package catalog

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"
)

// Template is what a package must know of a Heat template.
type Template struct {
	// Text is the template as it was read.
	Text []byte
	// Files are the files that the template refers to, and those that they refer to, by the names they are referred to by.
	Files map[string][]byte

	Description string               `json:"description"`
	Groups      []Group              `json:"parameter_groups"`
	Parameters  map[string]Parameter `json:"parameters"`
	Outputs     map[string]any       `json:"outputs"`
}

// Group is a group of parameters that belong together in a form.
type Group struct {
	Label       string   `json:"label"`
	Description string   `json:"description"`
	Parameters  []string `json:"parameters"`
}

// Parameter is a parameter of a Heat template.
type Parameter struct {
	Type        string       `json:"type"`
	Label       string       `json:"label"`
	Description string       `json:"description"`
	Default     any          `json:"default"`
	Hidden      bool         `json:"hidden"`
	Constraints []Constraint `json:"constraints"`
}

// Constraint is one of a parameter's constraints; only one of the fields besides Description is set.
type Constraint struct {
	Description      string `json:"description"`
	AllowedPattern   string `json:"allowed_pattern"`
	AllowedValues    []any  `json:"allowed_values"`
	CustomConstraint string `json:"custom_constraint"`
	Range            *Range `json:"range"`
	Length           *Range `json:"length"`
}

// Range bounds a number, or the length of a string. Nil is no bound.
type Range struct {
	Min *int `json:"min"`
	Max *int `json:"max"`
}

// ReadTemplate reads the template in a file, and the files that it refers to, which must be in the same folder or below it.
func ReadTemplate(path string) (*Template, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a template of the caller's choice
	if err != nil {
		return nil, err
	}
	t := &Template{Text: text, Files: map[string][]byte{}}
	if err := yaml.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := t.readFiles(filepath.Dir(path), text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// reference matches how HOT refers to another file: as a resource type, or by get_file.
var reference = regexp.MustCompile(`(?:\btype:|\bget_file:)\s*['"]?([\w./-]+\.\w+)['"]?\s*[,}]?\s*(?:#.*)?(?m:$)`)

// references are the names of the files that a template refers to.
func references(text []byte) []string {
	matches := reference.FindAllSubmatch(text, -1)
	names := make([]string, 0, len(matches))
	for _, match := range matches {
		names = append(names, string(match[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// readFiles adds the files that text refers to. Heat takes a name in a nested template relative to that template; names here
// are all relative to one folder, so that both are the same.
func (t *Template) readFiles(folder string, text []byte) error {
	for _, name := range references(text) {
		if _, have := t.Files[name]; have {
			continue
		}
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			return fmt.Errorf("refers to %q: only files of the same folder can go into a package", name)
		}
		file, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // beside the template
		if err != nil {
			return fmt.Errorf("refers to %q: %w", name, err)
		}
		t.Files[name] = file
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		if err := t.readFiles(folder, file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// groups are the groups of parameters, with those that are in none at the end. Parameters that skip names are left out, and
// so are groups that have no other.
func (t *Template) groups(skip []string) []Group {
	left := slices.Sorted(maps.Keys(t.Parameters))
	var groups []Group
	for _, group := range append(slices.Clone(t.Groups), Group{Label: "More", Parameters: left}) {
		names := slices.DeleteFunc(slices.Clone(group.Parameters), func(name string) bool {
			return !slices.Contains(left, name) || slices.Contains(skip, name)
		})
		left = slices.DeleteFunc(slices.Clone(left), func(name string) bool { return slices.Contains(names, name) })
		if group.Parameters = names; len(names) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}
