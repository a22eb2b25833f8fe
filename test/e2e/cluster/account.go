package cluster

import (
	"context"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
)

// accountLife is how long the credentials of an account are good for: longer than any test.
const accountLife = 6 * time.Hour

// AutoscalerKubeconfig writes a kubeconfig to path with which the autoscaler may do in this namespace, and in the cluster, what
// deploy/kubernetes allows it, and nothing else. It is called once for each namespace.
func (c *Cluster) AutoscalerKubeconfig(ctx context.Context, namespace, path string) error {
	if err := c.rules.applyIn(ctx, c.Client, namespace); err != nil {
		return err
	}
	if err := c.WaitForRights(ctx, c.rules.account, namespace, rulesOf(c.rules.own)); err != nil {
		return err
	}
	return c.AccountKubeconfig(ctx, c.rules.account.Namespace, c.rules.account.Name, path)
}

// AccountKubeconfig writes a kubeconfig to path with which its bearer is a service account.
func (c *Cluster) AccountKubeconfig(ctx context.Context, namespace, name, path string) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(accountLife.Seconds()))}}
	answer, err := c.Client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	admin, err := clientcmd.LoadFromFile(c.Kubeconfig)
	if err != nil {
		return err
	}
	const user = "account"
	for _, context := range admin.Contexts {
		context.AuthInfo = user
	}
	admin.AuthInfos = map[string]*clientcmdapi.AuthInfo{user: {Token: answer.Status.Token}}
	return clientcmd.WriteToFile(*admin, path)
}

// ApplyRules makes the permissions in a file of deploy/kubernetes, and its service accounts. What is there already is left as it is: "go
// test -count" runs a test more than once.
func (c *Cluster) ApplyRules(ctx context.Context, path string) error {
	rules, err := readRules(path)
	if err != nil {
		return err
	}
	for _, object := range rules.objects {
		if err := createOne(ctx, c.Client, object); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}
