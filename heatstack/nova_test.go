package heatstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noTime time.Time

// A server as Nova (Zed, microversion 2.93) shows it, shortened.
const serverJSON = `{"id": "29a6", "name": "node-0", "status": "ERROR",
 "metadata": {"metering.server_group": "workers", "metering.stack": "413a", "node_index": "0", "cluster": "k8s"},
 "flavor": {"vcpus": 1, "ram": 2048, "disk": 20, "ephemeral": 5, "swap": 0, "original_name": "m1.small", "extra_specs": {"hw:cpu_policy": "dedicated"}},
 "created": "2026-11-23T03:21:59Z", "updated": "2026-11-23T03:22:04Z", "OS-EXT-AZ:availability_zone": "nova",
 "OS-SRV-USG:launched_at": null, "OS-EXT-STS:task_state": "deleting", "fault": {"code": 500, "message": "No valid host was found. ", "created": "2026-11-23T03:22:01Z"}}`

func wantServer() Server {
	return Server{
		ID: "29a6", Name: "node-0", Status: "ERROR", TaskState: "deleting", Zone: "nova", Fault: "No valid host was found. ",
		Metadata: map[string]string{metadataStack: "413a", metadataIndex: "0"},
		Flavor: FlavorRow{Name: "m1.small", VCPUs: 1, RAMMiB: 2048, DiskGiB: 20, EphemeralGiB: 5,
			ExtraSpecs: map[string]string{"hw:cpu_policy": "dedicated"}},
		Created: time.Date(2026, 11, 23, 3, 21, 59, 0, time.UTC), Updated: time.Date(2026, 11, 23, 3, 22, 4, 0, time.UTC),
	}
}

func TestListServers(t *testing.T) {
	f := newServiceFake(t)
	f.header.Set("Date", "Mon, 23 Nov 2026 03:36:54 GMT")
	f.answers["GET /servers/detail"] = `{"servers": [` + serverJSON + `],
		"servers_links": [{"rel": "next", "href": "http://wrong-host:1/v2.1/servers/detail?marker=29a6"}]}`
	f.answers["GET /servers/detail?marker=29a6"] = `{"servers": [
		{"id": "b8ea", "name": "node-1", "status": "DELETED", "metadata": {}, "created": "2026-11-23T03:21:59Z", "OS-SRV-USG:launched_at": "2026-11-23T03:22:01.000000"},
		{"id": "c0de", "status": "UNKNOWN", "created": "2026-11-23T03:21:59Z"}]}`
	servers, at, err := NewNova(f).ListServers(t.Context(), noTime)
	require.NoError(t, err)
	require.Len(t, servers, 3)
	assert.Equal(t, wantServer(), servers[0])
	assert.True(t, servers[1].Launched && servers[1].gone())
	assert.Nil(t, servers[1].Metadata)
	assert.Equal(t, time.Date(2026, 11, 23, 3, 36, 54, 0, time.UTC), at.UTC())
	assert.Equal(t, "2.93", f.headers[0].Get("X-OpenStack-Nova-API-Version"))
	assert.Equal(t, "compute 2.93", f.headers[0].Get("OpenStack-API-Version"))
}

func TestListServersThatChanged(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /servers/detail?changes-since=2026-11-23T03%3A00%3A00Z"] = `{"servers": []}`
	servers, at, err := NewNova(f).ListServers(t.Context(), time.Date(2026, 11, 23, 4, 0, 0, 5, time.FixedZone("", 3600)))
	require.NoError(t, err)
	assert.Empty(t, servers)
	assert.True(t, at.IsZero(), "Nova did not say")
}

func TestABrokenPageIsAnError(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /servers/detail"] = `{"servers": [` + serverJSON + `], "servers_links": [{"rel": "next", "href": "http://n/?marker=1"}]}`
	f.codes["GET /servers/detail?marker=1"] = http.StatusBadGateway
	nova := NewNova(f)
	_, _, err := nova.ListServers(t.Context(), noTime)
	assert.Error(t, err)
	f.answers["GET /servers/detail"] = `{"servers": [` + serverJSON + `], "servers_links": [{"rel": "next", "href": "http://n/%"}]}`
	_, _, err = nova.ListServers(t.Context(), noTime)
	assert.ErrorIs(t, err, errBadAnswer)
	f.answers["GET /flavors/detail?is_public=None"] = `{"flavors": [{"id": "1"}], "flavors_links": [{"rel": "next", "href": "http://n/%"}]}`
	_, err = nova.ListFlavors(t.Context())
	assert.ErrorIs(t, err, errBadAnswer)
}

func TestMicroversions(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /servers/29a6"] = `{"server": ` + serverJSON + `}`
	f.codes["2.93"] = http.StatusNotAcceptable
	nova := NewNova(f)
	for range 2 {
		server, err := nova.GetServer(t.Context(), "29a6")
		require.NoError(t, err)
		assert.Equal(t, wantServer(), *server)
	}
	assert.Len(t, f.requests, 3, "what the cloud offers is remembered")
	assert.Equal(t, "2.79", f.headers[2].Get("X-OpenStack-Nova-API-Version"))
	for _, version := range microversions {
		f.codes[version] = http.StatusNotAcceptable
	}
	_, err := nova.GetServer(t.Context(), "29a6")
	assert.True(t, hasStatus(err, http.StatusNotAcceptable), "it ends at the oldest")
}

func TestListFlavors(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /flavors/detail?is_public=None"] = `{"flavors": [{"id": "000c", "name": "m1.tiny", "ram": 512, "disk": 1,
		"OS-FLV-EXT-DATA:ephemeral": 2, "vcpus": 1, "extra_specs": {"a": "b"}}],
		"flavors_links": [{"rel": "next", "href": "http://nova/flavors/detail?is_public=None&marker=000c"}]}`
	f.answers["GET /flavors/detail?is_public=None&marker=000c"] = `{"flavors": [{"id": "6687", "name": "m1.medium"}]}`
	flavors, err := NewNova(f).ListFlavors(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []FlavorRow{
		{ID: "000c", Name: "m1.tiny", VCPUs: 1, RAMMiB: 512, DiskGiB: 1, EphemeralGiB: 2, ExtraSpecs: map[string]string{"a": "b"}},
		{ID: "6687", Name: "m1.medium"},
	}, flavors)
}
