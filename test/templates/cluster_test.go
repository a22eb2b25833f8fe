package templates_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const cluster = "cluster.yaml"

// project is what a cluster needs to know.
var project = params{
	"auth_url": "https://keystone.example.com:5000/v3", "application_credential_id": "4711", "application_credential_secret": "s3cret",
	"autoscaler_image": "registry.example.com/autoscaler:1", "external_network": "public", "control_plane_flavor": "m1.medium",
	"control_plane_image": "node-image", "flavor": "m1.small", "image": "node-image",
}

func newProject(t *testing.T) *cloud {
	t.Helper()
	c := newCloud(t)
	c.AddNetwork("public")
	return c
}

// The stack begins without nodes. The autoscaler makes them as soon as there is a cluster that it runs in, with what it knows of it.
func TestClusterGetsItsNodesFromTheAutoscaler(t *testing.T) {
	c := newProject(t)
	id := c.launch(cluster, project.with(params{"min_nodes": 2, "max_nodes": 7}))
	controlPlane := c.node()
	assert.Equal(t, "workers-control-plane", controlPlane.Name)
	assert.NotContains(t, controlPlane.Metadata, "metering.stack", "it is no member of the group")

	c.patch(id, params{"node_count": 2, "cluster_ca": "Y2EK", "bootstrap_token": "abcdef.0123456789abcdef"})
	servers := c.Servers()
	require.Len(t, servers, 3)
	assert.Equal(t, controlPlane.ID, servers[0].ID)
	for _, node := range servers[1:] {
		assert.Equal(t, id, node.Metadata["metering.stack"])
		config := bootsWith(t, node.UserData)
		kubeconfig := parse(t, config.file(t, "/etc/kubernetes/bootstrap-kubelet.conf"))
		assert.Equal(t, "https://10.6.0.10:6443", at(kubeconfig, "clusters", 0, "cluster", "server"))
		assert.Contains(t, strings.Join(config.commands(), "\n"), "/usr/local/sbin/install-kubernetes v1.33")
	}
}

// Whatever is changed of the stack, the control plane and the nodes that run stay, and so does the size.
func TestUpdateOfAClusterKeepsItsServers(t *testing.T) {
	c := newProject(t)
	id := c.launch(cluster, project)
	c.patch(id, params{"node_count": 2, "cluster_ca": "Y2EK", "bootstrap_token": "abcdef.0123456789abcdef"})
	for _, change := range []params{
		{}, {"max_nodes": 9}, {"bootstrap_token": "fedcba.fedcba9876543210"}, {"autoscaler_image": "registry.example.com/autoscaler:2"},
		{"application_credential_secret": "another"}, {"kubernetes_version": "v1.34"}, {"http_proxy": "http://proxy:3128"},
		{"api_allowed_from": "192.0.2.0/24"}, {"block_storage": true},
	} {
		c.patch(id, change)
		assert.Len(t, c.Servers(), 3, "after %v", change)
		assert.Empty(t, c.Deaths(), "after %v", change)
	}
}

func TestControlPlane(t *testing.T) {
	c := newProject(t)
	id := c.launch(cluster, project.with(params{"etcd_volume_size": 10, "cloud_controller_manager": true, "block_storage": true, "cluster_name": "prod"}))
	config := bootsWith(t, c.node().UserData)
	conf := config.file(t, "/etc/kubernetes/cluster/cloud.conf")
	assert.Contains(t, conf, `application-credential-secret="s3cret"`)
	for _, f := range config.WriteFiles {
		if strings.Contains(f.Content, "s3cret") {
			assert.Equal(t, "0600", f.Permissions, "%s holds the secret", f.Path)
		}
	}
	kubeadm := strings.Split(config.file(t, "/etc/kubernetes/cluster/kubeadm.yaml"), "\n---\n")
	require.Len(t, kubeadm, 3)
	assert.Equal(t, "external", at(parse(t, kubeadm[0]), "nodeRegistration", "kubeletExtraArgs", 1, "value"))
	assert.Equal(t, "10.6.0.10:6443", at(parse(t, kubeadm[1]), "controlPlaneEndpoint"))
	assert.Regexp(t, `^198\.51\.100\.\d+$`, at(parse(t, kubeadm[1]), "apiServer", "certSANs", 0))
	assert.Equal(t, "/var/lib/etcd-volume/data", at(parse(t, kubeadm[1]), "etcd", "local", "dataDir"))

	arguments := ""
	for _, manifest := range strings.Split(config.file(t, "/etc/kubernetes/cluster/autoscaler.yaml"), "\n---\n") {
		object := parse(t, manifest)
		if at(object, "kind") == "Deployment" {
			container := object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0]
			assert.Equal(t, "registry.example.com/autoscaler:1", at(container, "image"))
			list, _ := container.(map[string]any)["args"].([]any)
			for i := range list {
				arguments += at(list, i) + "\n"
			}
		}
	}
	for _, argument := range []string{
		"--cloud-config=/etc/openstack/cloud.conf", "--node-group-auto-discovery=heat:tag=cluster-autoscaler-enabled,tag=cluster=prod",
		"--nodes=1:5:" + id, "--enforce-node-group-min-size",
	} {
		assert.Contains(t, arguments, argument+"\n")
	}
	assert.NotContains(t, arguments, "cluster=prod,", "the manifest's own example is gone")
}

// cloud-init sees every variable in double braces as its own: what the scripts and manifests hold must not look like one.
func TestOnlyCloudInitsVariablesAreInUserData(t *testing.T) {
	c := newProject(t)
	id := c.launch(cluster, project.with(params{"join_method": "kubeadm", "registry_mirror": "https://mirror", "extra_ca": "Y2EK"}))
	c.patch(id, params{"node_count": 1, "cluster_ca": "Y2EK", "bootstrap_token": "abcdef.0123456789abcdef"})
	for _, server := range c.Servers() {
		rest := regexp.MustCompile(`\{\{ v1\.(instance_id|availability_zone|local_hostname) \}\}`).ReplaceAllString(server.UserData, "")
		for _, mark := range []string{"{{", "{%", "{#"} {
			assert.NotContains(t, rest, mark)
		}
	}
}

func TestOutputsAreText(t *testing.T) {
	for _, name := range []string{nodegroup, withPorts, cluster} {
		var template struct {
			Outputs map[string]struct {
				Description string         `json:"description"`
				Value       map[string]any `json:"value"`
			} `json:"outputs"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(read(t, name)), &template))
		require.NotEmpty(t, template.Outputs)
		for output, o := range template.Outputs {
			assert.NotEmpty(t, o.Description, "%s: %s", name, output)
			assert.True(t, o.Value["str_replace"] != nil || o.Value["get_resource"] != nil, "%s: %s is no string", name, output)
		}
	}
}

func TestAClusterNeedsACredential(t *testing.T) {
	for _, name := range []string{"auth_url", "application_credential_id", "application_credential_secret", "autoscaler_image", "external_network"} {
		c := newProject(t)
		p := project.with(nil)
		delete(p, name)
		_, err := c.try(cluster, p)
		assert.ErrorContains(t, err, name)
	}
}
