package cluster

import (
	"context"
	"fmt"

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
// tokens of these groups, besides kubeadm's own, read them and see whether a node is there.
func (c *Cluster) AllowKubeadm(ctx context.Context, groups ...string) error {
	if err := c.kubeadm(ctx, "upload-config", "kubeadm", "--kubeconfig", c.Kubeconfig); err != nil {
		return err
	}
	// Not by kubeadm's phase, which waits for a Node of the control plane's host.
	const kubelet = "kubelet-config"
	maps := c.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	if _, err := maps.Create(ctx, &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: kubelet}, Data: map[string]string{"kubelet": kubeletConfig},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	groups = append(groups, kubeadmGroup)
	roles := c.Client.RbacV1().Roles(metav1.NamespaceSystem)
	if _, err := roles.Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "join"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{kubelet, "kubeadm-config"}, Verbs: []string{"get"},
		}},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	var subjects []rbacv1.Subject
	for _, group := range groups {
		subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group})
	}
	if _, err := c.Client.RbacV1().RoleBindings(metav1.NamespaceSystem).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "join"}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "join"},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := c.Client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "join"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	_, err := c.Client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "join"}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "join"},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("let bootstrap tokens see nodes: %w", err)
	}
	return nil
}
