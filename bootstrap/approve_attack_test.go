package bootstrap

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// attacks are requests that must not be approved. The cluster and the cloud are those of newRig, as far as prepare does not
// change them: workers-1 is a member that may join, workers-0 one that has joined.
var attacks = []struct {
	name    string
	prepare func(*rig)
	ask     func() *ask
	want    string
}{
	// A stolen token in somebody else's name.
	{"a joined node's name", nil, func() *ask { return joiner("workers-0") }, "denied NodeExists"},
	{"a joined node's name while it is down", func(r *rig) {
		r.machine("workers-2", "00000000-0000-4000-8000-000000000002")
		r.node("workers-2", "00000000-0000-4000-8000-000000000002", false)
	}, func() *ask { return joiner("workers-2") }, "denied NodeExists"},
	{"the name of a control plane", func(r *rig) {
		r.machine("control-0", "00000000-0000-4000-8000-0000000000c0", nobodys, old)
		r.node("control-0", "00000000-0000-4000-8000-0000000000c0", true)
	}, func() *ask { return joiner("control-0") }, "denied NodeExists"},
	{"the name of a control plane without its Node", func(r *rig) {
		r.machine("control-0", "00000000-0000-4000-8000-0000000000c0", nobodys, old)
	}, func() *ask { return joiner("control-0") }, "denied NotAMember"},
	{"a server of another project", nil, func() *ask { return joiner("elsewhere-1") }, "pending NoSuchServer"},
	{"a member of another node group", func(r *rig) {
		r.change(honest, func(m *nodegroups.Machine) { m.Group = "gpu" })
	}, func() *ask { return joiner(honest) }, "denied WrongNodeGroup"},
	{"a server made by hand with a member's metadata", func(r *rig) { r.machine("mine", "00000000-0000-4000-8000-0000000000ff", nobodys) },
		func() *ask { return joiner("mine") }, "pending NotYetAMember"},
	{"the same three minutes later", func(r *rig) {
		r.machine("mine", "00000000-0000-4000-8000-0000000000ff", nobodys, func(m *nodegroups.Machine) { m.Created = m.Created.Add(-3 * time.Minute) })
	}, func() *ask { return joiner("mine") }, "denied NotAMember"},
	{"a second server of a member's name", func(r *rig) { r.machine(honest, "00000000-0000-4000-8000-0000000000ff", nobodys) },
		func() *ask { return joiner(honest) }, "pending AmbiguousName"},
	{"a request from before the server was made", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.age = 2 * time.Minute })
	}, "denied AskedTooEarly"},
	{"the name of a machine that is gone and whose Node is not", func(r *rig) {
		r.node(honest, "00000000-0000-4000-8000-0000000000ee", false)
	}, func() *ask { return joiner(honest) }, "pending StaleNode"},

	// Servers in no state to join.
	{"a server in ERROR", state("ERROR"), func() *ask { return joiner(honest) }, "pending ServerState"},
	{"a server that is SHUTOFF", state("SHUTOFF"), func() *ask { return joiner(honest) }, "pending ServerState"},
	{"a server that is being deleted", func(r *rig) {
		r.change(honest, func(m *nodegroups.Machine) { m.Leaving = true })
	}, func() *ask { return joiner(honest) }, "denied ServerLeaving"},
	{"a server whose removal has been ordered and not begun", func(r *rig) {
		r.change(honest, func(m *nodegroups.Machine) { m.Named = true })
	}, func() *ask { return joiner(honest) }, "pending ServerLeaving"},
	{"an old server", func(r *rig) { r.change(honest, old) }, func() *ask { return joiner(honest) }, "denied ServerTooOld"},

	// Tokens.
	{"a revoked or expired token", func(r *rig) { delete(r.tokens.groups, goodToken) }, func() *ask { return joiner(honest) }, "denied UnknownToken"},
	{"a token of kubeadm's own group", nil, func() *ask {
		return joiner(honest, userGroups("system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"))
	}, "untouched"},
	{"a user with a token's groups", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.spec.Username = "mallory" })
	}, "untouched"},
	{"a user with nearly a token's name", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.spec.Username = UserPrefix + "ABCDEF" })
	}, "untouched"},

	// More than a node's certificate.
	{"a DNS name more", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.template.DNSNames = []string{"kubernetes.default"} })
	}, "denied ForbiddenNames"},
	{"an address more", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.template.IPAddresses = []net.IP{net.IPv4(10, 96, 0, 1)} })
	}, "denied ForbiddenNames"},
	{"a URI more", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.template.URIs = []*url.URL{{Scheme: "spiffe", Host: "cluster", Path: "/admin"}} })
	}, "denied ForbiddenNames"},
	{"an e-mail address more", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.template.EmailAddresses = []string{"root@example.com"} })
	}, "denied ForbiddenNames"},
	{"the extension of a certificate authority", nil, func() *ask {
		return joiner(honest, func(a *ask) {
			a.template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}}}
		})
	}, "denied ForbiddenNames"},
	{"system:masters as well", nil, func() *ask { return joiner(honest, organizations("system:nodes", "system:masters")) }, "denied ForbiddenSubject"},
	{"system:masters instead", nil, func() *ask { return joiner(honest, organizations("system:masters")) }, "denied ForbiddenSubject"},
	{"no organization", nil, func() *ask { return joiner(honest, organizations()) }, "denied ForbiddenSubject"},
	{"an organizational unit more", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.template.Subject.OrganizationalUnit = []string{"x"} })
	}, "denied ForbiddenSubject"},
	{"two common names", nil, func() *ask {
		return joiner("", rawSubject(value(oidOrganization, nodesGroup), value(oidCommonName, "system:kube-controller-manager"),
			value(oidCommonName, nodeUserPrefix+honest)))
	}, "denied ForbiddenSubject"},
	{"two organizations of one name", nil, func() *ask {
		return joiner("", rawSubject(value(oidOrganization, nodesGroup), value(oidOrganization, nodesGroup), value(oidCommonName, nodeUserPrefix+honest)))
	}, "denied ForbiddenSubject"},
	{"a serial number in place of the organization", nil, func() *ask {
		return joiner(honest, func(a *ask) {
			a.template.Subject = pkix.Name{CommonName: "system:node:" + honest, SerialNumber: "system:nodes"}
		})
	}, "denied ForbiddenSubject"},
	{"another common name", nil, func() *ask { return joiner("x", commonName("system:kube-scheduler")) }, "denied ForbiddenSubject"},
	{"a bare host name", nil, func() *ask { return joiner("x", commonName(honest)) }, "denied ForbiddenSubject"},
	{"no name", nil, func() *ask { return joiner("") }, "denied ForbiddenSubject"},
	{"capital letters", nil, func() *ask { return joiner("Workers-1") }, "denied ForbiddenSubject"},
	{"a pattern for a name", nil, func() *ask { return joiner(".*") }, "denied ForbiddenSubject"},
	{"the usage of a server", nil, func() *ask {
		return joiner(honest, usages(certificates.UsageDigitalSignature, certificates.UsageServerAuth))
	}, "denied WrongUsages"},
	{"a usage more", nil, func() *ask {
		return joiner(honest, usages(certificates.UsageDigitalSignature, certificates.UsageClientAuth, certificates.UsageCertSign))
	}, "denied WrongUsages"},
	{"a usage twice", nil, func() *ask { return joiner(honest, usages(certificates.UsageClientAuth, certificates.UsageClientAuth)) }, "denied WrongUsages"},
	{"ten years", nil, func() *ask {
		return joiner(honest, func(a *ask) { seconds := int32(10 * 365 * 86400); a.spec.ExpirationSeconds = &seconds })
	}, "denied WrongDuration"},
	{"two requests in one", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.pem = func(text []byte) []byte { return append(text, text...) } })
	}, "denied Malformed"},
	{"something before the request", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.pem = func(text []byte) []byte { return append([]byte("x\n"), text...) } })
	}, "denied Malformed"},
	{"headers in the block", nil, func() *ask {
		return joiner(honest, func(a *ask) {
			a.pem = func(text []byte) []byte { return bytes.Replace(text, []byte("-----\n"), []byte("-----\nA: b\n\n"), 1) }
		})
	}, "denied Malformed"},
	{"a certificate in place of a request", nil, func() *ask {
		return joiner(honest, func(a *ask) {
			a.pem = func(text []byte) []byte {
				return bytes.ReplaceAll(text, []byte("CERTIFICATE REQUEST"), []byte("CERTIFICATE"))
			}
		})
	}, "denied Malformed"},
	{"somebody else's signature", nil, func() *ask { return joiner(honest, func(a *ask) { a.pem = forge }) }, "denied Malformed"},
	{"the API server's own signer", nil, func() *ask {
		return joiner(honest, func(a *ask) { a.spec.SignerName = certificates.KubeAPIServerClientSignerName })
	}, "untouched"},
	{"an unknown signer", nil, func() *ask { return joiner(honest, func(a *ask) { a.spec.SignerName = "example.com/any" }) }, "untouched"},
	{"a node's renewal with another node's name", nil, func() *ask {
		return joiner("workers-0", func(a *ask) { a.spec.Username = "system:node:" + honest; a.spec.Groups = []string{"system:nodes"} })
	}, "untouched"},

	// Serving certificates.
	{"a serving certificate with a token", nil, func() *ask {
		return server(honest, func(a *ask) { a.spec.Username = UserPrefix + goodToken }, userGroups(TokenGroup))
	}, "denied WrongSigner"},
	{"a foreign address", nil, func() *ask {
		return server("workers-0", func(a *ask) { a.template.IPAddresses = append(a.template.IPAddresses, net.IPv4(10, 0, 0, 8)) })
	}, "denied ForeignNames"},
	{"a foreign DNS name", nil, func() *ask {
		return server("workers-0", func(a *ask) { a.template.DNSNames = append(a.template.DNSNames, "kubernetes.default.svc") })
	}, "denied ForeignNames"},
	{"a wildcard", nil, func() *ask { return server("workers-0", func(a *ask) { a.template.DNSNames = []string{"*"} }) }, "denied ForeignNames"},
	{"another node's serving certificate", nil, func() *ask {
		return server("workers-0", func(a *ask) { a.template.Subject = subject(honest) })
	}, "denied ForbiddenSubject"},
	{"a serving certificate for an administrator", nil, func() *ask { return server("workers-0", organizations("system:masters")) }, "denied ForbiddenSubject"},
	{"a serving certificate without names", nil, func() *ask {
		return server("workers-0", func(a *ask) { a.template.DNSNames, a.template.IPAddresses = nil, nil })
	}, "denied ForbiddenNames"},
	{"a URI in a serving certificate", nil, func() *ask {
		return server("workers-0", func(a *ask) { a.template.URIs = []*url.URL{{Scheme: "https", Host: "x"}} })
	}, "denied ForbiddenNames"},
	{"a name of an unknown kind in a serving certificate", nil, func() *ask {
		return server("workers-0", func(a *ask) {
			a.template.DNSNames, a.template.IPAddresses = nil, nil
			// A DNS name workers-0 and a registered id, which Go's parser passes over.
			value := append([]byte{0x30, 15, 0x82, 9}, "workers-0"...)
			a.template.ExtraExtensions = []pkix.Extension{{Id: oidAltNames, Value: append(value, 0x88, 2, 0x2a, 3)}}
		})
	}, "denied ForbiddenNames"},
	{"a client's usage in a serving certificate", nil, func() *ask {
		return server("workers-0", usages(certificates.UsageDigitalSignature, certificates.UsageServerAuth, certificates.UsageClientAuth))
	}, "denied WrongUsages"},
	{"a node that says it is another server", func(r *rig) {
		r.machine("workers-3", "00000000-0000-4000-8000-000000000003")
		r.node("workers-3", "00000000-0000-4000-8000-000000000000", true)
	}, func() *ask { return server("workers-3") }, "pending OtherServer"},
	{"a foreign node", func(r *rig) { r.node("control-0", "00000000-0000-4000-8000-0000000000c0", true) },
		func() *ask { return server("control-0") }, "untouched"},
	{"a node of no cloud", func(r *rig) { r.node("metal", "", true) }, func() *ask { return server("metal") }, "untouched"},
	{"a node that is not there", nil, func() *ask { return server("nowhere") }, "untouched"},
	{"a serving certificate of a stopped server", func(r *rig) {
		r.change("workers-0", func(m *nodegroups.Machine) { m.Status, m.Active = "SHUTOFF", false })
	}, func() *ask { return server("workers-0") }, "pending ServerState"},
	{"a serving certificate of a server that goes", func(r *rig) {
		r.change("workers-0", func(m *nodegroups.Machine) { m.Leaving = true })
	}, func() *ask { return server("workers-0") }, "denied ServerLeaving"},
	{"a serving certificate of what is no member any more", func(r *rig) { r.change("workers-0", nobodys) },
		func() *ask { return server("workers-0") }, "pending NotYetAMember"},
}

func nobodys(m *nodegroups.Machine) { m.Group, m.Stack, m.Index = "", "", "" }

func old(m *nodegroups.Machine) {
	m.Created, m.Launched = m.Created.Add(-time.Hour), m.Launched.Add(-time.Hour)
}

func state(word string) func(*rig) {
	return func(r *rig) {
		r.change(honest, func(m *nodegroups.Machine) { m.Status, m.Active, m.Building = word, false, false })
	}
}

func userGroups(names ...string) func(*ask) { return func(a *ask) { a.spec.Groups = names } }

func usages(all ...certificates.KeyUsage) func(*ask) { return func(a *ask) { a.spec.Usages = all } }

func organizations(names ...string) func(*ask) {
	return func(a *ask) { a.template.Subject.Organization = names }
}

func commonName(name string) func(*ask) {
	return func(a *ask) { a.template.Subject.CommonName = name }
}

func value(of asn1.ObjectIdentifier, text string) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: of, Value: text}
}

// rawSubject writes a subject as Go's own tools would not.
func rawSubject(values ...pkix.AttributeTypeAndValue) func(*ask) {
	return func(a *ask) {
		var all pkix.RDNSequence
		for _, v := range values {
			all = append(all, pkix.RelativeDistinguishedNameSET{v})
		}
		raw, err := asn1.Marshal(all)
		if err != nil {
			panic(err)
		}
		a.template.RawSubject = raw
	}
}

// forge changes a letter of the name in a request, without its key.
func forge(text []byte) []byte {
	block, _ := decodeBlock(text)
	return encodeBlock(bytes.Replace(block, []byte("workers-1"), []byte("workers-2"), 1))
}

func TestAttacksAreNotApproved(t *testing.T) {
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			r := newRig(t)
			if attack.prepare != nil {
				attack.prepare(r)
			}
			require.Equal(t, attack.want, r.submit(attack.ask()))
			// The honest machine's neighbours are none the worse for it: nothing was written down for an attacker.
			require.Empty(t, r.joins())
		})
	}
}

func TestHonestMachinesAreLetIn(t *testing.T) {
	for name, change := range map[string]func(*rig){
		"active": func(*rig) {},
		"still being built": func(r *rig) {
			r.change(honest, func(m *nodegroups.Machine) { m.Status, m.Active, m.Building = "BUILD", false, true })
		},
		"of unknown start": func(r *rig) { r.change(honest, func(m *nodegroups.Machine) { m.Launched = time.Time{} }) },
		"after almost all its time": func(r *rig) {
			r.change(honest, func(m *nodegroups.Machine) { m.Launched = r.clock.Now().Add(-15 * time.Minute) })
		},
		"with a clock that is wrong": func(r *rig) {
			r.change(honest, func(m *nodegroups.Machine) { m.Created = r.clock.Now().Add(40 * time.Second) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			change(r)
			require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
			require.Len(t, r.joins(), 1)
			require.Equal(t, 1, r.cloud.calls())
		})
	}
	t.Run("with an RSA key", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, "approved NewMember", r.submit(joiner(honest,
			usages(certificates.UsageClientAuth, certificates.UsageKeyEncipherment, certificates.UsageDigitalSignature))))
	})
	t.Run("for a year", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, "approved NewMember", r.submit(joiner(honest, func(a *ask) { s := int32(365 * 86400); a.spec.ExpirationSeconds = &s })))
	})
	t.Run("its own serving certificate", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, "approved ServingMember", r.submit(server("workers-0", func(a *ask) {
			a.template.IPAddresses = append(a.template.IPAddresses, net.ParseIP("fd00::7"), net.ParseIP("198.51.100.7"))
		})))
		require.Empty(t, r.joins(), "that is no joining")
	})
}

func TestGroupsOwnProvisionTime(t *testing.T) {
	r := newRig(t)
	hour := time.Hour
	r.snapshot.Group("workers").Config.Options.MaxNodeProvisionTime = &hour
	r.change(honest, func(m *nodegroups.Machine) { m.Launched = r.clock.Now().Add(-50 * time.Minute) })
	require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
}

func TestKindsCanBeSwitchedOff(t *testing.T) {
	r := newRig(t)
	r.approver.opts.Joining, r.approver.opts.Serving = false, true
	require.Equal(t, "untouched", r.submit(joiner(honest)))
	require.Equal(t, "approved ServingMember", r.submit(server("workers-0")))
	r.approver.opts.Joining, r.approver.opts.Serving = true, false
	require.Equal(t, "untouched", r.submit(server("workers-0")))
	require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
}

// joins is what is written down of who was let in.
func (r *rig) joins() map[string]string {
	object, err := r.client.Tracker().Get(v1.SchemeGroupVersion.WithResource("configmaps"), "kube-system", JoinsConfigMap)
	if err != nil {
		return nil
	}
	return object.(*v1.ConfigMap).Data
}

// BenchmarkDecision prints what an approval costs, beside its time: calls to OpenStack's finder and requests to Kubernetes.
func BenchmarkDecision(b *testing.B) {
	r := newRig(&testing.T{})
	made := 0
	for b.Loop() {
		name := fmt.Sprint("new-", made)
		r.machine(name, fmt.Sprintf("10000000-0000-4000-8000-%012d", made))
		r.submit(joiner(name))
		made++
	}
	kubernetes := 0
	for _, a := range r.client.Actions() {
		// Without the test's own: making the request and reading it twice.
		if a.GetResource().Resource != "certificatesigningrequests" || a.GetSubresource() == "approval" {
			kubernetes++
		}
	}
	b.ReportMetric(float64(r.cloud.calls())/float64(made), "machine-lookups/op")
	b.ReportMetric(float64(r.tokens.asked)/float64(made), "token-lookups/op")
	b.ReportMetric(float64(kubernetes)/float64(made), "kubernetes-requests/op")
}
