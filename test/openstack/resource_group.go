package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// startGroup creates or updates a resource group or an autoscaling group: a nested stack with one resource for each member.
func (r *resource) startGroup(t *traversal, properties map[string]any) {
	action := "UPDATE"
	if r.nested == nil {
		action = "CREATE"
	}
	if r.state() == "CHECK_FAILED" && r.nested != nil && r.nested.action+"_"+r.nested.status != "CHECK_FAILED" {
		r.relics = append(r.relics, relic{nested: r.nested})
		r.nested, action, r.skipped, r.members = nil, "CREATE", nil, nil
	}
	if r.kind != scalingGroupType {
		r.updateGroup(t, properties, r.skipped)
		return
	}
	generation := r.begin(action)
	names := r.scalingMembers(properties)
	r.properties = properties
	r.runNested(t, generation, action, groupTemplate(r, properties, names), nil)
}

// updateGroup creates or updates a resource group by somebody who knows of these indices that they are never to be used again.
func (r *resource) updateGroup(t *traversal, properties map[string]any, known map[string]bool) {
	action := "UPDATE"
	if r.nested == nil {
		action = "CREATE"
	}
	generation := r.begin(action)
	skipped := r.skip(properties, known)
	for index := range skipped {
		if !r.skipped[index] {
			r.st.sim.history.exclude(r.st.sim, r.st.root().id, index)
		}
	}
	if !maps.Equal(skipped, known) {
		r.skipped = skipped // otherwise there is nothing new to write down
	}
	n, message := groupSize(properties)
	if message != "" {
		r.end(t, r.failure("StackValidationFailed", message))
		return
	}
	r.properties = properties
	r.runNested(t, generation, action, groupTemplate(r, properties, groupNames(n, skipped)), nil)
}

// groupSize is a group's count; the second result says what is wrong with it.
func groupSize(properties map[string]any) (int, string) {
	raw, ok := properties["count"]
	if !ok || raw == nil {
		return 1, ""
	}
	t := text(raw)
	f, err := strconv.ParseFloat(t, 64)
	if err != nil {
		return 0, fmt.Sprintf("Value '%s' is not an integer", t)
	}
	if f < 0 {
		return 0, fmt.Sprintf("%s is out of range (min: 0, max: None)", t)
	}
	// Measured: 1.5 makes one member.
	return int(f), ""
}

// skip adds the removal list to the indices known never to be used again. What Heat does not know is passed over without a word.
func (r *resource) skip(properties map[string]any, known map[string]bool) map[string]bool {
	next := map[string]bool{}
	if text(properties["removal_policies_mode"]) != "update" {
		maps.Copy(next, known)
	}
	policies, _ := properties["removal_policies"].([]any)
	for _, policy := range policies {
		list, isList := object(policy)["resource_list"].([]any)
		if !isList {
			for _, e := range strings.Split(text(object(policy)["resource_list"]), ",") {
				list = append(list, strings.TrimSpace(e))
			}
		}
		for _, e := range list {
			name := text(e)
			switch {
			case name == "":
			case known[name], r.nested == nil, r.nested.resources[name] != nil:
				next[name] = true
			default:
				for _, member := range r.nested.resources {
					if member.reference() == name && member.reference() != member.name {
						next[member.name] = true
					}
				}
			}
		}
	}
	return next
}

// groupNames are the members that a group of n has: the lowest numbers that are not skipped.
func groupNames(n int, skipped map[string]bool) []string {
	names := make([]string, 0, n)
	for i := 0; len(names) < n; i++ {
		if name := strconv.Itoa(i); !skipped[name] {
			names = append(names, name)
		}
	}
	return names
}

// scalingMembers are the members of an autoscaling group: random names, of which the oldest go first.
func (r *resource) scalingMembers(properties map[string]any) []string {
	n, _ := memberNumber(text(properties["desired_capacity"]))
	if low, ok := memberNumber(text(properties["min_size"])); ok && n < low {
		n = low
	}
	if high, ok := memberNumber(text(properties["max_size"])); ok && n > high {
		n = high
	}
	for len(r.members) > n {
		r.members = r.members[1:]
	}
	for len(r.members) < n {
		r.members = append(r.members, r.st.sim.letters(12))
	}
	return slices.Clone(r.members)
}

// groupTemplate is the template of a group's nested stack.
func groupTemplate(r *resource, properties map[string]any, names []string) *template {
	def := object(properties["resource_def"])
	if r.kind == scalingGroupType {
		def = object(properties["resource"])
	}
	indexVariable := text(properties["index_var"])
	if indexVariable == "" {
		indexVariable = "%index%"
	}
	t := &template{version: "2015-04-30", params: map[string]*parameter{}, resources: make(map[string]*definition, len(names))}
	kind := text(def["type"])
	for _, name := range names {
		t.resources[name] = &definition{kind: kind, properties: object(substitute(def["properties"], indexVariable, name)), resolved: true}
	}
	return t
}

// substitute puts a member's index into every string of its definition.
func substitute(v any, variable, index string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, variable, index)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = substitute(e, variable, index)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = substitute(e, variable, index)
		}
		return out
	}
	return v
}

func (r *resource) groupAttribute(name string, path []any) any {
	members := []*resource{}
	if r.nested != nil {
		members = r.nested.sorted()
	}
	switch name {
	case "removed_rsrc_list":
		list := []any{}
		for _, n := range sortedKeys(r.skipped) {
			list = append(list, n)
		}
		return list
	case "current_size":
		return len(members)
	case "refs", "refs_map", "attributes", "outputs", "outputs_list":
	default:
		path = append([]any{name}, path...)
		name = "list"
	}
	byName, list := map[string]any{}, []any{}
	for _, m := range members {
		var v any
		switch {
		case name == "refs" || name == "refs_map":
			v = m.reference()
		case len(path) > 0:
			v = m.attribute(text(path[0]), path[1:])
		}
		byName[m.name] = v
		list = append(list, v)
	}
	switch name {
	case "refs", "list", "outputs_list":
		return list
	}
	return byName
}
