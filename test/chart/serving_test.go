//go:build chart

package chart

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/attacker"
)

// requireServingCertificate: the kubelet of a node, in whose name it is asked here, gets a serving certificate.
func (s *scene) requireServingCertificate() {
	s.Helper()
	nodes, err := s.Nodes(s.Context())
	require.NoError(s, err)
	require.NotEmpty(s, nodes)
	node := nodes[0].Name
	config, err := clientcmd.LoadFromFile(base.Cluster.Kubeconfig)
	require.NoError(s, err)
	for _, user := range config.AuthInfos {
		user.Impersonate, user.ImpersonateGroups = "system:node:"+node, []string{"system:nodes", "system:authenticated"}
	}
	kubeconfig := filepath.Join(s.TempDir(), "kubelet")
	require.NoError(s, clientcmd.WriteToFile(*config, kubeconfig))
	kubelet, err := attacker.WithKubeconfig(kubeconfig)
	require.NoError(s, err)
	asked, err := kubelet.Ask(s.Context(), s.Name()+"-serving", attacker.Serving(node, []string{node}, nil))
	require.NoError(s, err)
	require.NoError(s, s.Until(s.Context(), stepTimeout, "the serving certificate of "+node, func(ctx context.Context) error {
		request, err := base.Cluster.Client.CertificatesV1().CertificateSigningRequests().Get(ctx, asked.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range request.Status.Conditions {
			if condition.Type == certificates.CertificateApproved {
				return nil
			}
		}
		return errors.New("it is not approved")
	}))
}
