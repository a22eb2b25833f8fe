package templates_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tokens of three scale-ups.
var tokens = []string{"aaaaaa.0123456789abcdef", "bbbbbb.0123456789abcdef", "cccccc.0123456789abcdef"}

// TestHeatScalesUpWithNewTokens: a stack that was launched without a cluster gets nodes twice, each time with another token, from an
// application credential. Nodes that run are neither rebuilt nor restarted, and one that is named goes.
func TestHeatScalesUpWithNewTokens(t *testing.T) {
	for name, tt := range map[string]struct {
		template string
		subnet   bool // each node has a port of its own on it
	}{
		nodegroup: {nodegroup, false}, nodegroup + " with a subnet": {nodegroup, true}, withPorts: {withPorts, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHeat(t)
			nothing := h.belongings()
			first := machine.with(params{"node_name_prefix": "node", "block_metadata": false})
			if tt.subnet {
				first["subnet"] = h.subnetOf("nodes")
			}
			s := h.launch(tt.template, first)
			require.Empty(t, h.servers())
			autoscaler := h.applicationCredential()

			view := s.patch(autoscaler, joining.with(params{"node_count": 2, "bootstrap_token": tokens[0]}))
			assert.Equal(t, "******", at(view, "parameters", "bootstrap_token"))
			before := h.servers()
			require.Len(t, before, 2)
			for name, node := range before {
				assert.Contains(t, bootsWith(t, node.UserData).file(t, "/etc/kubernetes/bootstrap-kubelet.conf"), tokens[0], name)
			}

			s.patch(autoscaler, params{"node_count": 3, "bootstrap_token": tokens[1]})
			after := h.servers()
			require.Len(t, after, 3)
			if tt.subnet {
				assert.NotContains(t, s.resourceTypes(), "OS::Neutron::Port", "the port is a part of the server")
				h.requirePorts(3)
			}
			for name, node := range before {
				assert.Equal(t, node, after[name], "%s ran already", name)
			}
			assert.Contains(t, after["node-2"].UserData, tokens[1])
			assert.NotContains(t, after["node-2"].UserData, tokens[0])

			s.patch(autoscaler, params{"node_count": 2, "nodes_to_remove": []string{"0"}, "bootstrap_token": tokens[2]})
			left := h.servers()
			delete(after, "node-0")
			assert.Equal(t, after, left, "only the one that was named is gone")
			if tt.subnet {
				h.requirePorts(2)
			}

			s.remove()
			assert.Equal(t, nothing, h.belongings(), "what was there before")
		})
	}
}

// TestHeatMakesAWholeCluster: cluster.yaml with everything that it can have, filled as the autoscaler fills it, changed by a human, and
// deleted.
func TestHeatMakesAWholeCluster(t *testing.T) {
	t.Parallel()
	h := newHeat(t)
	nothing := h.belongings()
	s := h.launch(cluster, project.with(params{
		"etcd_volume_size": 1, "control_plane_volume_size": 10, "boot_volume_size": 10, "anti_affinity": "soft-anti-affinity",
		"cloud_controller_manager": true, "block_storage": true,
	}))
	// The user's own application credential makes the nodes. That Heat's trust is this user's is all that it takes.
	s.patch(h.applicationCredential(), params{"node_count": 2, "cluster_ca": "Y2EK", "bootstrap_token": tokens[0]})
	assert.Equal(t, []string{
		"OS::Cinder::Volume", "OS::Cinder::VolumeAttachment", "OS::Heat::ResourceGroup", "OS::Neutron::FloatingIP", "OS::Neutron::Net",
		"OS::Neutron::Port", "OS::Neutron::Router", "OS::Neutron::RouterInterface", "OS::Neutron::SecurityGroup", "OS::Neutron::Subnet",
		"OS::Nova::Server", "OS::Nova::ServerGroup",
	}, s.resourceTypes())
	before := h.servers()
	require.Len(t, before, 3)
	for name, server := range before {
		config := bootsWith(t, server.UserData)
		if strings.HasSuffix(name, "-control-plane") {
			assert.Contains(t, config.file(t, "/etc/kubernetes/cluster/autoscaler.yaml"), "--nodes=1:5:"+s.id)
			assert.NotContains(t, server.UserData, tokens[0])
			continue
		}
		assert.Contains(t, config.file(t, "/etc/kubernetes/bootstrap-kubelet.conf"), "https://10.6.0.10:6443", name)
	}
	// A human's update says nothing of the size. The nodes stay.
	s.patch(h.user, params{"max_nodes": 9, "autoscaler_image": "registry.example.com/autoscaler:2"})
	assert.Equal(t, before, h.servers())
	s.remove()
	assert.Equal(t, nothing, h.belongings(), "what was there before")
}
