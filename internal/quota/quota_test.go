package quota_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/quota"
)

// cloud answers every service with one text each.
type cloud map[string]string

func (c cloud) client(service string, t *testing.T) *gophercloud.ServiceClient {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(c[service]))
	}))
	t.Cleanup(server.Close)
	return &gophercloud.ServiceClient{ProviderClient: &gophercloud.ProviderClient{}, Endpoint: server.URL + "/"}
}

type session struct {
	*testing.T
	cloud
}

func (s session) Compute(context.Context) (*gophercloud.ServiceClient, error) {
	return s.client("nova", s.T), nil
}

func (s session) Network(context.Context) (*gophercloud.ServiceClient, error) {
	return s.client("neutron", s.T), nil
}

func (s session) Service(context.Context, string) (*gophercloud.ServiceClient, error) {
	return s.client("cinder", s.T), nil
}

func (s session) ProjectID() string { return "p" }

const (
	nova    = `{"limits": {"absolute": {"maxTotalInstances": 10, "totalInstancesUsed": 1, "maxTotalCores": -1, "totalCoresUsed": 2, "maxTotalRAMSize": 9000, "totalRAMUsed": 3, "maxServerGroupMembers": 10}}}`
	neutron = `{"quota": {"port": {"limit": 20, "used": 4, "reserved": 1}}}`
	cinder  = `{"limits": {"absolute": {"maxTotalVolumes": 5, "totalVolumesUsed": 1, "maxTotalVolumeGigabytes": 100, "totalGigabytesUsed": 50}}}`
)

func TestRead(t *testing.T) {
	limits := quota.Read(t.Context(), session{t, cloud{"nova": nova, "neutron": neutron, "cinder": cinder}}, true)
	require.Empty(t, limits.Unknown)
	assert.Equal(t, 10, limits.MembersPerServerGroup)
	assert.Equal(t, []quota.Limit{
		{Name: quota.Instances, Limit: 10, Used: 1}, {Name: quota.Cores, Limit: -1, Used: 2}, {Name: quota.RAM, Limit: 9000, Used: 3},
		{Name: quota.Ports, Limit: 20, Used: 5}, {Name: quota.Volumes, Limit: 5, Used: 1}, {Name: quota.Gigabytes, Limit: 100, Used: 50},
	}, limits.All)
}

// A number that is not told is neither 0 nor "no limit".
func TestWhatIsNotToldIsUnknown(t *testing.T) {
	for _, one := range []struct{ service, old, changed, name, says string }{
		{"Nova", `"totalCoresUsed": 2, `, "", quota.Cores, "totalCoresUsed"},
		{"Nova", `"maxTotalRAMSize": 9000`, `"maxTotalRAMSize": null`, quota.RAM, "maxTotalRAMSize"},
		{"Nova", `"maxTotalRAMSize": 9000`, `"maxTotalRAMSize": 9000.5`, quota.RAM, "maxTotalRAMSize"},
		{"Neutron", `, "used": 4`, "", quota.Ports, "ports"},
		{"Neutron", `"limit": 20, `, "", quota.Ports, "ports"},
		{"Neutron", `"port"`, `"network"`, quota.Ports, "ports"},
		{"Cinder", `, "totalGigabytesUsed": 50`, "", quota.Gigabytes, "totalGigabytesUsed"},
	} {
		answers := cloud{"nova": nova, "neutron": neutron, "cinder": cinder}
		key := strings.ToLower(one.service)
		answers[key] = strings.Replace(answers[key], one.old, one.changed, 1)
		limits := quota.Read(t.Context(), session{t, answers}, true)
		require.ErrorContains(t, limits.Unknown[one.service], one.says, "%+v", one)
		assert.Len(t, limits.All, 5, "the others are known: %+v", one)
		assert.Equal(t, []string{one.name}, limits.NotCompared(quota.Take{quota.Cores: 1, quota.RAM: 1, quota.Ports: 1, quota.Gigabytes: 1, quota.Volumes: 0}), "%+v", one)
	}
}
