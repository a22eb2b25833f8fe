package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// limits answers GET /limits: the project's quota and what is used of it.
func (q *request) limits() *response {
	p := q.token.project
	return jsonResponse(http.StatusOK, map[string]any{"limits": map[string]any{"rate": []any{}, "absolute": map[string]any{
		"maxTotalInstances": p.quota.Instances, "maxTotalCores": p.quota.Cores, "maxTotalRAMSize": p.quota.RAMMiB,
		"maxServerMeta": 128, "maxTotalKeypairs": 100, "maxServerGroups": 10, "maxServerGroupMembers": 10,
		"totalInstancesUsed": p.used.Instances, "totalCoresUsed": p.used.Cores, "totalRAMUsed": p.used.RAMMiB, "totalServerGroupsUsed": 0,
	}}})
}

// quotaSet answers for os-quota-sets; only admins may change one or see another project's.
func (q *request) quotaSet(id string) *response {
	p := q.sim.project(id)
	if !q.token.user.admin && (q.Method != http.MethodGet || p != q.token.project) {
		return novaError(http.StatusForbidden, "forbidden", "Policy doesn't allow os_compute_api:os-quota-sets:"+map[bool]string{true: "show", false: "update"}[q.Method == http.MethodGet]+" to be performed.")
	}
	if p == nil {
		return novaError(http.StatusBadRequest, "badRequest", "Project ID "+id+" is not a valid project.")
	}
	if q.Method == http.MethodPut {
		var body struct {
			Set struct {
				Instances *int `json:"instances"`
				Cores     *int `json:"cores"`
				RAM       *int `json:"ram"`
			} `json:"quota_set"`
		}
		if err := json.Unmarshal(q.body, &body); err != nil {
			return novaError(http.StatusBadRequest, "badRequest", "Malformed request body")
		}
		for to, from := range map[*int]*int{&p.quota.Instances: body.Set.Instances, &p.quota.Cores: body.Set.Cores, &p.quota.RAMMiB: body.Set.RAM} {
			if from != nil {
				*to = *from
			}
		}
	}
	set := map[string]any{
		"cores": p.quota.Cores, "instances": p.quota.Instances, "ram": p.quota.RAMMiB, "key_pairs": 100, "metadata_items": 128,
		"server_group_members": 10, "server_groups": 10,
	}
	if q.Method != http.MethodPut {
		set["id"] = p.ID
	}
	return jsonResponse(http.StatusOK, map[string]any{"quota_set": set})
}

// createServer answers POST /servers: a server that Heat knows nothing of.
func (q *request) createServer() *response {
	var body struct {
		Server struct {
			Name     string            `json:"name"`
			Flavor   string            `json:"flavorRef"`
			Image    string            `json:"imageRef"`
			UserData string            `json:"user_data"`
			Metadata map[string]string `json:"metadata"`
			Key      string            `json:"key_name"`
			Zone     string            `json:"availability_zone"`
			Networks any               `json:"networks"`
		} `json:"server"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil || body.Server.Name == "" {
		return novaError(http.StatusBadRequest, "badRequest", "Invalid input for field/attribute server.")
	}
	network := ""
	if list, ok := body.Server.Networks.([]any); ok && len(list) > 0 {
		network = text(object(list[0])["uuid"])
	}
	data, err := base64.StdEncoding.DecodeString(body.Server.UserData)
	if err != nil {
		return novaError(http.StatusBadRequest, "badRequest", "Invalid input for field/attribute user_data.")
	}
	f := q.sim.flavor(body.Server.Flavor)
	if f == nil {
		return novaError(http.StatusBadRequest, "badRequest", "Flavor "+body.Server.Flavor+" could not be found.")
	}
	if refusal := q.token.project.take(f); refusal != "" {
		return novaError(http.StatusForbidden, "forbidden", refusal)
	}
	q.token.project.release(f)
	srv, refusal := q.sim.boot(q.token.project, q.token.user, serverSpec{
		name: body.Server.Name, flavor: f.ID, image: body.Server.Image, network: network, userData: string(data),
		keyName: body.Server.Key, zone: body.Server.Zone, metadata: body.Server.Metadata,
	})
	if srv == nil {
		return novaError(http.StatusForbidden, "forbidden", refusal)
	}
	return jsonResponse(http.StatusAccepted, map[string]any{"server": map[string]any{"id": srv.id, "links": srv.links(), "OS-DCF:diskConfig": "MANUAL",
		"security_groups": []any{map[string]any{"name": "default"}}, "adminPass": "simulated"}})
}
