package bootstrap

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/cluster-bootstrap/token/api"
)

// serviceAccountFolder is where a pod finds its credentials (k8s.io/client-go/rest, InClusterConfig).
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/"

// Cluster says where the cluster is, to machines that are to join it: what kubeadm publishes in the ConfigMap cluster-info of
// kube-public, else what this program itself was given. All of it is public. It is safe for concurrent use.
type Cluster struct {
	client    kubernetes.Interface
	config    *rest.Config
	apiServer string
}

// NewCluster returns the Cluster of a connection. apiServer goes before every other way to find the address; empty for none.
func NewCluster(client kubernetes.Interface, config *rest.Config, apiServer string) *Cluster {
	return &Cluster{client: client, config: config, apiServer: apiServer}
}

// APIServer returns the https URL at which machines reach the API server. It never is an address that only pods or this very
// host can reach.
func (c *Cluster) APIServer(ctx context.Context) (string, error) {
	if c.apiServer != "" {
		return c.apiServer, nil
	}
	info, infoErr := c.info(ctx)
	address := c.config.Host
	switch {
	case infoErr == nil && info.Server != "":
		address, infoErr = info.Server, errors.New("it names this address")
	case strings.HasPrefix(c.config.BearerTokenFile, serviceAccountFolder):
		return "", fmt.Errorf("the address at which machines reach the API server is not known, only the one for pods; give it by --bootstrap-api-server "+
			"(the ConfigMap %s can't be used: %w)", infoName, infoErr)
	}
	if err := checkFound(address); err != nil {
		return "", fmt.Errorf("machines can't reach the API server at %q: %w; give its address by --bootstrap-api-server (the ConfigMap %s: %w)",
			address, err, infoName, infoErr)
	}
	return address, nil
}

// ClusterCA returns the cluster's certificate authority as the certificate-authority-data of a kubeconfig: PEM, in base64.
func (c *Cluster) ClusterCA(ctx context.Context) (string, error) {
	info, infoErr := c.info(ctx)
	if infoErr == nil && len(info.CertificateAuthorityData) > 0 {
		return base64.StdEncoding.EncodeToString(info.CertificateAuthorityData), nil
	}
	own := rest.CopyConfig(c.config)
	if err := rest.LoadTLSFiles(own); err != nil {
		return "", fmt.Errorf("reading the cluster's certificate authority: %w", err)
	}
	if len(own.CAData) == 0 {
		return "", errors.Join(errors.New("the cluster's certificate authority is not known; give it to the stack as its parameter, "+
			"or name it in the kubeconfig"), infoErr)
	}
	return base64.StdEncoding.EncodeToString(own.CAData), nil
}

// infoName names the ConfigMap in messages.
const infoName = metav1.NamespacePublic + "/" + api.ConfigMapClusterInfo

// info is what the ConfigMap cluster-info says of the cluster.
func (c *Cluster) info(ctx context.Context) (*clientcmdapi.Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	configMap, err := c.client.CoreV1().ConfigMaps(metav1.NamespacePublic).Get(ctx, api.ConfigMapClusterInfo, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.Load([]byte(configMap.Data[api.KubeConfigKey]))
	if err != nil {
		return nil, fmt.Errorf("its %s is no kubeconfig: %w", api.KubeConfigKey, err)
	}
	if cluster := config.Clusters[""]; cluster != nil { // kubeadm gives it no name
		return cluster, nil
	}
	for _, cluster := range config.Clusters {
		if len(config.Clusters) == 1 {
			return cluster, nil
		}
	}
	return nil, fmt.Errorf("its %s does not name one cluster", api.KubeConfigKey)
}

// CheckAPIServer says what is wrong with an address at which machines are to reach the API server; nil if nothing is.
func CheckAPIServer(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(address, " \t\r\n\"'") {
		return errors.New("it must be an https URL, such as https://10.0.0.10:6443")
	}
	return nil
}

// checkFound is CheckAPIServer for an address that nobody has given on purpose.
func checkFound(address string) error {
	if err := CheckAPIServer(address); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return errors.New("it is an address of this host only")
	}
	return nil
}
