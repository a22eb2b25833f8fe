package vm

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
)

// TestConfigDrive: what cloud-init's ConfigDrive data source reads is where Nova puts it, and says what Nova says.
func TestConfigDrive(t *testing.T) {
	server := machines.Server{
		ID: "00000000-0000-4000-8000-000000000001", Name: "Workers-0", Zone: "az1", ProjectID: "project", UserData: []byte("#cloud-config\n"),
		Metadata: map[string]string{"node_index": "0"}, Address: "10.0.0.7", MAC: "fa:16:3e:00:00:07",
	}
	files, err := configDrive(server, &Network{Gateway: "10.0.255.254", Netmask: "255.255.0.0"})
	require.NoError(t, err)
	for _, version := range []string{"2018-08-27", "latest"} {
		folder := "openstack/" + version + "/"
		var metadata struct {
			UUID     string            `json:"uuid"`
			Hostname string            `json:"hostname"`
			Zone     string            `json:"availability_zone"`
			Meta     map[string]string `json:"meta"`
		}
		require.NoError(t, json.Unmarshal(files[folder+"meta_data.json"], &metadata))
		assert.Equal(t, server.ID, metadata.UUID)
		assert.Equal(t, "workers-0", metadata.Hostname, "Nova makes a host name of the server's name")
		assert.Equal(t, "az1", metadata.Zone)
		assert.Equal(t, server.Metadata, metadata.Meta)
		assert.Equal(t, string(server.UserData), string(files[folder+"user_data"]), "as it was given to Nova")
		assert.JSONEq(t, `{}`, string(files[folder+"vendor_data.json"]))
		var network struct {
			Links    []struct{ ID, MAC string }
			Networks []struct {
				Link    string
				Address string `json:"ip_address"`
				Netmask string
				Routes  []struct{ Gateway string }
			}
		}
		require.NoError(t, json.Unmarshal(files[folder+"network_data.json"], &network))
		require.Len(t, network.Networks, 1)
		require.Len(t, network.Links, 1)
		assert.Equal(t, network.Links[0].ID, network.Networks[0].Link)
		assert.Equal(t, "10.0.0.7", network.Networks[0].Address)
		assert.Equal(t, "255.255.0.0", network.Networks[0].Netmask)
		assert.Equal(t, "10.0.255.254", network.Networks[0].Routes[0].Gateway)
		assert.Contains(t, string(files[folder+"network_data.json"]), `"ethernet_mac_address":"fa:16:3e:00:00:07"`)
	}
}

// TestNoUserData: Nova writes no file for what a server does not have.
func TestNoUserData(t *testing.T) {
	files, err := configDrive(machines.Server{ID: "1"}, &Network{})
	require.NoError(t, err)
	assert.NotContains(t, files, "openstack/latest/user_data")
	assert.Contains(t, files, "openstack/latest/meta_data.json")
}
