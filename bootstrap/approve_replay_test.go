package bootstrap

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func key(name string) func(*ask) { return func(a *ask) { a.key = keyNamed(name) } }

func TestASecondKeyIsNotApproved(t *testing.T) {
	r := newRig(t)
	require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
	require.Equal(t, "pending SecondKey", r.submit(joiner(honest, key("second"))))
	require.Len(t, r.problems, 1, "two machines may claim to be one: that is an alarm")
	require.Equal(t, nodegroups.ReasonSecondKey, r.problems[0].Reason)
	require.Equal(t, honest, r.problems[0].Node)
	require.Equal(t, "approved NewMember", r.submit(joiner(honest)), "the same key after the kubelet was started anew")
}

func TestASecondKeyIsNotApprovedAfterARestart(t *testing.T) {
	for name, forget := range map[string]func(*rig){
		"the requests are still there": func(r *rig) {
			require.NoError(r, r.client.Tracker().Delete(v1.SchemeGroupVersion.WithResource("configmaps"), "kube-system", JoinsConfigMap))
		},
		"the requests were cleaned up": func(r *rig) {
			require.NoError(r, r.client.Tracker().Delete(certificates.SchemeGroupVersion.WithResource("certificatesigningrequests"), "", "csr-1"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
			forget(r)
			r.approver = r.another()
			list, err := r.client.CertificatesV1().CertificateSigningRequests().List(t.Context(), metav1.ListOptions{})
			require.NoError(t, err)
			for i := range list.Items {
				require.NoError(t, r.approver.requests.Add(&list.Items[i]))
			}
			require.Equal(t, "pending SecondKey", r.submit(joiner(honest, key("second"))))
			require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
		})
	}
}

func TestASecondKeyBesideOneThatOthersApproved(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Duration // before now
		want string
	}{
		"since the server was made":  {5 * time.Second, "pending SecondKey"},
		"before the server was made": {10 * time.Minute, "approved NewMember"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			csr := r.object(joiner(honest, key("second")))
			csr.Status.Conditions = []certificates.CertificateSigningRequestCondition{{
				Type: certificates.CertificateApproved, Status: v1.ConditionTrue, Reason: "AutoApproved", LastUpdateTime: metav1.NewTime(r.clock.Now().Add(-c.at)),
			}}
			require.NoError(t, r.approver.requests.Add(csr))
			require.Equal(t, c.want, r.submit(joiner(honest)))
		})
	}
}

func TestTheNextMachineOfAName(t *testing.T) {
	r := newRig(t)
	require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
	// The first one dies at once and another takes its place and its name.
	r.change(honest, func(m *nodegroups.Machine) { m.ServerID = "00000000-0000-4000-8000-00000000000a" })
	r.clock.Step(recallFor)
	require.Equal(t, "approved NewMember", r.submit(joiner(honest, key("second"))))
	require.Equal(t, "pending SecondKey", r.submit(joiner(honest)), "the first one's key is not the second one's")
}

func TestTwoLeaders(t *testing.T) {
	r := newRig(t)
	first, second := r.another(), r.another()
	// The second one has read the ledger before the first one writes into it.
	require.NoError(t, second.ledger.claim(t.Context(), "another", "s", "k"))
	make1, make2 := r.object(joiner(honest)), r.object(joiner(honest, key("second")))
	for _, csr := range []*certificates.CertificateSigningRequest{make1, make2} {
		_, err := r.client.CertificatesV1().CertificateSigningRequests().Create(t.Context(), csr, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	// Both decide before either writes.
	parsed1, parsed2 := parseRequest(make1), parseRequest(make2)
	v1, v2 := first.decide(t.Context(), parsed1), second.decide(t.Context(), parsed2)
	require.Equal(t, Approved, v1.decision)
	require.Equal(t, Approved, v2.decision)
	w1, _ := first.approve(t.Context(), parsed1, v1)
	w2, _ := second.approve(t.Context(), parsed2, v2)
	require.Equal(t, Approved, w1.decision)
	require.Equal(t, Pending, w2.decision)
	require.Equal(t, ReasonSecondKey, w2.reason)
}

func TestDyingBetweenTheLedgerAndTheApproval(t *testing.T) {
	r := newRig(t)
	fail := true
	r.client.PrependReactor("update", "certificatesigningrequests", func(clienttesting.Action) (bool, runtime.Object, error) {
		return fail, nil, errors.New("connection refused")
	})
	require.Equal(t, "pending APIError", r.submit(joiner(honest)))
	require.Len(t, r.joins(), 1)
	fail = false
	r.approver = r.another()
	require.Equal(t, "pending SecondKey", r.submit(joiner(honest, key("second"))))
	require.Equal(t, "approved NewMember", r.look(r.approver, "csr-1"), "the key that was written down is let in")
}

func TestFailuresLeaveARequestPendingUntilTheyAreMended(t *testing.T) {
	for name, c := range map[string]struct {
		fail, mend func(*rig)
		want       string
	}{
		"the cloud": {
			func(r *rig) { r.cloud.err = errors.New("HTTP 503") }, func(r *rig) { r.cloud.err = nil }, "pending CloudError",
		},
		"the tokens": {
			func(r *rig) { r.tokens.err = errors.New("etcd is away") }, func(r *rig) { r.tokens.err = nil }, "pending APIError",
		},
		"the server is not listed yet": {
			func(r *rig) { r.cloud.machines["kept"] = r.cloud.machines[honest]; delete(r.cloud.machines, honest) },
			func(r *rig) { r.cloud.machines[honest] = r.cloud.machines["kept"] }, "pending NoSuchServer",
		},
		"the member is not listed yet": {
			func(r *rig) { r.change(honest, nobodys) }, func(r *rig) { r.change(honest, func(m *nodegroups.Machine) { m.Group = "workers" }) },
			"pending NotYetAMember",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			c.fail(r)
			require.Equal(t, c.want, r.submit(joiner(honest)))
			require.Equal(t, "untouched", r.look(r.approver, "csr-1"), "told once")
			c.mend(r)
			r.clock.Step(recallFor)
			require.Equal(t, "approved NewMember", r.look(r.approver, "csr-1"))
		})
	}
}

func TestWaitingEnds(t *testing.T) {
	r := newRig(t)
	r.cloud.err = errors.New("HTTP 503")
	csr := r.object(joiner(honest))
	require.NoError(t, r.approver.requests.Add(csr))
	require.Equal(t, backOff, r.approver.handle(quiet, parseRequest(csr)))
	r.clock.Step(26 * time.Minute)
	require.Equal(t, never, r.approver.handle(quiet, parseRequest(csr)), "its token is dead")
}

func TestAnApprovalRestsOnNothingRemembered(t *testing.T) {
	r := newRig(t)
	// A request is refused by what was looked up a second ago, without another call...
	r.change(honest, func(m *nodegroups.Machine) { m.Group = "gpu" })
	require.Equal(t, "denied WrongNodeGroup", r.submit(joiner(honest, key("second"))))
	r.change(honest, func(m *nodegroups.Machine) { m.Group = "workers" })
	require.Equal(t, "denied WrongNodeGroup", r.submit(joiner(honest, key("second"))))
	require.Equal(t, 1, r.cloud.calls())
	// ...but never approved: the token that is remembered was revoked meanwhile.
	r.clock.Step(recallFor)
	_, err := r.approver.newInquiry().machines(t.Context(), honest)
	require.NoError(t, err)
	_, err = r.approver.newInquiry().group(t.Context(), goodToken)
	require.NoError(t, err)
	delete(r.tokens.groups, goodToken)
	require.Equal(t, "denied UnknownToken", r.submit(joiner(honest)))
}

func TestARequestThatChangesMeanwhile(t *testing.T) {
	group := schema.GroupResource{Group: certificates.GroupName, Resource: "certificatesigningrequests"}
	for name, c := range map[string]struct {
		err    error
		retry  time.Duration
		reason string
	}{
		"decided by somebody else": {apierrors.NewConflict(group, "csr-1", nil), inHandRetry, ReasonBusy},
		"deleted":                  {apierrors.NewNotFound(group, "csr-1"), never, ""},
		"forbidden":                {apierrors.NewForbidden(group, "csr-1", errors.New("no rule")), backOff, ReasonAPI},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.client.PrependReactor("update", "certificatesigningrequests", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, c.err })
			csr := r.object(joiner(honest))
			require.Equal(t, c.retry, r.approver.handle(quiet, parseRequest(csr)))
			if c.reason == "" {
				require.Empty(t, r.counts.decisions)
				return
			}
			require.Equal(t, []string{"pending " + c.reason}, r.counts.decisions)
			if c.reason == ReasonAPI {
				require.Len(t, r.problems, 1)
				require.Equal(t, nodegroups.ReasonNoPermission, r.problems[0].Reason)
			}
		})
	}
}

func TestOneNodeAtATime(t *testing.T) {
	r := newRig(t)
	csr := r.object(joiner(honest, key("second")))
	r.cloud.during = func(string) {
		require.Equal(t, inHandRetry, r.approver.handle(quiet, parseRequest(csr)))
	}
	require.Equal(t, "approved NewMember", r.submit(joiner(honest)))
}

func TestRefusalsAreBounded(t *testing.T) {
	r := newRig(t)
	denials := 0
	for i := range 200 {
		csr := r.object(joiner(fmt.Sprint("x", i), organizations("system:masters")))
		_, err := r.client.CertificatesV1().CertificateSigningRequests().Create(t.Context(), csr, metav1.CreateOptions{})
		require.NoError(t, err)
		switch retry := r.approver.handle(quiet, parseRequest(csr)); retry {
		case never:
			denials++
		default:
			require.Equal(t, denialRetry, retry)
		}
	}
	require.Equal(t, denialsBurst, denials)
	require.Zero(t, r.cloud.calls())
	require.Zero(t, r.tokens.asked)
	require.LessOrEqual(t, len(r.recorder.Events), 2, "one Event for the token and the reason, whatever the number")
}
