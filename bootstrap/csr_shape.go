package bootstrap

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	certificates "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// A certificate's longest wanted time: the kubelet asks for none, and kube-controller-manager shortens what is asked
// (--cluster-signing-duration, a year by default). The API server refuses less than ten minutes.
const longestDuration = 366 * 24 * time.Hour

// Usages that kubelets ask for; keyEncipherment only with RSA keys (k8s.io/client-go/util/certificate,
// DefaultKubeletClientGetUsages and DefaultKubeletServingGetUsages).
var (
	clientUsages  = []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth}
	servingUsages = []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageServerAuth}
)

var (
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidOrganization = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidAltNames     = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// checkShape says what is wrong with a request that no look-up could mend; nil if nothing is.
func (r *request) checkShape() *verdict {
	spec := &r.object.Spec
	switch {
	case r.err != nil:
		return denied(ReasonMalformed, r.err.Error(), "make the request with an unmodified kubelet")
	case r.kind == joining && spec.SignerName != certificates.KubeAPIServerClientKubeletSignerName:
		return denied(ReasonWrongSigner, "a bootstrap token asks for a serving certificate",
			"a node asks for that with its own certificate, after it has joined")
	case spec.ExpirationSeconds != nil && time.Duration(*spec.ExpirationSeconds)*time.Second > longestDuration:
		return denied(ReasonWrongDuration, fmt.Sprintf("it asks for %d seconds, more than %d", *spec.ExpirationSeconds, int(longestDuration.Seconds())),
			"ask for a year at most")
	}
	if v := r.checkSubject(); v != nil {
		return v
	}
	if r.kind == serving {
		if !sameUsages(spec.Usages, servingUsages) {
			return denied(ReasonWrongUsages, fmt.Sprintf("it asks for the usages %v", spec.Usages), "ask for "+words(servingUsages))
		}
		return r.checkServingNames()
	}
	if !sameUsages(spec.Usages, clientUsages) {
		return denied(ReasonWrongUsages, fmt.Sprintf("it asks for the usages %v", spec.Usages), "ask for "+words(clientUsages))
	}
	// Names would be extensions too.
	if len(r.x509.Extensions) > 0 {
		return denied(ReasonForbiddenNames, "it asks for "+r.askedNames(), "a node's client certificate has a subject and nothing else")
	}
	return nil
}

// checkSubject wants exactly CN=system:node:NAME and O=system:nodes.
func (r *request) checkSubject() *verdict {
	subject := &r.x509.Subject
	var wrong string
	switch {
	case r.node == "":
		wrong = "its common name does not begin with " + nodeUserPrefix
	case len(validation.IsDNS1123Subdomain(r.node)) > 0:
		wrong = "the name in its common name can't be a node's"
	case len(subject.Organization) != 1 || subject.Organization[0] != nodesGroup:
		wrong = fmt.Sprintf("its organizations are %.200q", subject.Organization)
	case len(subject.Names) != 2:
		wrong = "its subject has more than a common name and an organization"
	case !subject.Names[0].Type.Equal(oidOrganization) && !subject.Names[0].Type.Equal(oidCommonName),
		!subject.Names[1].Type.Equal(oidOrganization) && !subject.Names[1].Type.Equal(oidCommonName):
		wrong = "its subject is not made of a common name and an organization"
	case r.kind == serving && r.node != r.asker:
		wrong = fmt.Sprintf("node %q asks for it in the name of node %q", r.asker, r.node)
	default:
		return nil
	}
	return denied(ReasonForbiddenSubject, wrong, fmt.Sprintf("ask for CN=%sNAME and O=%s", nodeUserPrefix, nodesGroup))
}

// checkServingNames wants DNS names and addresses, and names of no other kind, known to Go or not.
func (r *request) checkServingNames() *verdict {
	names := 0
	for _, e := range r.x509.Extensions {
		if !e.Id.Equal(oidAltNames) {
			return denied(ReasonForbiddenNames, "it asks for the extension "+e.Id.String(), "ask for DNS names and IP addresses only")
		}
		var all []asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &all); err != nil || len(rest) > 0 {
			return denied(ReasonForbiddenNames, "its subject alternative names can't be read", "make the request with an unmodified kubelet")
		}
		names += len(all)
	}
	if wanted := len(r.x509.DNSNames) + len(r.x509.IPAddresses); wanted == 0 || names != wanted {
		return denied(ReasonForbiddenNames, "it asks for "+r.askedNames(), "ask for DNS names and IP addresses, and only for them")
	}
	return nil
}

// askedNames says in words which names and extensions a request asks for.
func (r *request) askedNames() string {
	var asked []string
	for _, n := range r.x509.DNSNames {
		asked = append(asked, "DNS name "+n)
	}
	for _, ip := range r.x509.IPAddresses {
		asked = append(asked, "IP address "+ip.String())
	}
	for _, a := range r.x509.EmailAddresses {
		asked = append(asked, "e-mail address "+a)
	}
	for _, u := range r.x509.URIs {
		asked = append(asked, "URI "+u.Redacted())
	}
	for _, e := range r.x509.Extensions {
		if !e.Id.Equal(oidAltNames) {
			asked = append(asked, "extension "+e.Id.String())
		}
	}
	if len(asked) == 0 {
		return "no usual name"
	}
	return fmt.Sprintf("%.200q", strings.Join(asked, ", "))
}

// sameUsages says whether asked are the wanted usages, with or without keyEncipherment, each once.
func sameUsages(asked, wanted []certificates.KeyUsage) bool {
	left := slices.DeleteFunc(slices.Clone(asked), func(u certificates.KeyUsage) bool { return u == certificates.UsageKeyEncipherment })
	if len(asked)-len(left) > 1 || len(left) != len(wanted) {
		return false
	}
	for _, u := range wanted {
		if !slices.Contains(left, u) {
			return false
		}
	}
	return true
}

func words(usages []certificates.KeyUsage) string {
	all := make([]string, len(usages))
	for i, u := range usages {
		all[i] = string(u)
	}
	return strings.Join(all, " and ")
}
