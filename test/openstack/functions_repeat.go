package simulator

import (
	"maps"
	"slices"
	"strings"
)

// repeat makes a copy of a template for each element of a list, or of the product of several lists (heat/engine/hot/functions.py,
// RepeatWithNestedLoop). The template's functions are resolved once, before the elements are put in.
func repeat(st *stack, args any) (any, *apiError) {
	o, ok := args.(map[string]any)
	if !ok {
		return nil, invalid("Arguments to \"repeat\" must be a map")
	}
	each, err := st.resolve(o["for_each"])
	if err != nil {
		return nil, err
	}
	body, err := st.resolve(o["template"])
	if err != nil {
		return nil, err
	}
	out := []any{body}
	variables := object(each)
	for _, variable := range slices.Sorted(maps.Keys(variables)) {
		var items []any
		switch v := variables[variable].(type) {
		case nil:
		case []any:
			items = v
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				items = append(items, k)
			}
		default:
			return nil, invalid("The values of the \"for_each\" argument to \"repeat\" must be lists or maps")
		}
		next := make([]any, 0, len(out)*len(items))
		for _, one := range out {
			for _, item := range items {
				next = append(next, replaceIn(one, variable, text(item)))
			}
		}
		out = next
	}
	return out, nil
}

// replaceIn puts a value into every string, keys of maps included.
func replaceIn(v any, variable, value string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, variable, value)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaceIn(e, variable, value)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[strings.ReplaceAll(k, variable, value)] = replaceIn(e, variable, value)
		}
		return out
	}
	return v
}
