package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// template is a HOT template, or one that a resource group has generated.
type template struct {
	raw        map[string]any
	version    string
	params     map[string]*parameter
	order      []string // of params, sorted
	resources  map[string]*definition
	outputs    map[string]any
	conditions map[string]any
}

// definition is a resource in a template.
type definition struct {
	kind       string
	properties map[string]any
	dependsOn  []string
	condition  any
	// resolved properties hold no functions any more: a resource group has resolved them for its members.
	resolved bool
}

// apiError is an error as Heat words it.
type apiError struct {
	code    int
	kind    string
	message string
}

func (e *apiError) Error() string { return e.message }

func invalid(format string, args ...any) *apiError {
	return &apiError{400, "StackValidationFailed", fmt.Sprintf(format, args...)}
}

// decode reads JSON or YAML, numbers as json.Number so that 5 stays "5".
func decode(text string, into any) error {
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

// parseTemplate reads a template given as text or as an object.
func parseTemplate(source any) (*template, *apiError) {
	raw := map[string]any{}
	switch v := source.(type) {
	case string:
		if err := decode(v, &raw); err != nil {
			return nil, &apiError{400, "InvalidTemplateSection", "Error parsing template: " + err.Error()}
		}
	case map[string]any:
		raw = v
	default:
		return nil, &apiError{400, "HTTPBadRequest", "No template specified"}
	}
	t := &template{raw: raw, params: map[string]*parameter{}, resources: map[string]*definition{}}
	version, _ := raw["heat_template_version"].(string)
	if version == "" {
		return nil, &apiError{400, "InvalidTemplateVersion", "The template version is invalid: \"heat_template_version: None\"."}
	}
	// YAML takes an unquoted date for a timestamp.
	t.version = strings.TrimSuffix(version, "T00:00:00Z")
	raw["heat_template_version"] = t.version
	for name, p := range object(raw["parameters"]) {
		t.params[name] = newParameter(name, object(p))
		t.order = append(t.order, name)
	}
	slices.Sort(t.order)
	for name, r := range object(raw["resources"]) {
		o := object(r)
		kind, _ := o["type"].(string)
		if kind == "" {
			return nil, invalid("resources.%s: Resource type must be string", name)
		}
		d := &definition{kind: kind, properties: object(o["properties"]), condition: o["condition"]}
		switch v := o["depends_on"].(type) {
		case string:
			d.dependsOn = []string{v}
		case []any:
			for _, e := range v {
				d.dependsOn = append(d.dependsOn, text(e))
			}
		}
		t.resources[name] = d
	}
	t.outputs = object(raw["outputs"])
	t.conditions = object(raw["conditions"])
	return t, nil
}

// requires lists the resources of the template that a definition refers to.
func (t *template) requires(d *definition) []string {
	names := slices.Clone(d.dependsOn)
	if d.resolved {
		return names
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 1 {
				if r, ok := v["get_resource"].(string); ok {
					names = append(names, r)
				}
				if a, ok := v["get_attr"].([]any); ok && len(a) > 0 {
					names = append(names, text(a[0]))
				}
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(d.properties)
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return t.resources[n] == nil })
}

// object is v as a JSON object; an empty one if it is none.
func object(v any) map[string]any {
	if o, ok := v.(map[string]any); ok {
		return o
	}
	return map[string]any{}
}

// text is a scalar as text; JSON for everything else.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "True"
		}
		return "False"
	case map[string]any, []any:
		return pythonJSON(v)
	}
	return fmt.Sprint(v)
}

// pythonJSON is JSON as Python writes it, with a blank after colons and commas: the form in which Heat shows JSON parameters.
func pythonJSON(v any) string {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		parts := make([]string, 0, len(v))
		for _, k := range keys {
			parts = append(parts, pythonJSON(k)+": "+pythonJSON(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v {
			parts = append(parts, pythonJSON(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}
