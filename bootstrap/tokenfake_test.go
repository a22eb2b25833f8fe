package bootstrap

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	groups "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// apiServer is a Kubernetes with a clock of its own, which dates what is created.
type apiServer struct {
	*fake.Clientset
	clock *clocktesting.FakePassiveClock
	made  int
}

func newAPIServer() *apiServer {
	s := &apiServer{Clientset: fake.NewClientset(), clock: clocktesting.NewFakePassiveClock(groups.Epoch)}
	s.PrependReactor("create", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		secret := action.(clienttesting.CreateAction).GetObject().(*v1.Secret)
		s.made++
		secret.UID = types.UID(fmt.Sprint("uid-", s.made))
		secret.CreationTimestamp = metav1.NewTime(s.clock.Now().Truncate(time.Second))
		return false, nil, nil
	})
	s.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authenticationv1.SelfSubjectReview{
			ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(s.clock.Now().Truncate(time.Second))},
		}, nil
	})
	return s
}

// breakable makes every call of that kind fail while the switch is on. It must be called before calls are made.
func (s *apiServer) breakable(verb, resource string, err error) *atomic.Bool {
	isBroken := &atomic.Bool{}
	s.PrependReactor(verb, resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		return isBroken.Load(), nil, err
	})
	return isBroken
}

// fail makes every call of that kind fail until the returned function is called.
func (s *apiServer) fail(verb, resource string, err error) (mend func()) {
	isBroken := s.breakable(verb, resource, err)
	isBroken.Store(true)
	return func() { isBroken.Store(false) }
}

// secrets are all Secrets that there are, by name.
func (s *apiServer) secrets(t require.TestingT) []v1.Secret {
	list, err := s.Tracker().List(v1.SchemeGroupVersion.WithResource("secrets"), v1.SchemeGroupVersion.WithKind("Secret"), TokenNamespace)
	require.NoError(t, err)
	return list.(*v1.SecretList).Items
}

// accepts tells whether the API server takes a token, as its authenticator decides it
// (k8s.io/kubernetes/plugin/pkg/auth/authenticator/token/bootstrap).
func (s *apiServer) accepts(t require.TestingT, token string) bool {
	return slices.ContainsFunc(s.secrets(t), func(secret v1.Secret) bool {
		text := string(secret.Data["token-id"]) + "." + string(secret.Data["token-secret"])
		expires, err := time.Parse(time.RFC3339, string(secret.Data["expiration"]))
		return err == nil && text == token && s.clock.Now().Before(expires)
	})
}

// expires is when a token that exists is over.
func (s *apiServer) expires(t require.TestingT, token string) time.Time {
	for _, secret := range s.secrets(t) {
		if string(secret.Data["token-id"])+"."+string(secret.Data["token-secret"]) == token {
			expires, err := time.Parse(time.RFC3339, string(secret.Data["expiration"]))
			require.NoError(t, err)
			return expires
		}
	}
	return time.Time{}
}

// nodeList is a NodeLister of Nodes by their servers' ids.
type nodeList []string

func (l nodeList) List(labels.Selector) ([]*v1.Node, error) {
	nodes := make([]*v1.Node, 0, len(l))
	for _, id := range l {
		nodes = append(nodes, &v1.Node{Spec: v1.NodeSpec{ProviderID: "openstack:///" + id}})
	}
	return nodes, nil
}

// counts is a TokenObserver.
type counts struct {
	minted  int
	revoked []string
	live    map[string]int
	expires map[string]time.Time
}

func (c *counts) TokenMinted(string) { c.minted++ }

func (c *counts) TokenRevoked(group string, reason RevokedReason) {
	c.revoked = append(c.revoked, group+" "+string(reason))
}

func (c *counts) TokensLive(live map[string]Live) {
	c.live, c.expires = map[string]int{}, map[string]time.Time{}
	for group, l := range live {
		c.live[group], c.expires[group] = l.Count, l.Expires
	}
}

// bench is Tokens with all that they need, and a node group "workers".
type bench struct {
	*Tokens
	t       *testing.T
	api     *apiServer
	clock   *clocktesting.FakeClock
	counts  *counts
	reports *groups.Reports
	stack   *nodegroups.Stack
	nodes   nodeList
	read    time.Time
}

func newTokenBench(t *testing.T, change func(*TokensOptions)) *bench {
	t.Helper()
	b := &bench{t: t, api: newAPIServer(), clock: clocktesting.NewFakeClock(groups.Epoch), counts: &counts{}, reports: &groups.Reports{}}
	opts := TokensOptions{Clock: b.clock, Observer: b.counts, Reporter: b.reports}
	if change != nil {
		change(&opts)
	}
	b.Tokens = NewTokens(b.api, opts)
	b.stack = groups.Stack("workers", 0)
	b.refresh()
	return b
}

// step lets time pass, for the API server too.
func (b *bench) step(d time.Duration) {
	b.clock.Step(d)
	b.api.clock.SetTime(b.api.clock.Now().Add(d))
}

func (b *bench) refresh() { b.read = b.clock.Now() }

func (b *bench) sight(stacks ...*nodegroups.Stack) Sight {
	merged, problems := nodegroups.Merge(stacks, nil)
	return Sight{Snapshot: nodegroups.NewSnapshot(merged, problems), Read: b.read}
}

// member adds a member to the group that has just been made, and returns its server.
func (b *bench) member() string {
	m := groups.Member(b.stack, len(b.stack.Members))
	m.Created = b.api.clock.Now()
	b.stack.Members = append(b.stack.Members, m)
	b.stack.Target++
	return m.ServerID
}

// revoke refreshes and revokes.
func (b *bench) revoke() {
	b.t.Helper()
	b.refresh()
	copied := *b.stack
	copied.Members = slices.Clone(b.stack.Members)
	require.NoError(b.t, b.Revoke(b.t.Context(), b.sight(&copied), b.nodes))
}

func (b *bench) token(group string) string {
	b.t.Helper()
	token, err := b.Token(b.t.Context(), group, DefaultProvisionTime)
	require.NoError(b.t, err)
	return token
}
