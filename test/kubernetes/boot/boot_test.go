package boot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/boot"
)

var instance = boot.Instance{ID: "uuid-1", Hostname: "vm-1", Zone: "az1"}

func TestBoot(t *testing.T) {
	userData := `## template: jinja
#cloud-config
write_files:
- path: /etc/kubernetes/pki/ca.crt
  encoding: b64
  content: aGVs
    bG8=
- path: /etc/default/kubelet
  permissions: '0600'
  content: |
    # a comment
    KUBELET_EXTRA_ARGS="--provider-id=openstack:///{{ v1.instance_id }} \
      --node-labels=zone={{v1.availability_zone}}"
- path: /var/lib/kubelet/kubeadm-flags.env
  content: KUBELET_KUBEADM_ARGS=--max-pods=5
- path: /var/lib/kubelet/config.yaml
  content: "{}"
runcmd:
- [systemctl, enable, --now, kubelet]
`
	config, err := boot.ParseUserData([]byte(userData), instance)
	if err != nil {
		t.Fatal(err)
	}
	if !config.StartsKubelet() {
		t.Error("runcmd starts the kubelet")
	}
	root := t.TempDir()
	if err := config.WriteTo(root); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(root, "etc/kubernetes/pki/ca.crt"))
	if err != nil || string(ca) != "hello" {
		t.Errorf("ca.crt is %q (%v)", ca, err)
	}
	info, err := os.Stat(filepath.Join(root, "etc/default/kubelet"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions of /etc/default/kubelet: %v (%v)", info, err)
	}
	arguments, err := boot.KubeletArguments(root)
	if err != nil {
		t.Fatal(err)
	}
	want := "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf" +
		" --config=/var/lib/kubelet/config.yaml --max-pods=5 --provider-id=openstack:///uuid-1 --node-labels=zone=az1"
	if got := strings.Join(arguments, " "); got != want {
		t.Errorf("arguments are\n%s\nand should be\n%s", got, want)
	}
}

func TestUserDataThatCannotBoot(t *testing.T) {
	for name, userData := range map[string]string{
		"a script":            "#!/bin/sh\n",
		"empty":               "",
		"no YAML":             "#cloud-config\nwrite_files: [\n",
		"an unknown variable": "## template: jinja\n#cloud-config\nhostname: {{ v1.nickname }}\n",
	} {
		if _, err := boot.ParseUserData([]byte(userData), instance); err == nil {
			t.Errorf("%s should be refused", name)
		}
	}
	config, err := boot.ParseUserData([]byte("#cloud-config\nwrite_files: [{path: relative, content: x}]\n"), instance)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.WriteTo(t.TempDir()); err == nil {
		t.Error("a relative path should be refused")
	}
	if config.StartsKubelet() {
		t.Error("nothing starts the kubelet")
	}
}
