package heatstack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2"
)

// ComputeClients gives an authenticated client for Nova. It is asked before every request, because another client may be
// in force after the credentials have changed. internal/openstack's Session is one.
type ComputeClients interface {
	Compute(ctx context.Context) (*gophercloud.ServiceClient, error)
}

// microversions are those this package understands, best first: 2.93 is Zed's newest. 2.79 is Train's, 2.69 shows what it can while a cell
// is down, 2.61 has extra specs in flavors, 2.47 a server's flavor in full, 2.1 is everywhere.
var microversions = []string{"2.93", "2.79", "2.69", "2.61", "2.47", "2.1"}

// metadataKeys are the keys of a server's metadata that are kept: with thousands of servers the others would only cost memory.
var metadataKeys = []string{metadataStack, metadataIndex}

// Metadata keys by which our templates tie a server to its stack and its place in the group.
const (
	metadataStack = "metering.stack"
	metadataIndex = "node_index"
)

// NewNova returns the compute service behind these clients. It is safe for concurrent use.
//
// Plain requests are used instead of gophercloud's package servers, which keeps every page's JSON as nested maps.
func NewNova(clients ComputeClients) Nova { return &novaClient{clients: clients} }

type novaClient struct {
	clients ComputeClients
	// version indexes microversions. It only ever goes up, when a cloud refuses one.
	version atomic.Int32
}

// get makes a request at the best microversion that the cloud offers. The time is Nova's clock at the answer, zero if it does
// not say.
func (n *novaClient) get(ctx context.Context, into any, query string, path ...string) (time.Time, error) {
	client, err := n.clients.Compute(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for {
		at := n.version.Load()
		//nolint:bodyclose // gophercloud closes the body when it decodes it
		resp, err := client.Get(ctx, serviceURL(client, path...)+query, into, &gophercloud.RequestOpts{
			OkCodes: []int{http.StatusOK},
			MoreHeaders: map[string]string{
				"OpenStack-API-Version":        "compute " + microversions[at],
				"X-OpenStack-Nova-API-Version": microversions[at],
			},
		})
		// 406 is Nova's answer to a microversion that it does not have.
		if hasStatus(err, http.StatusNotAcceptable) && int(at) < len(microversions)-1 {
			n.version.CompareAndSwap(at, at+1)
			continue
		}
		return dateOf(resp), wrapAnswer(err)
	}
}

// serverAnswer is a server in Nova's JSON, as far as it is used.
type serverAnswer struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Status    string            `json:"status"`
	TaskState string            `json:"OS-EXT-STS:task_state"`
	Zone      string            `json:"OS-EXT-AZ:availability_zone"`
	Launched  string            `json:"OS-SRV-USG:launched_at"`
	Metadata  map[string]string `json:"metadata"`
	Flavor    struct {
		ID        string            `json:"id"`
		Name      string            `json:"original_name"`
		VCPUs     int               `json:"vcpus"`
		RAM       int               `json:"ram"`
		Disk      int               `json:"disk"`
		Ephemeral int               `json:"ephemeral"`
		Extra     map[string]string `json:"extra_specs"`
	} `json:"flavor"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Fault   struct {
		Message string `json:"message"`
	} `json:"fault"`
}

func (a *serverAnswer) server() Server {
	s := Server{
		ID: a.ID, Name: a.Name, Status: a.Status, TaskState: a.TaskState, Zone: a.Zone,
		Created: a.Created, Updated: a.Updated, Fault: withoutUserData(a.Fault.Message), Launched: a.Launched != "",
		Flavor: FlavorRow{
			ID: a.Flavor.ID, Name: a.Flavor.Name, VCPUs: a.Flavor.VCPUs, RAMMiB: a.Flavor.RAM,
			DiskGiB: a.Flavor.Disk, EphemeralGiB: a.Flavor.Ephemeral, ExtraSpecs: a.Flavor.Extra,
		},
	}
	for _, key := range metadataKeys {
		if v, ok := a.Metadata[key]; ok {
			if s.Metadata == nil {
				s.Metadata = make(map[string]string, len(metadataKeys))
			}
			s.Metadata[key] = v
		}
	}
	return s
}

// ListServers implements Nova.
//
// Measured on Zed as a plain project member: with changes-since the deleted servers are listed, with status DELETED and
// with empty metadata, so only their id tells whose they were. Nova below uwsgi's http-socket sends no Date header; then the
// time is zero.
func (n *novaClient) ListServers(ctx context.Context, changesSince time.Time) ([]Server, time.Time, error) {
	query := ""
	if !changesSince.IsZero() {
		query = "?" + url.Values{"changes-since": {changesSince.UTC().Format(time.RFC3339)}}.Encode()
	}
	servers := []Server{}
	var at time.Time
	for page := 0; ; page++ {
		var answer struct {
			Servers *[]serverAnswer `json:"servers"`
			Links   []link          `json:"servers_links"`
		}
		date, err := n.get(ctx, &answer, query, "servers", "detail")
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("listing servers: %w", err)
		}
		if answer.Servers == nil {
			return nil, time.Time{}, fmt.Errorf("listing servers: no key servers: %w", errBadAnswer)
		}
		for i := range *answer.Servers {
			servers = append(servers, (*answer.Servers)[i].server())
		}
		if page == 0 {
			// The first page's time: what changes while the others are fetched must be in the next answer.
			at = date
		}
		next := linkTo(answer.Links, "next")
		if next == "" || len(*answer.Servers) == 0 {
			return servers, at, nil
		}
		if query, err = nextQuery(next); err != nil {
			return nil, time.Time{}, fmt.Errorf("listing servers: %w", err)
		}
	}
}

// nextQuery is the query of the link to the next page. It is asked at our own endpoint: behind a proxy that ends TLS the link's
// scheme and host are often wrong (nova.conf, [api]compute_link_prefix).
func nextQuery(next string) (string, error) {
	u, err := url.Parse(next)
	if err != nil {
		return "", fmt.Errorf("%w: next page: %w", errBadAnswer, err)
	}
	return "?" + u.RawQuery, nil
}

// dateOf is the service's clock at its answer, zero if it does not say.
func dateOf(resp *http.Response) time.Time {
	if resp == nil {
		return time.Time{}
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// GetServer implements Nova.
func (n *novaClient) GetServer(ctx context.Context, id string) (*Server, error) {
	var answer struct {
		Server *serverAnswer `json:"server"`
	}
	_, err := n.get(ctx, &answer, "", "servers", id)
	if err != nil {
		return nil, fmt.Errorf("reading server %s: %w", id, onlyIfNone(err, novaHasNone))
	}
	if answer.Server == nil || answer.Server.ID == "" {
		return nil, fmt.Errorf("reading server %s: no server in it: %w", id, errBadAnswer)
	}
	s := answer.Server.server()
	return &s, nil
}

// flavorAnswer is a flavor in Nova's JSON.
type flavorAnswer struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	VCPUs     int               `json:"vcpus"`
	RAM       int               `json:"ram"`
	Disk      int               `json:"disk"`
	Ephemeral int               `json:"OS-FLV-EXT-DATA:ephemeral"`
	Extra     map[string]string `json:"extra_specs"`
}

// ListFlavors implements Nova. is_public=None shows an administrator the private flavors too; for everybody else Nova
// ignores it and shows what the project may use.
func (n *novaClient) ListFlavors(ctx context.Context) ([]FlavorRow, error) {
	flavors := []FlavorRow{}
	query := "?is_public=None"
	for {
		var answer struct {
			Flavors *[]flavorAnswer `json:"flavors"`
			Links   []link          `json:"flavors_links"`
		}
		if _, err := n.get(ctx, &answer, query, "flavors", "detail"); err != nil {
			return nil, fmt.Errorf("listing flavors: %w", err)
		}
		if answer.Flavors == nil {
			return nil, fmt.Errorf("listing flavors: no key flavors: %w", errBadAnswer)
		}
		for _, f := range *answer.Flavors {
			flavors = append(flavors, FlavorRow{
				ID: f.ID, Name: f.Name, VCPUs: f.VCPUs, RAMMiB: f.RAM,
				DiskGiB: f.Disk, EphemeralGiB: f.Ephemeral, ExtraSpecs: f.Extra,
			})
		}
		next := linkTo(answer.Links, "next")
		if next == "" || len(*answer.Flavors) == 0 {
			return flavors, nil
		}
		var err error
		if query, err = nextQuery(next); err != nil {
			return nil, fmt.Errorf("listing flavors: %w", err)
		}
	}
}
