package machines

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
)

// userDataMicroversion shows user_data (2.3, to administrators) and the flavor's size inside the server (2.47).
const userDataMicroversion = "2.79"

// Nova lists the servers of one project through the compute API, as a hypervisor of a real cloud cannot be looked into.
type Nova struct {
	// Compute is an administrator's client; nobody else may read user_data.
	Compute *gophercloud.ServiceClient
	// ProjectID is the project whose servers are wanted.
	ProjectID string
}

// Servers implements Cloud.
func (n Nova) Servers(ctx context.Context) ([]Server, error) {
	client := *n.Compute
	client.Microversion = userDataMicroversion
	client.MoreHeaders = maps.Clone(n.Compute.MoreHeaders)
	page, err := servers.List(&client, servers.ListOpts{AllTenants: true, TenantID: n.ProjectID}).AllPages(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := servers.ExtractServers(page)
	if err != nil {
		return nil, err
	}
	result := make([]Server, 0, len(rows))
	for _, row := range rows {
		server, err := fromNova(row)
		if err != nil {
			return nil, err
		}
		result = append(result, server)
	}
	return result, nil
}

func fromNova(row servers.Server) (Server, error) {
	server := Server{
		ID: row.ID, Name: row.Name, Active: row.Status == "ACTIVE", Zone: row.AvailabilityZone,
		VCPUs: int(number(row.Flavor["vcpus"])), RAMMiB: number(row.Flavor["ram"]), DiskGiB: number(row.Flavor["disk"]),
	}
	if row.Userdata != nil {
		var err error
		if server.UserData, err = base64.StdEncoding.DecodeString(*row.Userdata); err != nil {
			return Server{}, fmt.Errorf("user_data of server %s: %w", row.Name, err)
		}
	}
	return server, nil
}

// number is a JSON number as an integer, 0 if it is none.
func number(value any) int64 {
	n, _ := value.(float64)
	return int64(n)
}
