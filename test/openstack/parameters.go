package simulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parameter is the schema of a template's parameter.
type parameter struct {
	name, kind  string
	hidden      bool
	fallback    any
	hasDefault  bool
	constraints []map[string]any
}

func newParameter(name string, o map[string]any) *parameter {
	p := &parameter{name: name, kind: text(o["type"])}
	p.hidden, _ = o["hidden"].(bool)
	p.fallback, p.hasDefault = o["default"]
	if list, ok := o["constraints"].([]any); ok {
		for _, c := range list {
			p.constraints = append(p.constraints, object(c))
		}
	}
	return p
}

// value turns what a user sent into the parameter's type, or says in Heat's words what is wrong with it.
func (p *parameter) value(s *Simulator, raw any) (any, *apiError) {
	bad := func(format string, args ...any) (any, *apiError) {
		return nil, invalid("Parameter '%s' is invalid: %s", p.name, fmt.Sprintf(format, args...))
	}
	var out any
	switch p.kind {
	case "number":
		t := text(raw)
		if _, err := strconv.ParseFloat(strings.TrimSpace(t), 64); err != nil {
			return bad("could not convert string to float: '%s'", t)
		}
		out = json.Number(t)
	case "comma_delimited_list":
		switch v := raw.(type) {
		case []any:
			list := make([]any, 0, len(v))
			for _, e := range v {
				list = append(list, text(e))
			}
			out = list
		default:
			list := []any{}
			if t := text(raw); t != "" {
				for _, e := range strings.Split(t, ",") {
					list = append(list, strings.TrimSpace(e))
				}
			}
			out = list
		}
	case "json":
		switch v := raw.(type) {
		case map[string]any, []any:
			out = v
		default:
			t := text(raw)
			if t == "" {
				out = map[string]any{}
				break
			}
			if err := decodeJSON(t, &out); err != nil {
				return bad("Value must be valid JSON: %v", err)
			}
		}
	case "boolean":
		switch strings.ToLower(text(raw)) {
		case "1", "t", "true", "y", "yes", "on":
			out = true
		case "0", "f", "false", "n", "no", "off":
			out = false
		default:
			return bad("Unrecognized value '%s', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'", text(raw))
		}
	default:
		out = text(raw)
	}
	for _, c := range p.constraints {
		if message := s.violates(c, out); message != "" {
			if d := text(c["description"]); d != "" {
				message = d
			}
			return bad("%s", message)
		}
	}
	return out, nil
}

func decodeJSON(t string, into any) error {
	d := json.NewDecoder(strings.NewReader(t))
	d.UseNumber()
	return d.Decode(into)
}

// violates says in Heat's words how a value breaks a constraint; empty if it does not.
func (s *Simulator) violates(c map[string]any, v any) string {
	bound := func(o map[string]any, key string) string {
		if b, ok := o[key]; ok {
			return text(b)
		}
		return "None"
	}
	outside := func(o map[string]any, x float64) bool {
		low, lowErr := strconv.ParseFloat(bound(o, "min"), 64)
		high, highErr := strconv.ParseFloat(bound(o, "max"), 64)
		return lowErr == nil && x < low || highErr == nil && x > high
	}
	if r, ok := c["range"]; ok {
		x, err := strconv.ParseFloat(text(v), 64)
		if err == nil && outside(object(r), x) {
			return fmt.Sprintf("%s is out of range (min: %s, max: %s)", text(v), bound(object(r), "min"), bound(object(r), "max"))
		}
	}
	if r, ok := c["length"]; ok {
		n := len([]rune(text(v)))
		if list, isList := v.([]any); isList {
			n = len(list)
		}
		if outside(object(r), float64(n)) {
			return fmt.Sprintf("length (%d) is out of range (min: %s, max: %s)", n, bound(object(r), "min"), bound(object(r), "max"))
		}
	}
	if allowed, ok := c["allowed_values"].([]any); ok {
		values := []any{v}
		if list, isList := v.([]any); isList {
			values = list
		}
		for _, one := range values {
			if !slices.ContainsFunc(allowed, func(a any) bool { return text(a) == text(one) }) {
				return fmt.Sprintf("%s is not an allowed value %s", pythonJSON(v), pythonJSON(allowed))
			}
		}
	}
	if pattern, ok := c["allowed_pattern"].(string); ok {
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		if err == nil && !re.MatchString(text(v)) {
			return fmt.Sprintf("%q does not match pattern %q", text(v), pattern)
		}
	}
	// Empty is no name either: measured.
	if custom, ok := c["custom_constraint"].(string); ok {
		return s.violatesCustom(custom, text(v))
	}
	return ""
}

func (s *Simulator) violatesCustom(constraint, v string) string {
	switch constraint {
	case "nova.flavor":
		if s.flavor(v) == nil {
			return fmt.Sprintf("Error validating value '%s': No Flavor matching {'name': '%s'}. (HTTP 404)", v, v)
		}
	case "glance.image":
		if s.image(v) == nil {
			return fmt.Sprintf("Error validating value '%s': No images matching {'name': '%s'}.", v, v)
		}
	case "neutron.subnet":
		if !slices.ContainsFunc(s.networks, func(n *Network) bool { return n.Name == v || n.subnet == v }) {
			return fmt.Sprintf("Error validating value '%s': Unable to find subnet with name or id '%s'", v, v)
		}
	case "neutron.network":
		if s.network(v) == nil {
			return fmt.Sprintf("Error validating value '%s': Unable to find network with name or id '%s'", v, v)
		}
	}
	return ""
}

// bind gives every parameter of the template its value: what the user sent, else the default.
func (s *Simulator) bind(t *template, sent map[string]any) (map[string]any, *apiError) {
	values := make(map[string]any, len(t.params))
	for _, name := range t.order {
		p := t.params[name]
		raw, ok := sent[name]
		if !ok {
			if !p.hasDefault {
				return nil, &apiError{400, "UserParameterMissing", fmt.Sprintf("The Parameter (%s) was not provided.", name)}
			}
			raw = p.fallback
		}
		v, err := p.value(s, raw)
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return values, nil
}

// show renders a parameter's value as GET does.
func (p *parameter) show(v any) string {
	if p.hidden {
		return "******"
	}
	if list, ok := v.([]any); ok && p.kind == "comma_delimited_list" {
		parts := make([]string, len(list))
		for i, e := range list {
			parts[i] = text(e)
		}
		return strings.Join(parts, ",")
	}
	return text(v)
}
