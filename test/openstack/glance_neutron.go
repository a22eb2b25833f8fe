package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// glance answers for the image service: lists and single images.
func glance(q *request) *response {
	if len(q.path) == 0 {
		return jsonResponse(http.StatusMultipleChoices, map[string]any{"versions": []any{map[string]any{
			"id": "v2.15", "status": "CURRENT", "links": []any{link("self", q.sim.endpoint("/image/v2/"))}}}})
	}
	if r := q.authenticate(); r != nil {
		return r
	}
	if len(q.path) < 2 || q.path[0] != "v2" || q.path[1] != "images" {
		return htmlResponse(http.StatusNotFound, "404 Not Found", "The resource could not be found.<br /><br />\n")
	}
	if len(q.path) == 3 {
		for _, i := range q.sim.images {
			if i.ID == q.path[2] {
				return jsonResponse(http.StatusOK, i.view())
			}
		}
		return htmlResponse(http.StatusNotFound, "404 Not Found", "No image found with ID "+q.path[2]+"<br /><br />\n")
	}
	rows := []any{}
	names := q.URL.Query()["name"]
	for _, i := range q.sim.images {
		if len(names) == 0 || slices.Contains(names, i.Name) {
			rows = append(rows, i.view())
		}
	}
	return jsonResponse(http.StatusOK, map[string]any{"images": rows, "first": "/v2/images", "schema": "/v2/schemas/images"})
}

func (i *Image) view() map[string]any {
	v := map[string]any{
		"id": i.ID, "name": i.Name, "status": "active", "visibility": "public", "disk_format": "raw", "container_format": "bare", "size": 4096,
		"virtual_size": 4096, "min_ram": 0, "min_disk": i.MinDiskGiB, "protected": false, "os_hidden": false, "tags": []any{},
		"created_at": isoZ(i.created), "updated_at": isoZ(i.created), "self": "/v2/images/" + i.ID, "file": "/v2/images/" + i.ID + "/file",
		"schema": "/v2/schemas/image",
	}
	for k, p := range i.Properties {
		v[k] = p
	}
	return v
}

// neutron answers for the network service: networks and the quota.
func neutron(q *request) *response {
	if len(q.path) == 0 {
		return jsonResponse(http.StatusOK, map[string]any{"versions": []any{map[string]any{
			"id": "v2.0", "status": "CURRENT", "links": []any{link("self", q.sim.endpoint("/network/v2.0/"))}}}})
	}
	if r := q.authenticate(); r != nil {
		return r
	}
	missing := jsonResponse(http.StatusNotFound, map[string]any{"NeutronError": map[string]any{"type": "HTTPNotFound", "message": "The resource could not be found.", "detail": ""}})
	if len(q.path) < 2 || q.path[0] != "v2.0" {
		return missing
	}
	p := q.token.project
	switch q.path[1] {
	case "networks":
		rows := []any{}
		names := q.URL.Query()["name"]
		for _, n := range q.sim.networks {
			row := map[string]any{"id": n.ID, "name": n.Name, "tenant_id": p.ID, "project_id": p.ID, "admin_state_up": true, "mtu": 1500,
				"status": "ACTIVE", "subnets": []any{n.subnet}, "shared": true, "router:external": false, "created_at": isoZ(n.created)}
			if len(q.path) == 3 && n.ID == q.path[2] {
				return jsonResponse(http.StatusOK, map[string]any{"network": row})
			}
			if len(names) == 0 || slices.Contains(names, n.Name) {
				rows = append(rows, row)
			}
		}
		if len(q.path) == 3 {
			return missing
		}
		return jsonResponse(http.StatusOK, map[string]any{"networks": rows})
	case "quotas":
		if len(q.path) >= 4 && strings.TrimSuffix(q.path[3], ".json") == "details" {
			return jsonResponse(http.StatusOK, map[string]any{"quota": map[string]any{
				"port": map[string]any{"limit": p.quota.Ports, "used": p.used.Ports, "reserved": 0}}})
		}
		return jsonResponse(http.StatusOK, map[string]any{"quota": map[string]any{"network": -1, "subnet": -1, "port": p.quota.Ports, "security_group": -1, "security_group_rule": -1}})
	}
	return missing
}
