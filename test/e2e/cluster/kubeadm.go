package cluster

import (
	"context"

	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubeletConfig is what "kubeadm join" gives to a node's kubelet. The path is the node's own: what kubeadm would write
// itself is that of this control plane, which is somewhere else.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
authorization: {mode: Webhook}
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
`

// AllowKubeadm lets machines join by "kubeadm join": it makes the ConfigMaps that a join reads, and lets bearers of bootstrap
// tokens of this group read them and see whether a node is there. It is called once.
func (c *Cluster) AllowKubeadm(ctx context.Context, group string) error {
	if err := c.kubeadm(ctx, "upload-config", "kubeadm", "--kubeconfig", c.Kubeconfig); err != nil {
		return err
	}
	const kubelet = "kubelet-config"
	joining := metav1.ObjectMeta{Name: "kubeadm-join"}
	here := metav1.ObjectMeta{Name: joining.Name, Namespace: metav1.NamespaceSystem}
	bearers := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}}
	return create(ctx, c.Client,
		// Not by kubeadm's phase, which waits for a Node of the control plane's host.
		&v1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: kubelet, Namespace: metav1.NamespaceSystem}, Data: map[string]string{"kubelet": kubeletConfig},
		},
		&rbacv1.Role{ObjectMeta: here, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{kubelet, "kubeadm-config"}, Verbs: []string{"get"}},
		}},
		&rbacv1.RoleBinding{ObjectMeta: here, RoleRef: role("Role", joining.Name), Subjects: bearers},
		&rbacv1.ClusterRole{ObjectMeta: joining, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get"}},
		}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: joining, RoleRef: role("ClusterRole", joining.Name), Subjects: bearers},
	)
}
