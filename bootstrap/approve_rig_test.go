package bootstrap

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	nodegroupstest "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

const (
	clientSigner  = certificates.KubeAPIServerClientKubeletSignerName
	servingSigner = certificates.KubeletServingSignerName
	goodToken     = "abcdef"
	honest        = "workers-1" // a member of workers that is being made
	honestID      = "00000000-0000-4000-8000-000000000001"
)

// quiet is a context in which nothing is logged.
var quiet = klog.NewContext(context.Background(), klog.Logger{})

// cloudOf is a cloud as an Approver sees it.
type cloudOf struct {
	mu       sync.Mutex
	machines map[string][]nodegroups.Machine // by host name
	err      error
	asked    map[string]int
	during   func(hostName string)
}

func (c *cloudOf) FindMachines(_ context.Context, hostName string) ([]nodegroups.Machine, error) {
	c.mu.Lock()
	c.asked[hostName]++
	during := c.during
	c.mu.Unlock()
	if during != nil {
		during(hostName)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machines[hostName], c.err
}

func (c *cloudOf) calls() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.asked {
		n += k
	}
	return n
}

// tokenList is a TokenBook: node groups by token id.
type tokenList struct {
	mu     sync.Mutex
	groups map[string]string
	err    error
	asked  int
}

func (t *tokenList) NodeGroup(_ context.Context, id string) (string, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	group, ok := t.groups[id]
	return group, ok, t.err
}

// countings notes what an Approver counts.
type countings struct {
	mu        sync.Mutex
	decisions []string
	waits     []time.Duration
}

func (c *countings) CSRDecided(_, decision, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decisions = append(c.decisions, decision+" "+reason)
}

func (c *countings) CSRApproved(_ string, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, after)
}

func (c *countings) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.decisions...)
}

// rig is an Approver in a cluster and a cloud that are good at first: node group workers has the member workers-1, which became
// active ten seconds ago and has no Node, and the joined member workers-0.
type rig struct {
	*testing.T
	client   *fake.Clientset
	cloud    *cloudOf
	tokens   *tokenList
	counts   *countings
	problems []nodegroups.Problem
	recorder *record.FakeRecorder
	clock    *clocktesting.FakeClock
	snapshot *nodegroups.Snapshot
	approver *Approver
	made     int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		T: t, client: fake.NewSimpleClientset(), clock: clocktesting.NewFakeClock(time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)),
		cloud:    &cloudOf{machines: map[string][]nodegroups.Machine{}, asked: map[string]int{}},
		tokens:   &tokenList{groups: map[string]string{goodToken: "workers"}},
		counts:   &countings{},
		recorder: record.NewFakeRecorder(10000),
	}
	checkVersions(r.client)
	now := r.clock.Now()
	r.machine(honest, honestID, func(m *nodegroups.Machine) {
		m.Created, m.Launched = now.Add(-30*time.Second), now.Add(-10*time.Second)
	})
	r.machine("workers-0", "00000000-0000-4000-8000-000000000000", func(m *nodegroups.Machine) {
		m.Created, m.Launched, m.Index = now.Add(-time.Hour), now.Add(-time.Hour), "0"
	})
	r.node("workers-0", "00000000-0000-4000-8000-000000000000", true)
	stack := nodegroupstest.Stack("workers", 2, func(s *nodegroups.Stack) {
		for i := range s.Members {
			s.Members[i].Name = fmt.Sprintf("workers-%d", i)
			s.Members[i].ServerID = fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i)
			s.Members[i].State = nodegroups.Running
			s.Members[i].Created = now.Add(-time.Hour)
		}
		s.Members[1].Created = now.Add(-30 * time.Second)
	})
	r.snapshot = snapshotOf(stack)
	r.approver = r.another()
	return r
}

func snapshotOf(stack *nodegroups.Stack) *nodegroups.Snapshot {
	g := &nodegroups.Group{Name: "workers", Config: stack.Config, Stacks: []*nodegroups.Stack{stack}}
	for i := range stack.Members {
		g.Members = append(g.Members, &stack.Members[i])
	}
	return nodegroups.NewSnapshot([]*nodegroups.Group{g}, nil)
}

// another makes one more Approver of the same cluster, as a second leader would have.
func (r *rig) another() *Approver {
	return NewApprover(r.client, ApproverOptions{
		Tokens: r.tokens, Machines: r.cloud, Snapshot: func() *nodegroups.Snapshot { return r.snapshot },
		HostName: func(name string) string { return name }, ProvisionTime: 15 * time.Minute, Joining: true, Serving: true,
		Recorder: r.recorder, Observer: r.counts, Clock: r.clock,
		Reporter: nodegroups.ReporterFunc(func(p nodegroups.Problem) { r.problems = append(r.problems, p) }),
	})
}

// checkVersions makes the fake API server refuse an update of an old version, as the real one does.
func checkVersions(client *fake.Clientset) {
	var mu sync.Mutex
	version := 100
	client.PrependReactor("*", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		update, ok := action.(clienttesting.CreateAction) // an UpdateAction too
		if !ok {
			return false, nil, nil
		}
		object := update.GetObject().(*v1.ConfigMap)
		if action.GetVerb() == "update" {
			old, err := client.Tracker().Get(action.GetResource(), action.GetNamespace(), object.Name)
			if err != nil {
				return true, nil, err
			}
			if old.(*v1.ConfigMap).ResourceVersion != object.ResourceVersion {
				return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), object.Name, nil)
			}
		}
		version++
		object.ResourceVersion = strconv.Itoa(version)
		return false, nil, nil
	})
}

func (r *rig) machine(hostName, id string, change ...func(*nodegroups.Machine)) {
	m := nodegroups.Machine{
		ServerID: id, Name: hostName, HostName: hostName, Group: "workers", Stack: "workers", Index: "1", Status: "ACTIVE", Active: true,
		Created: r.clock.Now().Add(-30 * time.Second), Launched: r.clock.Now().Add(-10 * time.Second),
		Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fd00::7"), netip.MustParseAddr("198.51.100.7")},
	}
	for _, f := range change {
		f(&m)
	}
	r.cloud.mu.Lock()
	defer r.cloud.mu.Unlock()
	r.cloud.machines[hostName] = append(r.cloud.machines[hostName], m)
}

// change changes the machines of a host name.
func (r *rig) change(hostName string, f func(*nodegroups.Machine)) {
	r.cloud.mu.Lock()
	defer r.cloud.mu.Unlock()
	list := append([]nodegroups.Machine(nil), r.cloud.machines[hostName]...)
	for i := range list {
		f(&list[i])
	}
	r.cloud.machines[hostName] = list
}

func (r *rig) node(name, serverID string, ready bool) {
	status := v1.ConditionFalse
	if ready {
		status = v1.ConditionTrue
	}
	node := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status:     v1.NodeStatus{Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: status}}},
	}
	if serverID != "" {
		node.Spec.ProviderID = "openstack:///" + serverID
	}
	_, err := r.client.CoreV1().Nodes().Create(context.Background(), node, metav1.CreateOptions{})
	require.NoError(r, err)
}

// ask is what is asked for; attacks change it.
type ask struct {
	key      *ecdsa.PrivateKey
	template x509.CertificateRequest
	spec     certificates.CertificateSigningRequestSpec
	// pem changes the request's text at last.
	pem func([]byte) []byte
	age time.Duration
}

var keys sync.Map // a key for each name: making them takes time

func keyNamed(name string) *ecdsa.PrivateKey {
	if k, ok := keys.Load(name); ok {
		return k.(*ecdsa.PrivateKey)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	kept, _ := keys.LoadOrStore(name, k)
	return kept.(*ecdsa.PrivateKey)
}

func subject(node string) pkix.Name {
	return pkix.Name{CommonName: "system:node:" + node, Organization: []string{"system:nodes"}}
}

// joiner asks as a kubelet does that has a bootstrap token.
func joiner(node string, change ...func(*ask)) *ask {
	a := &ask{
		key: keyNamed("first"), template: x509.CertificateRequest{Subject: subject(node)},
		spec: certificates.CertificateSigningRequestSpec{
			SignerName: clientSigner, Username: UserPrefix + goodToken,
			Groups: []string{"system:bootstrappers", TokenGroup, "system:authenticated"},
			Usages: []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth},
		},
	}
	for _, f := range change {
		f(a)
	}
	return a
}

// server asks as a node's kubelet does for its serving certificate.
func server(node string, change ...func(*ask)) *ask {
	return joiner(node, append([]func(*ask){func(a *ask) {
		a.template.DNSNames = []string{node}
		a.template.IPAddresses = append(a.template.IPAddresses, netip.MustParseAddr("10.0.0.7").AsSlice())
		a.spec.SignerName, a.spec.Username = servingSigner, "system:node:"+node
		a.spec.Groups = []string{"system:nodes", "system:authenticated"}
		a.spec.Usages = []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageServerAuth}
	}}, change...)...)
}

func (r *rig) object(a *ask) *certificates.CertificateSigningRequest {
	r.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &a.template, a.key)
	require.NoError(r, err)
	r.made++
	a.spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	if a.pem != nil {
		a.spec.Request = a.pem(a.spec.Request)
	}
	name := fmt.Sprintf("csr-%d", r.made)
	return &certificates.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(r.clock.Now().Add(-a.age).Truncate(time.Second)),
		},
		Spec: a.spec,
	}
}

// submit makes a request and lets the Approver see it.
func (r *rig) submit(a *ask) string {
	r.Helper()
	csr := r.object(a)
	_, err := r.client.CertificatesV1().CertificateSigningRequests().Create(context.Background(), csr, metav1.CreateOptions{})
	require.NoError(r, err)
	return r.look(r.approver, csr.Name)
}

// look lets an Approver look at a request once, and says what came of it: "approved NewMember", or "untouched".
func (r *rig) look(a *Approver, name string) string {
	r.Helper()
	csr, err := r.client.CertificatesV1().CertificateSigningRequests().Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(r, err)
	require.NoError(r, a.requests.Add(csr))
	a.enqueue(csr)
	taken := false
	for _, queue := range a.lanes {
		for queue.Len() > 0 {
			taken = true
			key, _ := queue.Get()
			queue.Done(key)
		}
	}
	before := len(r.counts.decisions)
	if taken {
		a.handle(quiet, parseRequest(csr))
	}
	after, err := r.client.CertificatesV1().CertificateSigningRequests().Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(r, err)
	require.NoError(r, a.requests.Update(after))
	outcome := "untouched"
	if len(r.counts.decisions) > before {
		outcome = r.counts.decisions[len(r.counts.decisions)-1]
	}
	// What is counted is what is written.
	require.Equal(r, outcome[:min(len(outcome), 8)] == "approved", condition(after, certificates.CertificateApproved) != nil, outcome)
	require.Equal(r, outcome[:min(len(outcome), 6)] == "denied", condition(after, certificates.CertificateDenied) != nil, outcome)
	return outcome
}
