package simulator

import (
	"fmt"
	"strings"
)

// Resource types that are simulated. Everything else of OpenStack's own is a thing with an id that is made at once.
const (
	serverType       = "OS::Nova::Server"
	groupType        = "OS::Heat::ResourceGroup"
	scalingGroupType = "OS::Heat::AutoScalingGroup"
	portType         = "OS::Neutron::Port"
	stackType        = "OS::Heat::Stack"
	nestedType       = "(nested stack)"
	plainType        = "(other)"
)

// typeOf says how a resource type is simulated; empty if there is no such type.
func (st *stack) typeOf(kind string) string {
	kind = st.alias(kind)
	switch kind {
	case serverType, groupType, scalingGroupType, portType:
		return kind
	}
	if isFile(kind) {
		return nestedType
	}
	for _, service := range []string{"Nova", "Neutron", "Heat", "Cinder", "Octavia", "Glance", "Keystone", "Barbican", "Designate", "Swift", "Magnum"} {
		if strings.HasPrefix(kind, "OS::"+service+"::") {
			return plainType
		}
	}
	return ""
}

// alias follows the environment's resource_registry.
func (st *stack) alias(kind string) string {
	for range 10 {
		to, ok := st.registry[kind]
		if !ok || to == kind {
			break
		}
		kind = to
	}
	return kind
}

func isFile(kind string) bool {
	return strings.HasSuffix(kind, ".yaml") || strings.HasSuffix(kind, ".yml") || strings.HasSuffix(kind, ".template")
}

// validate checks what Heat checks before it accepts a template with its parameters.
func (st *stack) validate() *apiError {
	for _, name := range sortedKeys(st.tmpl.resources) {
		d := st.tmpl.resources[name]
		if yes, err := st.condition(d.condition); err != nil {
			return err
		} else if !yes {
			continue
		}
		if err := st.validateResource("resources."+name, d.kind, d.properties); err != nil {
			return err
		}
	}
	if limit := st.sim.opts.MaxResources; limit > 0 && len(st.tmpl.resources) > limit {
		return &apiError{403, "RequestLimitExceeded", fmt.Sprintf("Request limit exceeded: You have reached the maximum resources per stack, %d.", limit)}
	}
	return nil
}

func (st *stack) validateResource(path, kind string, raw map[string]any) *apiError {
	class := st.typeOf(kind)
	if class == "" {
		return &apiError{400, "StackValidationFailed", fmt.Sprintf("The Resource Type (%s) could not be found.", kind)}
	}
	if class == nestedType {
		content, ok := st.files[st.alias(kind)]
		if !ok {
			return invalid("Could not fetch remote template %q: file not given", kind)
		}
		_, err := parseTemplate(content)
		return err
	}
	properties := map[string]any{}
	for key, v := range raw {
		// What refers to other resources is not known yet; what lacks a parameter is an error now.
		if refers(v) {
			continue
		}
		resolved, err := st.resolve(v)
		if err != nil {
			if err.kind == "UserParameterMissing" {
				return invalid("Property error: : %s.properties.%s: : %s", path, key, err.message)
			}
			return err
		}
		properties[key] = resolved
	}
	bad := func(key, message string) *apiError {
		return invalid("Property error: : %s.properties.%s: : %s", path, key, message)
	}
	switch class {
	case serverType:
		// null is an empty string, and that is no image.
		if v, given := properties["image"]; given && v == nil {
			return bad("image", st.sim.violatesCustom("glance.image", ""))
		}
		return st.validateServer(properties, bad)
	case plainType:
		if n, given := properties["length"]; given && st.alias(kind) == "OS::Heat::RandomString" {
			limits := map[string]any{"range": map[string]any{"min": 1, "max": 512}}
			if message := st.sim.violates(limits, n); message != "" {
				return bad("length", message)
			}
		}
	case groupType:
		n, err := groupSize(properties)
		if err != "" {
			return bad("count", err)
		}
		def := object(raw["resource_def"])
		if n == 0 || text(def["type"]) == "" {
			return nil
		}
		return st.validateResource(path+".resources.0", text(def["type"]), object(def["properties"]))
	}
	return nil
}

func (st *stack) validateServer(properties map[string]any, bad func(key, message string) *apiError) *apiError {
	for key, constraint := range map[string]string{"flavor": "nova.flavor", "image": "glance.image"} {
		if v := text(properties[key]); v != "" {
			if message := st.sim.violatesCustom(constraint, v); message != "" {
				return bad(key, message)
			}
		}
	}
	networks, _ := properties["networks"].([]any)
	for i, n := range networks {
		if v := text(object(n)["network"]); v != "" {
			if message := st.sim.violatesCustom("neutron.network", v); message != "" {
				return bad(fmt.Sprintf("networks[%d].network", i), message)
			}
		}
	}
	return nil
}

// refers says whether a value depends on another resource.
func refers(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if k == "get_resource" || k == "get_attr" || refers(e) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if refers(e) {
				return true
			}
		}
	}
	return false
}
