package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
)

// sortedKeys lists a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// startServer creates, replaces, changes or leaves alone the resource's server.
func (r *resource) startServer(t *traversal, properties map[string]any) {
	last := r.properties
	switch {
	case r.action == "INIT":
		r.createServer(t, properties)
	case r.status == "FAILED" && r.action == "CHECK", // always, whatever the server's state
		r.status == "FAILED" && r.broken(), r.state() == "DELETE_COMPLETE", r.server == nil,
		replaces(last, properties):
		r.replaceServer(t, properties)
	case r.status == "FAILED" || !reflect.DeepEqual(settings(last), settings(properties)):
		r.changeServer(t, properties)
	default:
		r.properties = properties
		t.complete(r.name)
	}
}

// broken says whether the server is not there or can't be used.
func (r *resource) broken() bool {
	return r.server == nil || r.server.status == "ERROR" || r.server.status == "DELETED" || r.server.taskState == "deleting"
}

// replaces says whether a change of properties can only be had with a new server.
func replaces(last, next map[string]any) bool {
	for _, key := range []string{"key_name", "availability_zone", "block_device_mapping_v2", "block_device_mapping", "config_drive", "user_data_format", "scheduler_hints", "security_groups"} {
		if !reflect.DeepEqual(last[key], next[key]) {
			return true
		}
	}
	if text(next["user_data_update_policy"]) != "IGNORE" && !reflect.DeepEqual(last["user_data"], next["user_data"]) {
		return true
	}
	return text(next["flavor_update_policy"]) == "REPLACE" && !reflect.DeepEqual(last["flavor"], next["flavor"]) ||
		text(next["image_update_policy"]) == "REPLACE" && !reflect.DeepEqual(last["image"], next["image"])
}

// settings is what matters of the properties when the question is whether a server has to be changed.
func settings(properties map[string]any) map[string]any {
	out := maps.Clone(properties)
	delete(out, "user_data")
	delete(out, "user_data_update_policy")
	return out
}

// replaceServer makes a new server in the place of the one there is, which is deleted afterwards.
func (r *resource) replaceServer(t *traversal, properties map[string]any) {
	if r.server != nil {
		r.relics = append(r.relics, relic{server: r.server})
		r.server.notify = nil
		r.server, r.physical = nil, ""
	}
	r.createServer(t, properties)
}

func (r *resource) createServer(t *traversal, properties map[string]any) {
	r.properties = properties
	r.attempt(t, r.begin("CREATE"), 0)
}

// attempt asks Nova for the server; number counts earlier attempts.
func (r *resource) attempt(t *traversal, generation, number int) {
	s := r.st.sim
	s.after(s.timing.Request, func() {
		if r.generation != generation {
			return
		}
		if limit := s.opts.MaxResources; limit > 0 && r.st.root().count() > limit {
			r.end(t, r.failure("StackResourceLimitExceeded", "Maximum resources per stack exceeded."))
			return
		}
		if failure, ok := r.mayAskNova(http.MethodPost, "/servers"); !ok {
			r.end(t, failure)
			return
		}
		srv, refusal := s.boot(r.st.project, r.st.root().owner, r.spec())
		if srv == nil {
			r.end(t, r.failure(refusalKind(refusal), refusal))
			return
		}
		r.adopt(srv)
		srv.notify = func() {
			srv.notify = nil
			s.after(s.timing.Poll, func() { r.booted(t, srv, generation, number) })
		}
	})
}

// adopt makes the server the resource's own.
func (r *resource) adopt(srv *server) {
	r.server, r.physical = srv, srv.id
	srv.owner = r
	// The birth was noted before the server knew where it belongs.
	births := r.st.sim.history.births
	for i := len(births) - 1; i >= 0 && i >= len(births)-4; i-- {
		if births[i].ServerID == srv.id {
			births[i].Stack, births[i].StackName, births[i].Index = srv.origin()
			break
		}
	}
}

// booted looks at the server after its state has changed.
func (r *resource) booted(t *traversal, srv *server, generation, number int) {
	s := r.st.sim
	if r.generation != generation || r.server != srv {
		return
	}
	switch {
	case srv.status == "ACTIVE":
		r.cleanUp(func() {
			if r.generation == generation {
				r.end(t, "")
			}
		})
	case srv.status == "DELETED" || srv.taskState == "deleting":
		r.end(t, r.failure("NotFound", fmt.Sprintf("Instance %s could not be found. (HTTP 404) (Request-ID: %s)", srv.id, s.requestID())))
	default:
		failure := r.failure("ResourceInError", fmt.Sprintf("Went to status ERROR due to \"Message: %s, Code: 500\"", srv.fault))
		if number >= s.timing.Retries {
			r.end(t, failure)
			return
		}
		r.set("CREATE", "FAILED", failure)
		r.set("DELETE", "IN_PROGRESS", "state changed")
		_, by := r.demise()
		s.remove(srv, Retried, by, func() {
			if r.generation != generation {
				return
			}
			r.server = nil
			r.set("DELETE", "COMPLETE", "state changed")
			s.after(s.timing.RetryFirst<<number, func() {
				if r.generation != generation {
					return
				}
				r.set("CREATE", "IN_PROGRESS", "state changed")
				r.attempt(t, generation, number+1)
			})
		})
	}
}

// changeServer applies what can be changed of a running server.
func (r *resource) changeServer(t *traversal, properties map[string]any) {
	s := r.st.sim
	generation := r.begin("UPDATE")
	s.after(s.timing.Request+s.timing.Poll, func() {
		if r.generation != generation {
			return
		}
		r.properties = properties
		if srv := r.server; srv != nil && srv.status != "DELETED" {
			spec := r.spec()
			srv.name, srv.tags = spec.name, spec.tags
			srv.metadata = spec.metadata
			if f := s.flavor(spec.flavor); f != nil && f != srv.flavor {
				srv.project.release(srv.flavor)
				if refusal := srv.project.take(f); refusal != "" {
					_ = srv.project.take(srv.flavor)
					r.end(t, r.failure("Forbidden", refusal+" (HTTP 403) (Request-ID: "+s.requestID()+")"))
					return
				}
				srv.flavor = f
			}
			s.touch(srv)
		}
		r.cleanUp(func() { r.end(t, "") })
	})
}

// spec is what the resource's properties ask Nova for.
func (r *resource) spec() serverSpec {
	p := r.properties
	spec := serverSpec{
		name: text(p["name"]), flavor: text(p["flavor"]), image: text(p["image"]), keyName: text(p["key_name"]),
		zone: text(p["availability_zone"]), userData: text(p["user_data"]), metadata: map[string]string{},
	}
	if spec.name == "" {
		spec.name = r.st.name + "-" + r.name + "-" + r.st.sim.letters(12)
	}
	if config, ok := r.st.sim.configs[spec.userData]; ok {
		spec.userData = config
	}
	for k, v := range object(p["metadata"]) {
		spec.metadata[k] = text(v)
	}
	tags, _ := p["tags"].([]any)
	for _, tag := range tags {
		spec.tags = append(spec.tags, text(tag))
	}
	if networks, _ := p["networks"].([]any); len(networks) > 0 {
		o := object(networks[0])
		spec.network = text(o["network"])
		if port := text(o["port"]); port != "" {
			spec.network = r.st.sim.configs[port]
		}
	}
	mappings, _ := p["block_device_mapping_v2"].([]any)
	for _, m := range mappings {
		o := object(m)
		if size, ok := o["volume_size"].(json.Number); ok && (text(o["boot_index"]) == "0" || len(mappings) == 1) {
			n, err := size.Int64()
			if err == nil {
				spec.bootVolumeGiB = int(n)
			}
		} else if n, number := memberNumber(text(o["volume_size"])); number {
			spec.bootVolumeGiB = n
		}
	}
	return spec
}

// checkServer is Heat's check of a server: empty if it is fine.
func (r *resource) checkServer() string {
	if r.server == nil || r.server.status == "DELETED" {
		return r.failure("NotFound", fmt.Sprintf("Instance %s could not be found. (HTTP 404) (Request-ID: %s)", r.physical, r.st.sim.requestID()))
	}
	if status := r.server.status; status != "ACTIVE" {
		return r.failure("Error", fmt.Sprintf("'status': expected 'ACTIVE', got '%s'", status))
	}
	return ""
}

func (r *resource) serverAttribute(name string, path []any) any {
	srv := r.server
	if srv == nil {
		return nil
	}
	switch name {
	case "name":
		return srv.name
	case "first_address", "accessIPv4":
		return srv.address
	case "addresses", "networks":
		if srv.network == nil {
			return map[string]any{}
		}
		if name == "networks" {
			return dig(map[string]any{srv.network.Name: []any{srv.address}}, path)
		}
		return dig(map[string]any{srv.network.Name: []any{map[string]any{"addr": srv.address, "version": 4}}}, path)
	case "show":
		return dig(map[string]any{"id": srv.id, "name": srv.name, "status": srv.status}, path)
	}
	return nil
}
