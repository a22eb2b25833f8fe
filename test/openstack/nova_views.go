package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const novaMicroTime = "2006-01-02T15:04:05.000000"

// serverView is a server as servers/detail shows it. What only some answers have is left out of the others.
type serverView struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	Status         string            `json:"status"`
	Tenant         string            `json:"tenant_id"`
	User           string            `json:"user_id"`
	Metadata       map[string]string `json:"metadata"`
	HostID         string            `json:"hostId"`
	Image          any               `json:"image"`
	Flavor         any               `json:"flavor"`
	Created        any               `json:"created"`
	Updated        any               `json:"updated"`
	Addresses      any               `json:"addresses"`
	AccessIPv4     string            `json:"accessIPv4"`
	AccessIPv6     string            `json:"accessIPv6"`
	Links          []any             `json:"links"`
	DiskConfig     string            `json:"OS-DCF:diskConfig"`
	Fault          any               `json:"fault,omitempty"`
	Progress       *int              `json:"progress,omitempty"`
	Zone           string            `json:"OS-EXT-AZ:availability_zone"`
	ConfigDrive    string            `json:"config_drive"`
	KeyName        *string           `json:"key_name"`
	Launched       any               `json:"OS-SRV-USG:launched_at"`
	Terminated     any               `json:"OS-SRV-USG:terminated_at"`
	Host           *string           `json:"OS-EXT-SRV-ATTR:host,omitempty"`
	Instance       *string           `json:"OS-EXT-SRV-ATTR:instance_name,omitempty"`
	Hypervisor     *string           `json:"OS-EXT-SRV-ATTR:hypervisor_hostname,omitempty"`
	TaskState      *string           `json:"OS-EXT-STS:task_state"`
	VMState        string            `json:"OS-EXT-STS:vm_state"`
	PowerState     int               `json:"OS-EXT-STS:power_state"`
	Volumes        []any             `json:"os-extended-volumes:volumes_attached"`
	SecurityGroups []any             `json:"security_groups,omitempty"`
	serverViewNew
}

// serverViewNew is what newer microversions add.
type serverViewNew struct {
	Locked       *bool     `json:"locked,omitempty"`
	LockedReason null      `json:"locked_reason,omitempty"`
	Description  null      `json:"description,omitempty"`
	Tags         *[]string `json:"tags,omitempty"`
	Trusted      null      `json:"trusted_image_certificates,omitempty"`
	Hostname     *string   `json:"OS-EXT-SRV-ATTR:hostname,omitempty"`
	UserData     *string   `json:"OS-EXT-SRV-ATTR:user_data,omitempty"`
	Root         *string   `json:"OS-EXT-SRV-ATTR:root_device_name,omitempty"`
	HostStatus   *string   `json:"host_status,omitempty"`
	ServerGroups *[]string `json:"server_groups,omitempty"`
}

// null is a JSON null that omitempty leaves out when it is nil.
type null json.RawMessage

// MarshalJSON writes null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

var isNull = null("null")

func (srv *server) links() []any {
	return []any{link("self", srv.endpoint("/v2.1/servers/"+srv.id)), link("bookmark", srv.endpoint("/servers/"+srv.id))}
}

func (srv *server) endpoint(path string) string { return srv.base + "/compute" + path }

// detail is the server as the API of a microversion shows it. single is GET of one server, which shows more than a list.
func (srv *server) detail(minor int, admin, single bool) *serverView {
	v := &serverView{
		ID: srv.id, Name: srv.name, Status: srv.status, Tenant: srv.project.ID, User: srv.user.id, Metadata: srv.metadata,
		Image: "", Created: isoZ(srv.created), Updated: isoZ(srv.updated), Addresses: map[string]any{},
		Links: srv.links(), DiskConfig: "MANUAL", Zone: srv.zone, VMState: srv.vmState, PowerState: srv.power,
		Launched: microTime(srv.launched), Terminated: microTime(srv.terminated), Volumes: []any{}, Flavor: srv.flavorView(minor),
	}
	if srv.scheduledEver() {
		v.HostID = "80df9d8ef387bd956edababaac8fffb784e85425e5c54f049608fe4b"
	}
	if srv.image != nil && srv.bootVolumeGiB == 0 {
		v.Image = map[string]any{"id": srv.image.ID, "links": []any{link("bookmark", srv.endpoint("/images/"+srv.image.ID))}}
	}
	if srv.volume != "" {
		v.Volumes = append(v.Volumes, map[string]any{"id": srv.volume, "delete_on_termination": true})
	}
	if srv.keyName != "" {
		v.KeyName = &srv.keyName
	}
	if srv.taskState != "" {
		v.TaskState = &srv.taskState
	}
	if srv.network != nil && !srv.launched.IsZero() && srv.status != "DELETED" {
		v.Addresses = map[string]any{srv.network.Name: []any{map[string]any{
			"version": 4, "addr": srv.address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": srv.mac}}}
	}
	if srv.status != "DELETED" && srv.status != "ERROR" {
		zero := 0
		v.Progress = &zero
		if srv.status != "BUILD" {
			v.SecurityGroups = []any{map[string]any{"name": "default"}}
		}
	}
	// Measured: lists do not show the fault of a server that never got a host, only the server's own GET does.
	if srv.fault != "" && srv.status == "ERROR" && (single || srv.scheduledEver()) {
		v.Fault = map[string]any{"code": 500, "created": isoZ(srv.faultAt), "message": srv.fault}
	}
	if admin {
		host, name := "fake-1", fmt.Sprintf("instance-%08x", srv.number)
		v.Host, v.Instance, v.Hypervisor = &host, &name, &host
	}
	srv.newer(v, minor, admin, single)
	return v
}

func (srv *server) newer(v *serverView, minor int, admin, single bool) {
	if minor >= 9 {
		locked := false
		v.Locked = &locked
	}
	if minor >= 19 {
		v.Description = isNull
	}
	if minor >= 26 {
		tags := srv.tags
		if tags == nil {
			tags = []string{}
		}
		v.Tags = &tags
	}
	if minor >= 63 {
		v.Trusted = isNull
	}
	if minor >= 71 && single {
		v.ServerGroups = &[]string{}
	}
	if minor >= 73 {
		v.LockedReason = isNull
	}
	if minor >= 90 || admin && minor >= 3 {
		v.Hostname = &srv.hostName
	}
	if admin && minor >= 3 {
		root, data := "/dev/sda", base64.StdEncoding.EncodeToString([]byte(srv.userData))
		v.Root = &root
		if srv.userData != "" {
			v.UserData = &data
		}
	}
	if admin && minor >= 16 {
		up := "UP"
		v.HostStatus = &up
	}
}

func (srv *server) scheduledEver() bool { return !srv.launched.IsZero() || srv.taskState == "spawning" }

func (srv *server) flavorView(minor int) any {
	f := srv.flavor
	if minor < 47 {
		return map[string]any{"id": f.ID, "links": []any{link("bookmark", srv.endpoint("/flavors/"+f.ID))}}
	}
	specs := f.ExtraSpecs
	if specs == nil {
		specs = map[string]string{}
	}
	return map[string]any{"vcpus": f.VCPUs, "ram": f.RAMMiB, "disk": f.DiskGiB, "ephemeral": f.EphemeralGiB, "swap": f.SwapMiB,
		"original_name": f.Name, "extra_specs": specs}
}

func microTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(novaMicroTime)
}

// flavorRoute answers for flavors.
func (q *request) flavorRoute(minor int, path []string) *response {
	if len(path) == 0 || path[0] == "detail" {
		rows := []any{}
		for _, f := range q.sim.flavors {
			rows = append(rows, q.flavorRow(f, minor, len(path) > 0))
		}
		return jsonResponse(http.StatusOK, map[string]any{"flavors": rows})
	}
	for _, f := range q.sim.flavors {
		if f.ID != path[0] {
			continue
		}
		if len(path) > 1 && path[1] == "os-extra_specs" {
			specs := f.ExtraSpecs
			if specs == nil {
				specs = map[string]string{}
			}
			return jsonResponse(http.StatusOK, map[string]any{"extra_specs": specs})
		}
		return jsonResponse(http.StatusOK, map[string]any{"flavor": q.flavorRow(f, minor, true)})
	}
	return novaError(http.StatusNotFound, "itemNotFound", "Flavor "+path[0]+" could not be found.")
}

func (q *request) flavorRow(f *Flavor, minor int, detail bool) map[string]any {
	row := map[string]any{"id": f.ID, "name": f.Name, "links": []any{
		link("self", q.sim.endpoint("/compute/v2.1/flavors/"+f.ID)), link("bookmark", q.sim.endpoint("/compute/flavors/"+f.ID))}}
	if minor >= 55 {
		row["description"] = nil
	}
	if !detail {
		return row
	}
	row["ram"], row["disk"], row["vcpus"], row["swap"] = f.RAMMiB, f.DiskGiB, f.VCPUs, f.SwapMiB
	if minor < 75 && f.SwapMiB == 0 {
		row["swap"] = ""
	}
	row["OS-FLV-EXT-DATA:ephemeral"], row["OS-FLV-DISABLED:disabled"] = f.EphemeralGiB, false
	row["os-flavor-access:is_public"], row["rxtx_factor"] = true, 1.0
	if minor >= 61 {
		specs := f.ExtraSpecs
		if specs == nil {
			specs = map[string]string{}
		}
		row["extra_specs"] = specs
	}
	return row
}
