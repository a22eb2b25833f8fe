package boot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/boot"
)

// byKubeadm is user_data in the form that deploy/heat/nodegroup.yaml gives it.
const byKubeadm = `## template: jinja
#cloud-config
{"runcmd": [["systemctl", "enable", "kubelet"],
  ["sh", "-c", "kubeadm join --config /etc/kubernetes/kubeadm-join.yaml && rm -f /etc/kubernetes/kubeadm-discovery.conf"]],
 "write_files": [
  {"path": "/etc/kubernetes/kubeadm-discovery.conf", "permissions": "0600", "content": "apiVersion: v1\nkind: Config\n"},
  {"path": "/etc/kubernetes/patches/kubeletconfiguration+merge.yaml", "content": "serverTLSBootstrap: true\n"},
  {"path": "/etc/default/kubelet", "content": "KUBELET_EXTRA_ARGS=\"--v=4\"\n"},
  {"path": "/etc/kubernetes/kubeadm-join.yaml", "content": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  file:\n    kubeConfigPath: /etc/kubernetes/kubeadm-discovery.conf\nnodeRegistration:\n  kubeletExtraArgs: [{\"name\": \"provider-id\", \"value\": \"openstack:///{{ v1.instance_id }}\"}, {\"name\": \"max-pods\", \"value\": \"42\"}]\npatches:\n  directory: /etc/kubernetes/patches\n"}]}
`

func TestKubeadmJoin(t *testing.T) {
	config, err := boot.ParseUserData([]byte(byKubeadm), instance)
	if err != nil {
		t.Fatal(err)
	}
	if !config.StartsKubelet() {
		t.Error("kubeadm starts the kubelet")
	}
	root := t.TempDir()
	if err := config.WriteTo(root); err != nil {
		t.Fatal(err)
	}
	arguments, err := boot.KubeletArguments(root)
	if err != nil {
		t.Fatal(err)
	}
	want := "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf" +
		" --config=/var/lib/kubelet/config.yaml --provider-id=openstack:///uuid-1 --max-pods=42 --v=4"
	if got := strings.Join(arguments, " "); got != want {
		t.Errorf("arguments are\n%s\nand should be\n%s", got, want)
	}
	for path, want := range map[string]string{
		"etc/kubernetes/bootstrap-kubelet.conf": "kind: Config", "var/lib/kubelet/config.yaml": "serverTLSBootstrap: true",
	} {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s is %q (%v)", path, text, err)
		}
	}
}

func TestKubeadmRefuses(t *testing.T) {
	for name, replace := range map[string][2]string{
		"a field that it does not know": {"patches:", "unknown:"},
		"another version":               {"kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta3"},
		"no discovery file":             {`"/etc/kubernetes/kubeadm-discovery.conf", "perm`, `"/etc/other.conf", "perm`},
		"no configuration":              {"kubeadm join --config /etc/kubernetes/kubeadm-join.yaml", "kubeadm join --config /nowhere"},
		"a file that is in its way":     {`"/etc/default/kubelet"`, `"/etc/kubernetes/pki/ca.crt"`},
	} {
		text := strings.Replace(byKubeadm, replace[0], replace[1], 1)
		config, err := boot.ParseUserData([]byte(text), instance)
		if err != nil {
			t.Fatal(err)
		}
		if err := config.WriteTo(t.TempDir()); err == nil {
			t.Errorf("%s should be refused", name)
		}
	}
}
