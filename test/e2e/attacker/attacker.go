// Package attacker plays somebody who has got hold of credentials that let a machine ask for a node's certificate, and who
// asks for what is not his.
package attacker

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"

	certificates "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Attacker asks for certificates with somebody's credentials. Safe for concurrent use.
type Attacker struct {
	client kubernetes.Interface
}

// WithToken makes an Attacker who has a bootstrap token of the cluster that config is for.
func WithToken(config *rest.Config, token string) (*Attacker, error) {
	stolen := rest.AnonymousClientConfig(config)
	stolen.BearerToken = token
	return with(stolen)
}

// WithKubeconfig makes an Attacker who has a machine's kubeconfig, such as a kubelet's.
func WithKubeconfig(path string) (*Attacker, error) {
	stolen, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, err
	}
	return with(stolen)
}

func with(config *rest.Config) (*Attacker, error) {
	config.QPS = -1 // nobody who attacks limits himself
	client, err := kubernetes.NewForConfig(config)
	return &Attacker{client: client}, err
}

// Request is a request for a certificate. The zero value asks for nothing; begin with Client or Serving.
type Request struct {
	CommonName    string
	Organizations []string
	// Names, Addresses and Mails are the subject alternative names.
	Names, Mails []string
	Addresses    []net.IP
	Signer       string
	Usages       []certificates.KeyUsage
	// Seconds is how long the certificate should be good for; the signer decides if it is 0.
	Seconds int32
	// Key is made anew if nil.
	Key crypto.Signer
}

const (
	nodeUser  = "system:node:"
	nodeGroup = "system:nodes"
)

// Client is what a kubelet asks for in order to join: nothing is wrong with it but, perhaps, who asks.
func Client(node string) Request {
	return Request{
		CommonName: nodeUser + node, Organizations: []string{nodeGroup},
		Signer: certificates.KubeAPIServerClientKubeletSignerName,
		Usages: []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth},
	}
}

// Serving is what the kubelet of a node asks for, to be asked itself.
func Serving(node string, names []string, addresses []net.IP) Request {
	return Request{
		CommonName: nodeUser + node, Organizations: []string{nodeGroup}, Names: names, Addresses: addresses,
		Signer: certificates.KubeletServingSignerName,
		Usages: []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageServerAuth},
	}
}

// NewKey makes a private key of the kind that kubelets use.
func NewKey() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// Ask sends a request and returns it as the API server has stored it. name begins the object's name.
func (a *Attacker) Ask(ctx context.Context, name string, r Request) (*certificates.CertificateSigningRequest, error) {
	if r.Key == nil {
		var err error
		if r.Key, err = NewKey(); err != nil {
			return nil, err
		}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: r.CommonName, Organization: r.Organizations},
		DNSNames: r.Names, IPAddresses: r.Addresses, EmailAddresses: r.Mails,
	}, r.Key)
	if err != nil {
		return nil, err
	}
	var seconds *int32
	if r.Seconds != 0 {
		seconds = &r.Seconds
	}
	csr, err := a.client.CertificatesV1().CertificateSigningRequests().Create(ctx, &certificates.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-"},
		Spec: certificates.CertificateSigningRequestSpec{
			Request: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), SignerName: r.Signer, Usages: r.Usages,
			ExpirationSeconds: seconds,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask for CN=%s: %w", r.CommonName, err)
	}
	return csr, nil
}

// Look tries to read what only the cluster's own may read, to see whether the credentials are accepted at all: the error of
// credentials that are not is Unauthorized, that of others is Forbidden or none.
func (a *Attacker) Look(ctx context.Context) error {
	_, err := a.client.CoreV1().Secrets(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{})
	return err
}

// StatusOf is the HTTP status of an error of the API server: 403 for credentials that it knows, 401 for others. 0 if it is none.
func StatusOf(err error) int32 {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return 0
	}
	return status.Status().Code
}
