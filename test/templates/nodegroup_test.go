package templates_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const nodegroup = "nodegroup.yaml"

// The autoscaler makes nodes of a stack that was launched before its cluster was known, in one update.
func TestNodesComeWithWhatLetsThemJoin(t *testing.T) {
	c := newCloud(t)
	id := c.launch(nodegroup, machine)
	require.Empty(t, c.Servers())
	c.patch(id, joining.with(params{"node_count": 1}))
	server := c.node()
	assert.Equal(t, "workers-0", server.Name)
	assert.Equal(t, map[string]string{"metering.stack": id, "node_index": "0", "metering.server_group": "workers"}, server.Metadata)

	config := bootsWith(t, server.UserData)
	kubeconfig := parse(t, config.file(t, "/etc/kubernetes/bootstrap-kubelet.conf"))
	assert.Equal(t, "https://10.0.0.10:6443", at(kubeconfig, "clusters", 0, "cluster", "server"))
	assert.Equal(t, "Y2EK", at(kubeconfig, "clusters", 0, "cluster", "certificate-authority-data"))
	assert.Equal(t, "abcdef.0123456789abcdef", at(kubeconfig, "users", 0, "user", "token"))
	settings := parse(t, config.file(t, "/var/lib/kubelet/config.yaml"))
	assert.Equal(t, "true", at(settings, "serverTLSBootstrap"))
	assert.Equal(t, "45s", at(settings, "shutdownGracePeriod"))
	assert.Equal(t, "10s", at(settings, "shutdownGracePeriodCriticalPods"))
	assert.Contains(t, config.commands(), "systemctl enable --now kubelet")
	for _, f := range config.WriteFiles {
		if strings.Contains(f.Content, "abcdef.0123456789abcdef") {
			assert.Equal(t, "0600", f.Permissions, "%s holds the token", f.Path)
		}
	}
}

func TestNoNodeWithoutWhatLetsItJoin(t *testing.T) {
	for missing := range joining {
		c := newCloud(t)
		_, err := c.try(nodegroup, machine.with(joining).with(params{"node_count": 1, missing: "", "bootstrap_token_source": "own"}))
		require.ErrorContains(t, err, "nodes_need_api_server_cluster_ca_and_bootstrap_token", "without %s", missing)
		id := c.launch(nodegroup, machine.with(params{"bootstrap_token_source": "own"}))
		require.Error(t, c.PatchStack(id, joining.with(params{"node_count": 1, missing: ""})), "without %s", missing)
	}
}

// A token is for the nodes of one scale-up. Those that run are neither rebuilt nor changed.
func TestNewTokenLeavesRunningNodesAlone(t *testing.T) {
	for _, template := range []string{nodegroup, withPorts} {
		t.Run(template, func(t *testing.T) {
			c := newCloud(t)
			id := c.launch(template, machine.with(joining).with(params{"node_count": 2}))
			before := map[string]string{}
			for _, server := range c.Servers() {
				before[server.ID] = server.UserData
			}
			c.patch(id, params{"node_count": 3, "bootstrap_token": "fedcba.fedcba9876543210"})
			assert.Empty(t, c.Deaths())
			for _, server := range c.Servers() {
				if userData, old := before[server.ID]; old {
					assert.Equal(t, userData, server.UserData)
					continue
				}
				assert.Equal(t, "2", server.Index)
				assert.Contains(t, server.UserData, "fedcba.fedcba9876543210")
				assert.NotContains(t, server.UserData, "abcdef.0123456789abcdef")
			}
		})
	}
}

func TestKubeletArguments(t *testing.T) {
	c := newCloud(t)
	c.launch(nodegroup, machine.with(joining).with(params{
		"node_count": 1, "region": "RegionOne", "kubelet_extra_args": "--v=4",
		"node_group_annotations": map[string]any{
			"capacity.cluster-autoscaler.kubernetes.io/labels":  "pool=fast;disk=nvme",
			"capacity.cluster-autoscaler.kubernetes.io/taints":  "dedicated=gpu:NoSchedule;a=b:NoExecute",
			"capacity.cluster-autoscaler.kubernetes.io/maxPods": "42",
			"kube-reserved":   "cpu=100m;memory=500Mi",
			"system-reserved": "memory=200Mi",
			"eviction-hard":   "memory.available<500Mi;nodefs.available<5%",
		},
	}))
	line := strings.TrimSpace(bootsWith(t, c.node().UserData).file(t, "/var/lib/kubelet/kubeadm-flags.env"))
	assert.Equal(t, []string{
		`KUBELET_KUBEADM_ARGS="--hostname-override={{`, "v1.local_hostname", "}}", "--provider-id=openstack:///{{", "v1.instance_id", "}}", "--cloud-provider=",
		"--node-labels=pool=fast,disk=nvme,topology.kubernetes.io/zone={{", "v1.availability_zone",
		"}},node.kubernetes.io/instance-type=m1.small,topology.kubernetes.io/region=RegionOne",
		"--register-with-taints=dedicated=gpu:NoSchedule,a=b:NoExecute", "--max-pods=42",
		"--kube-reserved=cpu=100m,memory=500Mi", "--system-reserved=memory=200Mi",
		"--eviction-hard=memory.available<500Mi,nodefs.available<5%", `--v=4"`,
	}, strings.Fields(line))
}

// With a cloud controller manager the labels that it sets are its own to set.
func TestCloudControllerManagerLabelsTheNodes(t *testing.T) {
	c := newCloud(t)
	c.launch(nodegroup, machine.with(joining).with(params{"node_count": 1, "region": "RegionOne", "cloud_provider": "external"}))
	line := bootsWith(t, c.node().UserData).file(t, "/var/lib/kubelet/kubeadm-flags.env")
	assert.Contains(t, line, "--cloud-provider=external")
	for _, label := range []string{"topology.kubernetes.io", "instance-type"} {
		assert.NotContains(t, line, label)
	}
	assert.NotContains(t, line, "--eviction-hard", "an empty one would mean none")
}

func TestJoinByKubeadm(t *testing.T) {
	c := newCloud(t)
	c.launch(nodegroup, machine.with(joining).with(params{
		"node_count": 1, "join_method": "kubeadm", "serving_certificates": false, "shutdown_grace_period": 0, "kubelet_extra_args": "--v=4",
		"node_group_annotations": map[string]any{
			"capacity.cluster-autoscaler.kubernetes.io/labels": "pool=fast",
			"capacity.cluster-autoscaler.kubernetes.io/taints": "dedicated=gpu:NoSchedule",
		},
	}))
	config := bootsWith(t, c.node().UserData)
	join := parse(t, config.file(t, "/etc/kubernetes/kubeadm-join.yaml"))
	assert.Equal(t, "kubeadm.k8s.io/v1beta4", at(join, "apiVersion"))
	discovery := parse(t, config.file(t, at(join, "discovery", "file", "kubeConfigPath")))
	assert.Equal(t, "Y2EK", at(discovery, "clusters", 0, "cluster", "certificate-authority-data"))
	assert.Equal(t, "abcdef.0123456789abcdef", at(discovery, "users", 0, "user", "token"))
	arguments := map[string]string{}
	list, _ := join["nodeRegistration"].(map[string]any)["kubeletExtraArgs"].([]any)
	for _, argument := range list {
		arguments[at(argument, "name")] = at(argument, "value")
	}
	assert.Equal(t, map[string]string{
		"provider-id": "openstack:///{{ v1.instance_id }}", "cloud-provider": "", "max-pods": "110",
		"node-labels":          "pool=fast,topology.kubernetes.io/zone={{ v1.availability_zone }},node.kubernetes.io/instance-type=m1.small,",
		"register-with-taints": "dedicated=gpu:NoSchedule", "kube-reserved": "", "system-reserved": "",
	}, arguments)
	patch := parse(t, config.file(t, at(join, "patches", "directory")+"/kubeletconfiguration+merge.yaml"))
	assert.Equal(t, map[string]any{
		"serverTLSBootstrap": false, "shutdownGracePeriod": "0s", "shutdownGracePeriodCriticalPods": "0s",
	}, patch)
	assert.Equal(t, "KUBELET_EXTRA_ARGS=\"--v=4\"\n", config.file(t, "/etc/default/kubelet"))
	assert.NotContains(t, config.paths(), "/etc/kubernetes/bootstrap-kubelet.conf", "kubeadm refuses to find it")
	assert.NotContains(t, config.paths(), "/etc/kubernetes/pki/ca.crt", "kubeadm refuses to find it")
	commands := strings.Join(config.commands(), "\n")
	assert.Contains(t, commands, "kubeadm join --config /etc/kubernetes/kubeadm-join.yaml && rm -f /etc/kubernetes/kubeadm-discovery.conf")
	assert.NotContains(t, commands, "unsafe")
}

func TestMachine(t *testing.T) {
	c := newCloud(t)
	c.AddNetwork("storage")
	c.launch(nodegroup, machine.with(joining).with(params{
		"node_count": 1, "networks": "storage,nodes", "boot_volume_size": 30, "availability_zone": "az1", "config_drive": true,
		"key_name": "me", "anti_affinity": "soft-anti-affinity", "node_group": "fast", "cluster_name": "prod", "node_name_prefix": "prod-fast",
		"metadata":    map[string]any{"cost-centre": "4711", "node_index": "must not win"},
		"server_tags": "k8s,prod",
	}))
	server := c.node()
	assert.Equal(t, "prod-fast-0", server.Name)
	assert.Equal(t, "az1", server.Zone)
	assert.Empty(t, server.Image, "it boots from a volume")
	assert.Equal(t, map[string]string{
		"cost-centre": "4711", "cluster": "prod", "node_index": "0", "metering.server_group": "fast", "metering.stack": server.Stack,
	}, server.Metadata)
}

func TestOtherNetworksAndRegistries(t *testing.T) {
	c := newCloud(t)
	extra := base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----"))
	c.launch(nodegroup, machine.with(joining).with(params{
		"node_count": 1, "http_proxy": "http://me:p%40ss@proxy:3128", "no_proxy": "10.0.0.0/8,example.com", "extra_ca": extra,
		"registry_mirror": "https://mirror.example.com", "registry_mirror_for": "docker.io,ghcr.io",
	}))
	config := bootsWith(t, c.node().UserData)
	proxy := config.file(t, "/etc/systemd/system/containerd.service.d/proxy.conf")
	assert.Contains(t, proxy, `"HTTP_PROXY=http://me:p%%40ss@proxy:3128"`)
	assert.Contains(t, proxy, `"NO_PROXY=localhost,127.0.0.1,169.254.169.254,.svc,.cluster.local,10.0.0.10:6443,10.0.0.0/8,example.com"`)
	assert.Equal(t, extra, config.file(t, "/usr/local/share/ca-certificates/extra.crt"))
	for _, registry := range []string{"docker.io", "ghcr.io"} {
		assert.Contains(t, config.file(t, "/etc/containerd/certs.d/"+registry+"/hosts.toml"), `[host."https://mirror.example.com"]`)
	}
	assert.Contains(t, config.commands(), "systemctl restart containerd")
}

func TestPodsAreKeptOffTheMetadataService(t *testing.T) {
	const unit = "/etc/systemd/system/block-metadata.service"
	c := newCloud(t)
	id := c.launch(nodegroup, machine.with(joining).with(params{"node_count": 1}))
	config := bootsWith(t, c.node().UserData)
	assert.Contains(t, config.file(t, unit), "-I PREROUTING -d 169.254.169.254/32 -j DROP")
	assert.Contains(t, config.commands(), "systemctl enable --now block-metadata")
	assert.NotContains(t, config.commands(), "systemctl restart containerd", "nothing of containerd's has changed")
	c.patch(id, params{"node_count": 2, "block_metadata": false})
	config = bootsWith(t, c.Servers()[1].UserData)
	assert.NotContains(t, config.paths(), unit)
}

func TestBadParametersAreRefused(t *testing.T) {
	for name, value := range map[string]any{
		"api_server": "http://10.0.0.10:6443", "cluster_ca": "-----BEGIN", "bootstrap_token": "short", "bootstrap_token_source": "stolen",
		"join_method": "magic", "node_count": 991, "boot_volume_size": -1, "node_name_prefix": "Ünfit", "anti_affinity": "hard",
		"shutdown_grace_period": 5, "cloud_provider": "openstack", "http_proxy": "proxy:3128", "kubelet_extra_args": `--a="b"`,
		"flavor": "none", "image": "none", "network": "none", "extra_ca": "no base64!", "registry_mirror": "mirror",
	} {
		_, err := newCloud(t).try(nodegroup, machine.with(joining).with(params{name: value}))
		assert.ErrorContains(t, err, name)
	}
}
