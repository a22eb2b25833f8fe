package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// The tool asks a handful of lists at once and then ends: what client-go allows by default would hold it back for nothing.
const (
	clientQPS   = 50
	clientBurst = 100
)

// UserAgent is how the tool introduces itself to OpenStack and Kubernetes.
const UserAgent = "kubectl-openstack-nodegroups"

var errNoCluster = errors.New("no cluster is known: name a kubeconfig by --kubeconfig or KUBECONFIG")

// RESTConfig is the connection to the cluster that the flags, KUBECONFIG or the pod that the tool runs in name.
func (o *Options) RESTConfig() (*rest.Config, error) {
	config, err := o.Kubernetes.ToRESTConfig()
	if err != nil {
		if clientcmd.IsEmptyConfig(err) {
			return nil, errNoCluster
		}
		return nil, fmt.Errorf("the connection to the cluster (--kubeconfig, --context): %w", err)
	}
	// Without any configuration client-go takes an address at which nobody has listened for years.
	raw, err := o.Kubernetes.ToRawKubeConfigLoader().RawConfig()
	if err == nil && len(raw.Clusters) == 0 && config.Host == "http://localhost:8080" && (o.Kubernetes.APIServer == nil || *o.Kubernetes.APIServer == "") {
		return nil, errNoCluster
	}
	config = rest.CopyConfig(config)
	config.QPS, config.Burst, config.UserAgent = clientQPS, clientBurst, UserAgent
	return config, nil
}

// Client is a client of the cluster, the same at each call.
func (o *Options) Client() (kubernetes.Interface, error) {
	if o.client != nil {
		return o.client, nil
	}
	config, err := o.RESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the connection to the cluster (--kubeconfig, --context): %w", err)
	}
	o.client = client // a nil *Clientset in the interface would look like a client
	return client, nil
}

// Namespace is the one that flags or kubeconfig name; default if none does.
func (o *Options) Namespace() (string, error) {
	namespace, _, err := o.Kubernetes.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("the namespace (--namespace, --kubeconfig): %w", err)
	}
	return namespace, nil
}

// HasCredentials says whether there is anything to sign in to OpenStack with.
func (o *Options) HasCredentials() bool {
	return o.Cloud != "" || o.CloudConfig != "" || os.Getenv("OS_CLOUD") != "" || os.Getenv("OS_AUTH_URL") != ""
}

// Session signs in to OpenStack.
func (o *Options) Session(ctx context.Context) (*openstack.Session, error) {
	return openstack.NewSession(ctx, openstack.Options{CloudConfig: o.CloudConfig, Cloud: o.Cloud, UserAgent: UserAgent})
}

// Explain makes an error of Kubernetes name the right that is missing, if that is what it is about. doing says what was tried, such
// as "list pods".
func Explain(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err):
		return fmt.Errorf("no permission to %s: %w; a ClusterRole with all rights that are needed is deploy/kubernetes/nodegroups-viewer.yaml", doing, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: the cluster does not accept the kubeconfig's credentials: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
