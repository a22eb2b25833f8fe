package bootstrap

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"regexp"
	"slices"
	"strings"

	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
)

const (
	// nodeUserPrefix comes before a node's name in its user name, and in a certificate's common name
	// (k8s.io/apiserver, pkg/authentication/user).
	nodeUserPrefix = "system:node:"
	nodesGroup     = "system:nodes"
	pemType        = "CERTIFICATE REQUEST"
)

// kind says what a CertificateSigningRequest is to us.
type kind int

const (
	foreign kind = iota // none of our business
	joining             // of a machine with a token of ours
	serving             // of a node, for its kubelet's own port
)

// request is a CertificateSigningRequest, taken apart. What the API server vouches for (who asks, when, for which signer) is in
// object; what is in the signed request is the asker's word.
type request struct {
	object *certificates.CertificateSigningRequest
	kind   kind
	// asker is the id of a joining machine's token, or the name of a serving node.
	asker string
	// x509 is the signed request, nil if it can't be read: err says why.
	x509 *x509.CertificateRequest
	err  error
	// node is the name of the node that the certificate would be for, "" if the common name has another form.
	node string
	// key is a hash of the public key.
	key string
}

var tokenID = regexp.MustCompile(`^[a-z0-9]{6}$`)

// parseRequest takes a CertificateSigningRequest apart. It only fails inside: a request that can't be read has err.
func parseRequest(csr *certificates.CertificateSigningRequest) *request {
	r := &request{object: csr}
	r.kind, r.asker = classify(&csr.Spec)
	r.x509, r.err = decode(csr.Spec.Request)
	if r.err == nil {
		sum := sha256.Sum256(r.x509.RawSubjectPublicKeyInfo)
		r.key = base64.RawURLEncoding.EncodeToString(sum[:])
		if name, ok := strings.CutPrefix(r.x509.Subject.CommonName, nodeUserPrefix); ok {
			r.node = name
		}
	}
	return r
}

// classify says by who asks for what whether a request is ours to decide. User name and groups are written by the API server.
func classify(spec *certificates.CertificateSigningRequestSpec) (as kind, asker string) {
	if id, ok := strings.CutPrefix(spec.Username, UserPrefix); ok && tokenID.MatchString(id) && slices.Contains(spec.Groups, TokenGroup) {
		switch spec.SignerName {
		case certificates.KubeAPIServerClientKubeletSignerName, certificates.KubeletServingSignerName:
			return joining, id
		}
		return foreign, ""
	}
	name, ok := strings.CutPrefix(spec.Username, nodeUserPrefix)
	if ok && spec.SignerName == certificates.KubeletServingSignerName && slices.Contains(spec.Groups, nodesGroup) {
		return serving, name
	}
	return foreign, ""
}

// decode reads exactly one PEM block, and checks that whoever made the request has the private key. The API server and
// signers look at the first block only; more of them can only be meant to deceive somebody.
func decode(text []byte) (*x509.CertificateRequest, error) {
	text = bytes.TrimSpace(text)
	block, rest := pem.Decode(text)
	switch {
	case block == nil || block.Type != pemType || !bytes.HasPrefix(text, []byte("-----BEGIN "+pemType+"-----")):
		return nil, errors.New("it is no PEM block of type " + pemType)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("there is more than one PEM block in it")
	case len(block.Headers) > 0:
		return nil, errors.New("its PEM block has headers")
	}
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, errors.New("it can't be read as a PKCS #10 request") // the parser's words may repeat what an attacker wrote
	}
	if err := parsed.CheckSignature(); err != nil {
		return nil, errors.New("its signature is wrong")
	}
	return parsed, nil
}

// condition finds the condition of this type, nil if it is not there.
func condition(csr *certificates.CertificateSigningRequest, of certificates.RequestConditionType) *certificates.CertificateSigningRequestCondition {
	for i := range csr.Status.Conditions {
		if c := &csr.Status.Conditions[i]; c.Type == of && c.Status != v1.ConditionFalse {
			return c
		}
	}
	return nil
}

// pending says whether nobody has decided yet.
func pending(csr *certificates.CertificateSigningRequest) bool {
	return len(csr.Status.Certificate) == 0 && condition(csr, certificates.CertificateApproved) == nil &&
		condition(csr, certificates.CertificateDenied) == nil && condition(csr, certificates.CertificateFailed) == nil
}
