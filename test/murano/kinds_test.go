//go:build lab

package murano_test

import (
	"net/http"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/murano/catalog"
)

// kind is a package and how it is used here.
type kind struct {
	// name is that of its folder and of its template.
	name, class string
	// given is what a user fills in, without which nothing works; hidden is the part of it that nobody may see.
	given, hidden map[string]any
	// filled is what the autoscaler adds for new nodes, besides the token.
	filled map[string]any
}

var nodeGroup = kind{
	name: "nodegroup", class: "io.github.cluster_autoscaler_openstack.NodeGroup",
	given: map[string]any{
		"flavor": "m1.tiny", "image": "node-image", "network": "nodes",
		"node_group_annotations": `{"node-group-min-size": "0", "node-group-max-size": "10"}`,
	},
	hidden: map[string]any{},
	filled: map[string]any{"api_server": "https://10.0.0.10:6443", "cluster_ca": "Y2VydGlmaWNhdGU="},
}

var cluster = kind{
	name: "cluster", class: "io.github.cluster_autoscaler_openstack.Cluster",
	given: map[string]any{
		"auth_url": "https://keystone.example.com:5000/v3", "autoscaler_image": "registry.example.com/autoscaler:1",
		"external_network": "public", "control_plane_flavor": "m1.medium", "control_plane_image": "node-image",
		"flavor": "m1.tiny", "image": "node-image",
	},
	hidden: map[string]any{
		"password_application_credential_id":     "0123456789abcdef0123456789abcdef",
		"password_application_credential_secret": "application-cr3dential",
	},
	filled: map[string]any{"cluster_ca": "Y2VydGlmaWNhdGU="},
}

// importKind imports a package as it is shipped, and looks at what the catalog makes of it.
func (m *murano) importKind(k kind) {
	m.t.Helper()
	files, err := catalog.Build(catalog.Source{
		Folder: repository + "/deploy/murano/" + k.name, Template: repository + "/deploy/heat/" + k.name + ".yaml",
	})
	require.NoError(m.t, err)
	archive, err := catalog.Zip(files)
	require.NoError(m.t, err)
	id := m.importPackage(archive)
	assert.Equal(m.t, archive, m.send(http.MethodGet, "/catalog/packages/"+id+"/download", "", "", nil))
	assert.Equal(m.t, files["logo.png"], m.send(http.MethodGet, "/catalog/packages/"+id+"/logo", "", "", nil))
	assert.Contains(m.t, string(m.send(http.MethodGet, "/catalog/packages/"+id+"/ui", "", "", nil)), "hiddenParameters")
}
