package catalog

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// applicationName is what an application may be called: its stack has the same name, and its servers' names begin with it.
const applicationName = `^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`

// form is the package's UI/ui.yaml: a page for each group of parameters. It needs Murano's dynamic UI 2.4 (OpenStack Ocata).
func form(className, version, description string, groups []Group, parameters map[string]Parameter) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "Version: 2.4\n\nApplication:\n  ?:\n    type: %s\n    package: %s\n    classVersion: %s\n",
		quote(className), quote(className), quote(version))
	b.WriteString("  name: !yaql \"$.application.name\"\n")
	values(&b, "templateParameters", false, groups, parameters)
	values(&b, "hiddenParameters", true, groups, parameters)
	b.WriteString("\nForms:\n- application:\n    fields:\n")
	title(&b, "Application", description)
	field(&b, [][2]string{
		{"name", "name"}, {"type", "string"}, {"label", quote("Name")}, {"required", "true"},
		{"description", quote("Name of the stack, which no other stack of the project may have. Servers are named after it.")},
		{"regexpValidator", quote(applicationName)},
		{"errorMessages", "{invalid: " + quote("Small letters, digits and hyphens, a letter first, at most 40") + "}"},
	})
	for _, group := range groups {
		fmt.Fprintf(&b, "- %s:\n    fields:\n", page(group))
		title(&b, group.Label, group.Description)
		for _, name := range group.Parameters {
			field(&b, describe(name, parameters[name]))
		}
	}
	return []byte(b.String())
}

// values writes where a property's values come from: the fields of the parameters that are hidden, or that are not.
func values(b *strings.Builder, property string, hidden bool, groups []Group, parameters map[string]Parameter) {
	fmt.Fprintf(b, "  %s:\n", property)
	for _, group := range groups {
		for _, name := range group.Parameters {
			if parameter := parameters[name]; parameter.Hidden == hidden {
				fmt.Fprintf(b, "    %s: !yaql \"$.%s.%s\"\n", propertyName(name, parameter), page(group), name)
			}
		}
	}
}

var notIdentifier = regexp.MustCompile(`[^a-z0-9]+`)

// page is the name of a group's page, an identifier.
func page(group Group) string {
	return "page_" + strings.Trim(notIdentifier.ReplaceAllString(strings.ToLower(group.Label), "_"), "_")
}

// title is a field without an input, whose description is shown beside the page.
func title(b *strings.Builder, label, description string) {
	field(b, [][2]string{
		{"name", "title"}, {"type", "string"}, {"required", "false"}, {"hidden", "true"},
		{"descriptionTitle", prose(label)}, {"description", prose(description)},
	})
}

func field(b *strings.Builder, lines [][2]string) {
	for i, line := range lines {
		lead := "      "
		if i == 0 {
			lead = "    - "
		}
		fmt.Fprintf(b, "%s%s: %s\n", lead, line[0], line[1])
	}
}

// describe is the field of a parameter.
func describe(name string, p Parameter) [][2]string {
	kind, more := constraints(p)
	lines := [][2]string{{"name", name}, {"type", kind}, {"label", prose(p.Label)}}
	if p.Description != "" {
		lines = append(lines, [2]string{"description", prose(p.Description)})
	}
	if p.Default == nil {
		return append(append(lines, [2]string{"required", "true"}), more...)
	}
	first := initial(p)
	if kind == "choice" {
		first = quote(fmt.Sprint(p.Default)) // numbers too: a choice is a string
	}
	return append(append(lines, [2]string{"required", "false"}, [2]string{"initial", first}), more...)
}

// constraints are a field's type and its validation. Only what the dashboard can check is there; Heat checks all of it.
func constraints(p Parameter) (kind string, lines [][2]string) {
	kind = "string"
	switch {
	case p.Type == "number":
		kind = "integer"
	case p.Type == "boolean":
		return "boolean", nil
	case p.Hidden:
		kind, lines = "password", [][2]string{{"confirmInput", "false"}}
	}
	pattern, message := "", ""
	for _, c := range p.Constraints {
		switch {
		case c.Range != nil:
			lines = append(lines, bounds("Value", c.Range)...)
		case c.Length != nil && p.Type == "string":
			lines = append(lines, bounds("Length", c.Length)...)
		case c.AllowedPattern != "":
			pattern, message = "^(?:"+c.AllowedPattern+")$", c.Description
		case len(c.AllowedValues) > 0 && kind != "password":
			kind, lines = "choice", append(lines, [2]string{"choices", choices(c.AllowedValues)})
		case c.CustomConstraint == "nova.flavor" && p.Default == nil:
			kind = "flavor" // a list of the flavors' names
		case c.CustomConstraint == "nova.keypair":
			kind = "keypair"
		}
	}
	if pattern == "" && kind == "password" {
		pattern = `^\S*$` // or else the dashboard demands capitals, digits and special characters
	}
	if pattern != "" {
		lines = append(lines, [2]string{"regexpValidator", quote(pattern)})
	}
	if message != "" {
		lines = append(lines, [2]string{"errorMessages", "{invalid: " + prose(message) + "}"})
	}
	return kind, lines
}

func bounds(of string, r *Range) (lines [][2]string) {
	if r.Min != nil {
		lines = append(lines, [2]string{"min" + of, fmt.Sprint(*r.Min)})
	}
	if r.Max != nil {
		lines = append(lines, [2]string{"max" + of, fmt.Sprint(*r.Max)})
	}
	return lines
}

func choices(values []any) string {
	pairs := make([]string, len(values))
	for i, value := range values {
		label := fmt.Sprint(value)
		if label == "" {
			label = "none"
		}
		pairs[i] = fmt.Sprintf("[%s, %s]", quote(fmt.Sprint(value)), quote(label))
	}
	return "[" + strings.Join(pairs, ", ") + "]"
}

// initial is a parameter's default as the form shows it: lists separated by commas, JSON as JSON.
func initial(p Parameter) string {
	switch value := p.Default.(type) {
	case bool:
		return fmt.Sprint(value)
	case float64:
		if p.Type == "number" {
			return fmt.Sprint(value)
		}
	case []any:
		if p.Type == "comma_delimited_list" {
			items := make([]string, len(value))
			for i, item := range value {
				items[i] = fmt.Sprint(item)
			}
			return quote(strings.Join(items, ","))
		}
	case string:
		return quote(value)
	}
	text, _ := json.Marshal(p.Default) //nolint:errchkjson // it came out of JSON
	return quote(string(text))
}

// prose is a quoted text on one line.
func prose(text string) string { return quote(strings.Join(strings.Fields(text), " ")) }

// quote is a YAML string that nothing takes for a YAQL expression: one in quotation marks.
func quote(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string has no error
	return strings.TrimSuffix(b.String(), "\n")
}
