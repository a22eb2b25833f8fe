package heatstack

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func get(parameter string) map[string]any { return map[string]any{"get_param": parameter} }

func TestFitTemplates(t *testing.T) {
	names := nodegroups.DefaultParameterNames()
	tests := map[string]struct {
		changes map[string]any
		want    templateFacts
	}{
		"group of servers":       {nil, templateFacts{Group: "nodes", RemovalMode: removalAppend}},
		"group of stacks":        {map[string]any{"resource_def": map[string]any{"type": "node.yaml"}}, templateFacts{Group: "nodes", Nested: true, RemovalMode: removalAppend}},
		"mode update":            {map[string]any{"removal_policies_mode": "update"}, templateFacts{Group: "nodes", RemovalMode: removalUpdate}},
		"mode from a parameter":  {map[string]any{"removal_policies_mode": get("mode")}, templateFacts{Group: "nodes", RemovalModeParameter: "mode"}},
		"parameters in brackets": {map[string]any{"count": map[string]any{"get_param": []any{"node_count"}}}, templateFacts{Group: "nodes", RemovalMode: removalAppend}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			facts, problem := inspectTemplate(groupTemplate(test.changes), names)
			require.Nil(t, problem)
			assert.Equal(t, test.want, facts)
		})
	}
	assert.Equal(t, "update", templateFacts{RemovalModeParameter: "mode"}.mode(map[string]string{"mode": "update"}))
	assert.Equal(t, "append", templateFacts{RemovalMode: removalAppend}.mode(nil))
}

func TestUnsafeTemplates(t *testing.T) {
	two := groupTemplate(nil)
	two["resources"].(map[string]any)["more"] = two["resources"].(map[string]any)["nodes"]
	tests := map[string]struct {
		template map[string]any
		says     string
	}{
		"no resources":              {map[string]any{}, "no OS::Heat::ResourceGroup"},
		"fixed count":               {groupTemplate(map[string]any{"count": 3}), "no OS::Heat::ResourceGroup"},
		"another parameter":         {groupTemplate(map[string]any{"count": get("size")}), "no OS::Heat::ResourceGroup"},
		"part of a parameter":       {groupTemplate(map[string]any{"count": map[string]any{"get_param": []any{"node_count", 0}}}), "no OS::Heat::ResourceGroup"},
		"no removal policies":       {groupTemplate(map[string]any{"removal_policies": nil}), "removal_policies of nodes"},
		"other removal parameter":   {groupTemplate(map[string]any{"removal_policies": []any{map[string]any{"resource_list": get("victims")}}}), "nodes_to_remove"},
		"more than one policy":      {groupTemplate(map[string]any{"removal_policies": []any{map[string]any{"resource_list": get("nodes_to_remove")}, map[string]any{"resource_list": []any{"0"}}}}), "removal_policies of nodes"},
		"odd mode":                  {groupTemplate(map[string]any{"removal_policies_mode": "forget"}), "removal_policies_mode"},
		"two groups":                {two, "2 groups"},
		"scaling group":             {map[string]any{"resources": map[string]any{"asg": map[string]any{"type": typeAutoScalingGroup, "properties": map[string]any{"desired_capacity": get("node_count")}}}}, "chooses the members"},
		"a scaling group of others": {map[string]any{"resources": map[string]any{"asg": map[string]any{"type": typeAutoScalingGroup, "properties": map[string]any{"desired_capacity": 2}}}}, "no OS::Heat::ResourceGroup"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, problem := inspectTemplate(test.template, nodegroups.DefaultParameterNames())
			require.NotNil(t, problem)
			assert.Equal(t, nodegroups.ReasonUnsafeTemplate, problem.Reason)
			assert.Equal(t, nodegroups.Blocking, problem.Severity)
			assert.Contains(t, problem.Message, test.says)
		})
	}
}
