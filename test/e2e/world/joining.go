package world

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	certificates "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
)

// Token is a bootstrap token that was minted for a node group of the world, without its secret part.
type Token struct {
	// ID is the token's public part, Group the node group's name.
	ID, Group string
	// Secret is the name of its Secret in kube-system.
	Secret string
}

// Tokens lists the bootstrap tokens for the world's node groups that the cluster knows now. It reads the Secrets' metadata, not
// the Secrets.
func (w *World) Tokens(ctx context.Context) ([]Token, error) {
	client, err := metadata.NewForConfig(w.base.Cluster.Config)
	if err != nil {
		return nil, err
	}
	secrets := metav1.SchemeGroupVersion.WithResource("secrets")
	secrets.Group, secrets.Version = "", "v1"
	list, err := client.Resource(secrets).Namespace(bootstrap.TokenNamespace).List(ctx, metav1.ListOptions{
		LabelSelector: bootstrap.ManagedByLabel + "=" + bootstrap.ManagedBy,
	})
	if err != nil {
		return nil, err
	}
	var tokens []Token
	for _, secret := range list.Items {
		group := secret.Annotations[bootstrap.NodeGroupAnnotation]
		id, isToken := strings.CutPrefix(secret.Name, bootstrapapi.BootstrapTokenSecretPrefix)
		if isToken && w.group(group) != nil {
			tokens = append(tokens, Token{ID: id, Group: group, Secret: secret.Name})
		}
	}
	return tokens, nil
}

// group finds a node group by its stack's name.
func (w *World) group(name string) *Group {
	for _, group := range w.Groups() {
		if group.Name == name {
			return group
		}
	}
	return nil
}

// Requests lists the requests for certificates of nodes whose name begins with the world's, oldest first.
func (w *World) Requests(ctx context.Context) ([]certificates.CertificateSigningRequest, error) {
	list, err := w.base.Cluster.Client.CertificatesV1().CertificateSigningRequests().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	requests := slices.DeleteFunc(list.Items, func(csr certificates.CertificateSigningRequest) bool {
		return !strings.HasPrefix(NodeOf(&csr), w.Name+"-")
	})
	slices.SortStableFunc(requests, func(a, b certificates.CertificateSigningRequest) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return requests, nil
}

// NodeOf is the node that a request asks a certificate for, empty if it is for none or can't be read.
func NodeOf(csr *certificates.CertificateSigningRequest) string {
	block, _ := pem.Decode(csr.Spec.Request)
	if block == nil {
		return ""
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return ""
	}
	name, _ := strings.CutPrefix(request.Subject.CommonName, "system:node:")
	return name
}

// IsApproved says whether somebody has approved a request.
func IsApproved(csr *certificates.CertificateSigningRequest) bool {
	return hasCondition(csr, certificates.CertificateApproved)
}

// IsDenied says whether somebody has denied a request.
func IsDenied(csr *certificates.CertificateSigningRequest) bool {
	return hasCondition(csr, certificates.CertificateDenied)
}

func hasCondition(csr *certificates.CertificateSigningRequest, of certificates.RequestConditionType) bool {
	return slices.ContainsFunc(csr.Status.Conditions, func(c certificates.CertificateSigningRequestCondition) bool { return c.Type == of })
}

var tokenPattern = regexp.MustCompile(`\b[a-z0-9]{6}\.[a-z0-9]{16}\b`)

// errNoToken says that user_data holds no token, or more than one.
var errNoToken = errors.New("not exactly one bootstrap token in the user_data")

// TokenIn finds the bootstrap token in a server's user_data, as whoever can read the server's metadata can.
func TokenIn(userData string) (string, error) {
	found := tokenPattern.FindAllString(userData, -1)
	slices.Sort(found)
	if found = slices.Compact(found); len(found) != 1 {
		return "", fmt.Errorf("%w: %d", errNoToken, len(found))
	}
	return found[0], nil
}
