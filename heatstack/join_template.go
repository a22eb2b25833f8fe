package heatstack

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// deepestTemplate is how deep nested templates are looked into: Heat's default of max_nested_stack_depth.
const deepestTemplate = 5

// inspectJoining says why a template must not get minted tokens, nil if it may. A token is a new value with each growth: if
// Heat did not ignore that user data change it would rebuild every server of the group
// (heat/engine/resources/openstack/nova/server.py, user_data_update_policy, REPLACE by default), and if the parameter were
// not hidden everybody who may look at the stack could read the token. files are those of the stack, by the names under
// which templates refer to them.
func inspectJoining(template map[string]any, files map[string]string, group string, names nodegroups.ParameterNames) *nodegroups.Problem {
	i := joinInspection{files: files}
	changing := map[string]bool{names.Token: true}
	for _, name := range []string{clusterCAParameter, apiServerParameter} {
		if _, ok := object(template["parameters"])[name]; ok {
			changing[name] = true
		}
	}
	complaint, remedy := i.template(template, group, map[string]bool{names.Token: true}, changing, 0)
	if complaint == "" {
		return nil
	}
	return &nodegroups.Problem{
		Reason: nodegroups.ReasonUnsafeBootstrap, Severity: nodegroups.Blocking, Key: names.Token,
		Message: complaint + ": the stack is not grown",
		Remedy: fmt.Sprintf("%s; or let the group join by its own means: %s=%s", remedy,
			nodegroups.KeyTokenSource, nodegroups.TokenOwn),
	}
}

// joinInspection looks through a template and those nested in it.
type joinInspection struct {
	files map[string]string
}

// template inspects one template. secrets are its parameters that hold the token, changing those whose value a growth may
// change. group is the resource group of the members; in nested templates ("") everything belongs to a member.
func (i *joinInspection) template(template map[string]any, group string, secrets, changing map[string]bool, depth int) (complaint, remedy string) {
	parameters := object(template["parameters"])
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		parameter, ok := parameters[name]
		switch {
		case !ok:
			return fmt.Sprintf("the template has no parameter %s for the bootstrap token", name),
				fmt.Sprintf("add it with hidden: true, or name the right one by the annotation %s", nodegroups.KeyTokenParameter)
		case !isTrue(object(parameter)["hidden"]):
			return fmt.Sprintf("the parameter %s would show the bootstrap token to everybody who may look at the stack", name),
				"add hidden: true to it in the template"
		}
	}
	if mentions(template["outputs"], secrets, nil) {
		return "an output of the template would show the bootstrap token", "take the token out of the outputs"
	}
	resources := object(template["resources"])
	tainted := taintedBy(resources, changing)
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		resource := object(resources[name])
		isMember := group == "" || name == group
		if !isMember && !tainted[name] {
			continue
		}
		what := name
		if resource["type"] == typeResourceGroup {
			resource = object(object(resource["properties"])["resource_def"])
			what = "a member of " + name
		}
		if complaint, remedy = i.resource(what, resource, secrets, changing, tainted, depth); complaint != "" {
			return complaint, remedy
		}
	}
	return "", ""
}

// resource inspects a resource that belongs to a member, or that a changed parameter reaches.
func (i *joinInspection) resource(what string, resource map[string]any, secrets, changing, tainted map[string]bool, depth int) (complaint, remedy string) {
	properties := object(resource["properties"])
	kind, _ := resource["type"].(string)
	if kind == typeServer {
		if !ignoresUserData(resource["properties"]) {
			return fmt.Sprintf("Heat would rebuild every running server when the bootstrap token changes: %s does not say user_data_update_policy: IGNORE", what),
				"add user_data_update_policy: IGNORE to the server's properties"
		}
		return "", ""
	}
	text, isFile := i.files[kind]
	if !isFile {
		if strings.HasPrefix(kind, "OS::") {
			return "", "" // it has no server in it, and Heat changes it in place or makes it anew without one
		}
		return fmt.Sprintf("the template of %s, %s, is not among the stack's files, so that nobody can say what a new bootstrap token does to its server", what, kind),
			"name the nested template's file as the type"
	}
	if depth+1 >= deepestTemplate {
		return fmt.Sprintf("%s is nested too deeply to be looked at", what), "use fewer levels of templates"
	}
	var nested map[string]any
	if err := yaml.Unmarshal([]byte(text), &nested); err != nil {
		return fmt.Sprintf("the template %s can't be understood", kind), "mend the template"
	}
	innerSecrets, innerChanging := map[string]bool{}, map[string]bool{}
	for name, value := range properties {
		if mentions(value, secrets, nil) {
			innerSecrets[name] = true
		}
		if mentions(value, changing, tainted) {
			innerChanging[name] = true
		}
	}
	return i.template(nested, "", innerSecrets, innerChanging, depth+1)
}

// ignoresUserData tells whether a server keeps running when its user data change. Properties may be put together from several maps,
// as those of a member of a resource group can be; one of them must say IGNORE itself, and nothing may say anything else.
func ignoresUserData(properties any) bool {
	const policy = "user_data_update_policy"
	parts, together := object(properties)["map_merge"].([]any)
	if !together || len(object(properties)) != 1 {
		return object(properties)[policy] == "IGNORE"
	}
	says := false
	for _, part := range parts {
		if object(part)[policy] == "IGNORE" {
			says = true
		} else if hasKey(part, policy) {
			return false
		}
	}
	return says
}

// hasKey tells whether a key is in a value, however deep.
func hasKey(value any, key string) bool {
	switch v := value.(type) {
	case map[string]any:
		for k, inner := range v {
			if k == key || hasKey(inner, key) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return hasKey(inner, key) })
	}
	return false
}

// taintedBy finds the resources whose properties depend on one of the parameters, also by way of other resources, as user
// data that are put together by a resource of their own do.
func taintedBy(resources map[string]any, parameters map[string]bool) map[string]bool {
	tainted := map[string]bool{}
	for found := true; found; {
		found = false
		for name, resource := range resources {
			if !tainted[name] && mentions(object(resource)["properties"], parameters, tainted) {
				tainted[name], found = true, true
			}
		}
	}
	return tainted
}

// mentions tells whether a value takes anything from one of the parameters or resources.
func mentions(value any, parameters, resources map[string]bool) bool {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			switch key {
			case "get_param":
				if parameters[firstName(inner)] {
					return true
				}
			case "get_resource", "get_attr":
				if resources[firstName(inner)] {
					return true
				}
			}
			if mentions(inner, parameters, resources) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return mentions(inner, parameters, resources) })
	}
	return false
}

// firstName is the name in the argument of get_param, get_resource or get_attr.
func firstName(argument any) string {
	if list, ok := argument.([]any); ok && len(list) > 0 {
		argument = list[0]
	}
	name, _ := argument.(string)
	return name
}

// isTrue reads a boolean of a template, which may be written as a text.
func isTrue(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}
