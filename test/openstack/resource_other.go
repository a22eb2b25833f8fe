package simulator

import (
	"maps"
	"reflect"
)

// startNested creates or updates a stack from a file.
func (r *resource) startNested(t *traversal, properties map[string]any) {
	action := "UPDATE"
	if r.nested == nil {
		action = "CREATE"
	}
	if r.state() == "CHECK_FAILED" && r.nested != nil && r.nested.action+"_"+r.nested.status != "CHECK_FAILED" {
		// It was marked unhealthy itself: all of it is made anew.
		r.relics = append(r.relics, relic{nested: r.nested})
		r.nested, action = nil, "CREATE"
	}
	generation := r.begin(action)
	parsed, err := parseTemplate(r.st.files[r.st.alias(r.kind)])
	if err != nil {
		r.end(t, r.failure(err.kind, err.message))
		return
	}
	r.properties = properties
	r.runNested(t, generation, action, parsed, properties)
}

// runNested brings the nested stack to a template and ends the resource's action when the nested stack has settled.
func (r *resource) runNested(t *traversal, generation int, action string, tmpl *template, sent map[string]any) {
	s := r.st.sim
	values, err := s.bind(tmpl, sent)
	if err != nil {
		r.end(t, r.failure(err.kind, err.message))
		return
	}
	nested := r.nested
	if nested == nil {
		nested = s.newStack(r.st.project, r.st.owner, r.st.name+"-"+r.name+"-"+s.letters(12))
		nested.parent, nested.files, nested.registry, nested.classic = r, r.st.files, r.st.registry, r.st.classic
		r.nested, r.physical = nested, nested.id
	}
	nested.tmpl, nested.sent, nested.values = tmpl, sent, values
	nested.files, nested.registry = r.st.files, r.st.registry
	if action == "UPDATE" {
		nested.updated = s.now
	}
	nested.done = func(failure string) {
		s.after(s.timing.Poll, func() {
			if r.generation != generation {
				return
			}
			if failure != "" {
				r.end(t, r.nestedFailure(action, failure))
				return
			}
			r.cleanUp(func() {
				if r.generation == generation {
					r.end(t, "")
				}
			})
		})
	}
	nested.converge(action, s.timing.Nested)
}

// startPort creates a Neutron port, if the quota allows it.
func (r *resource) startPort(t *traversal, properties map[string]any) {
	if r.action != "INIT" && r.status != "FAILED" {
		r.properties = properties
		t.complete(r.name)
		return
	}
	s := r.st.sim
	generation := r.begin("CREATE")
	r.properties = properties
	s.after(s.timing.Request, func() {
		if r.generation != generation {
			return
		}
		if r.physical == "" {
			p := r.st.project
			if p.quota.Ports >= 0 && p.used.Ports >= p.quota.Ports {
				r.end(t, r.failure("OverQuotaClient", "Quota exceeded for resources: ['port'].\nNeutron server returns request_ids: ['"+s.requestID()+"']"))
				return
			}
			p.used.Ports++
			r.physical = s.uuid()
			network := text(properties["network"])
			if network == "" {
				network = text(properties["network_id"])
			}
			s.configs[r.physical] = network
		}
		r.end(t, "")
	})
}

// startPlain makes anything else: an id, at once.
func (r *resource) startPlain(t *traversal, properties map[string]any) {
	s := r.st.sim
	same := reflect.DeepEqual(r.properties, properties)
	if r.action != "INIT" && r.status != "FAILED" && same {
		t.complete(r.name)
		return
	}
	action := "UPDATE"
	if r.physical == "" || r.kind == "OS::Heat::SoftwareConfig" || r.kind == "OS::Heat::CloudConfig" {
		action = "CREATE" // a configuration never changes: another one takes its place
	}
	generation := r.begin(action)
	r.properties = maps.Clone(properties)
	s.after(s.timing.Request, func() {
		if r.generation != generation {
			return
		}
		if action == "CREATE" {
			r.physical = s.uuid()
		}
		switch r.kind {
		case "OS::Heat::SoftwareConfig":
			s.configs[r.physical] = text(properties["config"])
		case "OS::Heat::CloudConfig":
			s.configs[r.physical] = "#cloud-config\n" + pythonJSON(properties["cloud_config"]) + "\n"
		}
		r.end(t, "")
	})
}

// attribute is a resource's attribute as get_attr gives it; nil if it has none of that name.
func (r *resource) attribute(name string, path []any) any {
	switch r.st.typeOf(r.kind) {
	case serverType:
		return r.serverAttribute(name, path)
	case groupType, scalingGroupType:
		return r.groupAttribute(name, path)
	case nestedType:
		if r.nested == nil {
			return nil
		}
		v, _ := r.nested.output(name)
		return dig(v, path)
	}
	return dig(r.plainAttribute(name), path)
}

// output works out one of the stack's outputs.
func (st *stack) output(name string) (any, bool) {
	o, ok := st.tmpl.outputs[name]
	if !ok {
		return nil, false
	}
	v, err := st.resolve(object(o)["value"])
	if err != nil {
		return nil, true
	}
	return v, true
}
