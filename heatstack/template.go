package heatstack

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const typeAutoScalingGroup = "OS::Heat::AutoScalingGroup"

// inspectTemplate finds the resource group that the parameters scale. A template in which a removal could hit another
// member than the one that is named is refused: Heat ignores what it does not understand and takes the highest index instead.
func inspectTemplate(template map[string]any, names nodegroups.ParameterNames) (templateFacts, *nodegroups.Problem) {
	var fit []templateFacts
	var complaints []string
	resources := object(template["resources"])
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		resource := object(resources[name])
		properties := object(resource["properties"])
		switch resource["type"] {
		case typeAutoScalingGroup:
			if parameterOf(properties["desired_capacity"]) == names.Size {
				complaints = append(complaints, fmt.Sprintf(
					"%s is an %s, which chooses the members to remove by itself", name, typeAutoScalingGroup))
			}
		case typeResourceGroup:
			if parameterOf(properties["count"]) != names.Size {
				continue
			}
			facts, complaint := inspectGroup(name, properties, names)
			if complaint != "" {
				complaints = append(complaints, complaint)
				continue
			}
			fit = append(fit, facts)
		}
	}
	problem := nodegroups.Problem{
		Reason: nodegroups.ReasonUnsafeTemplate, Severity: nodegroups.Blocking, Key: names.Size,
		Remedy: fmt.Sprintf("give the stack an %s with count: {get_param: %s} and removal_policies: [{resource_list: {get_param: %s}}]",
			typeResourceGroup, names.Size, names.Removal),
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		problem.Message = fmt.Sprintf("the template has %d groups that this parameter scales, so a member's index means several", len(fit))
	case len(complaints) > 0:
		problem.Message = strings.Join(complaints, "; ")
	default:
		problem.Message = fmt.Sprintf("the template has no %s whose count is this parameter", typeResourceGroup)
	}
	return templateFacts{}, &problem
}

// inspectGroup reads one resource group whose count is the size parameter. A complaint means that it can't be used.
func inspectGroup(name string, properties map[string]any, names nodegroups.ParameterNames) (facts templateFacts, complaint string) {
	facts = templateFacts{Group: name, RemovalMode: removalAppend}
	facts.Nested = object(properties["resource_def"])["type"] != typeServer

	policies, _ := properties["removal_policies"].([]any)
	named := false
	for _, policy := range policies {
		named = named || parameterOf(object(policy)["resource_list"]) == names.Removal
	}
	if !named || len(policies) != 1 {
		return facts, fmt.Sprintf("removal_policies of %s is not a resource_list from the parameter %s", name, names.Removal)
	}

	if mode, given := properties["removal_policies_mode"]; given {
		facts.RemovalModeParameter = parameterOf(mode)
		facts.RemovalMode = ""
		if facts.RemovalModeParameter == "" {
			facts.RemovalMode, _ = mode.(string)
			if facts.RemovalMode != removalAppend && facts.RemovalMode != removalUpdate {
				return facts, fmt.Sprintf("removal_policies_mode of %s is neither %s, %s nor a parameter", name, removalAppend, removalUpdate)
			}
		}
	}
	return facts, ""
}

// parameterOf is the name of the parameter that value is taken from, "" if it is anything but {get_param: NAME}.
func parameterOf(value any) string {
	call, ok := value.(map[string]any)
	if !ok || len(call) != 1 {
		return ""
	}
	switch name := call["get_param"].(type) {
	case string:
		return name
	case []any:
		if len(name) == 1 {
			only, _ := name[0].(string)
			return only
		}
	}
	return ""
}

// object is value as a JSON object, nil if it is none.
func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}
