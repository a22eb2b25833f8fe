package cluster

import (
	"context"
	"encoding/base64"

	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
)

// publish makes what kubeadm's phase bootstrap-token makes (kubernetes, cmd/kubeadm/app/phases/bootstraptoken), except for its
// token and for the rule that has every bearer of a token's certificate approved: cluster-info, which everybody may read, and
// the rule that lets nodes renew their own certificates.
func (c *Cluster) publish(ctx context.Context) error {
	ca, err := base64.StdEncoding.DecodeString(c.CA)
	if err != nil {
		return err
	}
	info, err := clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"": {Server: c.Endpoint, CertificateAuthorityData: ca}},
	})
	if err != nil {
		return err
	}
	const name = bootstrapapi.ConfigMapClusterInfo
	anybody := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "system:anonymous"}}
	nodes := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:nodes"}}
	public := metav1.ObjectMeta{Namespace: metav1.NamespacePublic, Name: name}
	// kube-apiserver makes the namespace itself, a moment after it is ready.
	if err := c.wait(ctx, "namespace "+metav1.NamespacePublic, func(ctx context.Context) (bool, error) {
		_, err := c.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespacePublic, metav1.GetOptions{})
		return err == nil, err
	}); err != nil {
		return err
	}
	return create(ctx, c.Client,
		&v1.ConfigMap{ObjectMeta: public, Data: map[string]string{bootstrapapi.KubeConfigKey: string(info)}},
		&rbacv1.Role{ObjectMeta: public, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{name}, Verbs: []string{"get"}},
		}},
		&rbacv1.RoleBinding{ObjectMeta: public, RoleRef: role("Role", name), Subjects: anybody},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "kubeadm:node-autoapprove-certificate-rotation"},
			RoleRef:    role("ClusterRole", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"), Subjects: nodes,
		},
		// The API server's name when it asks a kubelet for the logs of a pod.
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "kube-apiserver-kubelet-client"}, RoleRef: role("ClusterRole", "system:kubelet-api-admin"),
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "kube-apiserver-kubelet-client"}},
		})
}

func role(kind, name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

// create makes objects, each in its own namespace.
func create(ctx context.Context, client kubernetes.Interface, objects ...metav1.Object) error {
	for _, object := range objects {
		if err := createOne(ctx, client, object); err != nil {
			return err
		}
	}
	return nil
}
