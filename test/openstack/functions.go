package simulator

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// resolve works out the functions in a value, in the scope of a stack.
func (st *stack) resolve(v any) (any, *apiError) {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			r, err := st.resolve(e)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		return out, nil
	case map[string]any:
		if len(v) == 1 {
			for name, args := range v {
				if f, ok := functions[name]; ok {
					return f(st, args)
				}
			}
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			r, err := st.resolve(e)
			if err != nil {
				return nil, err
			}
			out[k] = r
		}
		return out, nil
	}
	return v, nil
}

var functions map[string]func(*stack, any) (any, *apiError)

func init() { //nolint:gochecknoinits // breaks the initialization cycle through resolve
	functions = map[string]func(*stack, any) (any, *apiError){
		"get_param": getParam, "get_resource": getResource, "get_attr": getAttr, "get_file": getFile,
		"str_replace": strReplace, "str_replace_strict": strReplace, "list_join": listJoin, "str_split": strSplit,
		"list_concat": listConcat, "map_merge": mapMerge, "repeat": repeat, "if": ifFunction,
		"equals": equals, "not": not, "and": and, "or": or,
	}
}

func getParam(st *stack, args any) (any, *apiError) {
	path, ok := args.([]any)
	if !ok {
		path = []any{args}
	}
	if len(path) == 0 {
		return nil, invalid("Function \"get_param\" must have arguments")
	}
	name := text(path[0])
	var v any
	switch name {
	case "OS::stack_id":
		v = st.id
	case "OS::stack_name":
		v = st.name
	case "OS::project_id":
		v = st.project.ID
	default:
		v, ok = st.values[name]
		if !ok {
			return nil, &apiError{400, "UserParameterMissing", fmt.Sprintf("The Parameter (%s) was not provided.", name)}
		}
	}
	rest, err := st.resolve(path[1:])
	if err != nil {
		return nil, err
	}
	return dig(v, rest.([]any)), nil
}

// dig follows a path of keys and indices into a value; nil if it leads nowhere.
func dig(v any, path []any) any {
	for _, step := range path {
		switch c := v.(type) {
		case map[string]any:
			v = c[text(step)]
		case []any:
			i, err := strconv.Atoi(text(step))
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}

func getResource(st *stack, args any) (any, *apiError) {
	r := st.resources[text(args)]
	if r == nil {
		return nil, &apiError{400, "InvalidTemplateReference", fmt.Sprintf("The specified reference %q (in unknown) is incorrect.", text(args))}
	}
	return r.reference(), nil
}

func getAttr(st *stack, args any) (any, *apiError) {
	resolved, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	path, ok := resolved.([]any)
	if !ok || len(path) < 1 {
		return nil, invalid("Arguments to \"get_attr\" must be of the form [resource_name, attribute, (path), ...]")
	}
	r := st.resources[text(path[0])]
	if r == nil {
		return nil, &apiError{400, "InvalidTemplateReference", fmt.Sprintf("The specified reference %q (in unknown) is incorrect.", text(path[0]))}
	}
	if len(path) == 1 {
		return nil, nil //nolint:nilnil // an attribute that is not there is null
	}
	return r.attribute(text(path[1]), path[2:]), nil
}

func getFile(st *stack, args any) (any, *apiError) {
	name, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	content, ok := st.files[text(name)]
	if !ok {
		return nil, invalid("No content found in the \"files\" section for get_file path: %s", text(name))
	}
	return content, nil
}

func strReplace(st *stack, args any) (any, *apiError) {
	o := object(args)
	tmpl, err := st.resolve(o["template"])
	if err != nil {
		return nil, err
	}
	params, err := st.resolve(o["params"])
	if err != nil {
		return nil, err
	}
	keys := slices.Collect(maps.Keys(object(params)))
	// Longest first, so that $NAME_LONG is not eaten by $NAME.
	sort.Slice(keys, func(i, j int) bool {
		return len(keys[i]) > len(keys[j]) || len(keys[i]) == len(keys[j]) && keys[i] < keys[j]
	})
	pairs := make([]string, 0, 2*len(keys))
	for _, k := range keys {
		pairs = append(pairs, k, text(object(params)[k]))
	}
	return strings.NewReplacer(pairs...).Replace(text(tmpl)), nil
}

func listJoin(st *stack, args any) (any, *apiError) {
	resolved, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok || len(list) < 2 {
		return nil, invalid("Incorrect arguments to \"list_join\" should be: [ <delimiter>, <list of strings> ]")
	}
	var parts []string
	for _, l := range list[1:] {
		items, _ := l.([]any)
		for _, e := range items {
			parts = append(parts, text(e))
		}
	}
	return strings.Join(parts, text(list[0])), nil
}

func strSplit(st *stack, args any) (any, *apiError) {
	resolved, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok || len(list) < 2 {
		return nil, invalid("Incorrect arguments to \"str_split\"")
	}
	var parts []any
	for _, p := range strings.Split(text(list[1]), text(list[0])) {
		parts = append(parts, p)
	}
	return dig(parts, list[2:]), nil
}

func listConcat(st *stack, args any) (any, *apiError) {
	resolved, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	out := []any{}
	lists, _ := resolved.([]any)
	for _, l := range lists {
		items, _ := l.([]any)
		out = append(out, items...)
	}
	return out, nil
}

func mapMerge(st *stack, args any) (any, *apiError) {
	resolved, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	list, _ := resolved.([]any)
	for _, m := range list {
		maps.Copy(out, object(m))
	}
	return out, nil
}

func ifFunction(st *stack, args any) (any, *apiError) {
	list, ok := args.([]any)
	if !ok || len(list) < 2 {
		return nil, invalid("Arguments to \"if\" must be of the form: [condition_name, value_if_true, value_if_false]")
	}
	yes, err := st.condition(list[0])
	if err != nil {
		return nil, err
	}
	if yes {
		return st.resolve(list[1])
	}
	if len(list) > 2 {
		return st.resolve(list[2])
	}
	return nil, nil //nolint:nilnil // a property left out
}

// condition evaluates a condition: a name, a literal or a function.
func (st *stack) condition(c any) (bool, *apiError) {
	if c == nil {
		return true, nil
	}
	if name, ok := c.(string); ok {
		inner, known := st.tmpl.conditions[name]
		if !known {
			return false, invalid("Invalid condition %q", name)
		}
		c = inner
	}
	v, err := st.resolve(c)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(text(v)) {
	case "", "false", "0", "no":
		return false, nil
	}
	return true, nil
}

func equals(st *stack, args any) (any, *apiError) {
	resolved, err := st.resolve(args)
	if err != nil {
		return nil, err
	}
	list, _ := resolved.([]any)
	return len(list) == 2 && text(list[0]) == text(list[1]), nil
}

func not(st *stack, args any) (any, *apiError) {
	yes, err := st.condition(args)
	return !yes, err
}

func and(st *stack, args any) (any, *apiError) {
	list, _ := args.([]any)
	for _, c := range list {
		if yes, err := st.condition(c); err != nil || !yes {
			return false, err
		}
	}
	return true, nil
}

func or(st *stack, args any) (any, *apiError) {
	list, _ := args.([]any)
	for _, c := range list {
		if yes, err := st.condition(c); err != nil || yes {
			return yes, err
		}
	}
	return false, nil
}
