package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	authorization "k8s.io/api/authorization/v1"
	certificates "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// running runs an Approver of a rig in a bubble of time until the test calls stop.
func running(t *testing.T, prepare func(*rig)) (r *rig, stop func()) {
	t.Helper()
	r = newRig(t)
	r.clock.SetTime(time.Now())
	if prepare != nil {
		prepare(r)
	}
	snapshot := r.snapshot
	r.approver.closeLanes() // this one is not run
	r.approver = NewApprover(r.client, ApproverOptions{
		Tokens: r.tokens, Machines: r.cloud, Snapshot: func() *nodegroups.Snapshot {
			r.cloud.mu.Lock()
			defer r.cloud.mu.Unlock()
			if r.snapshot != nil {
				return r.snapshot
			}
			return snapshot
		},
		HostName: func(name string) string { return name }, ProvisionTime: 15 * time.Minute, Joining: true, Serving: true,
		Recorder: r.recorder, Observer: r.counts, Clock: clock.RealClock{},
		Reporter: nodegroups.ReporterFunc(func(p nodegroups.Problem) {
			r.cloud.mu.Lock()
			defer r.cloud.mu.Unlock()
			r.problems = append(r.problems, p)
		}),
	})
	ctx, cancel := context.WithCancel(quiet)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.approver.Run(ctx)
	}()
	time.Sleep(time.Second) // the cache has been filled
	synctest.Wait()
	return r, func() {
		cancel()
		<-done
	}
}

// make puts a request into the cluster, made now.
func (r *rig) make(a *ask) string {
	r.Helper()
	r.clock.SetTime(time.Now())
	csr := r.object(a)
	_, err := r.client.CertificatesV1().CertificateSigningRequests().Create(context.Background(), csr, metav1.CreateOptions{})
	require.NoError(r, err)
	return csr.Name
}

func (r *rig) isApproved(name string) bool {
	r.Helper()
	csr, err := r.client.CertificatesV1().CertificateSigningRequests().Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(r, err)
	return condition(csr, certificates.CertificateApproved) != nil
}

// members are count machines that are being made, with names of their own.
func members(count int) func(*rig) {
	return func(r *rig) {
		r.snapshot = withMembers(r, count)
		for i := range count {
			r.machine(fmt.Sprint("new-", i), fmt.Sprintf("10000000-0000-4000-8000-%012d", i))
		}
	}
}

func withMembers(r *rig, count int) *nodegroups.Snapshot {
	stack := *r.snapshot.Groups()[0].Stacks[0]
	stack.Members = nil
	for i := range count {
		stack.Members = append(stack.Members, nodegroups.Member{
			StackID: stack.ID, Index: fmt.Sprint(i), Name: fmt.Sprint("new-", i), ServerID: fmt.Sprintf("10000000-0000-4000-8000-%012d", i),
			State: nodegroups.Creating, Created: r.clock.Now(),
		})
	}
	return snapshotOf(&stack)
}

func TestRunApprovesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := running(t, members(50))
		defer stop()
		var names []string
		for i := range 50 {
			names = append(names, r.make(joiner(fmt.Sprint("new-", i))))
		}
		synctest.Wait()
		for _, name := range names {
			require.True(t, r.isApproved(name), name)
		}
		r.counts.mu.Lock()
		waits := slices.Clone(r.counts.waits)
		r.counts.mu.Unlock()
		require.Len(t, waits, 50)
		for _, w := range waits {
			require.Less(t, w, time.Second)
		}
		require.Equal(t, 50, r.cloud.calls(), "one look-up for each")
		require.Len(t, r.joins(), 50)
	})
}

func TestRunTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := running(t, members(1))
		defer stop()
		r.cloud.mu.Lock()
		r.cloud.err = errors.New("HTTP 503")
		r.cloud.mu.Unlock()
		name := r.make(joiner("new-0"))
		time.Sleep(20 * time.Second)
		require.False(t, r.isApproved(name))
		require.Less(t, r.cloud.calls(), 10, "with growing intervals")
		r.cloud.mu.Lock()
		r.cloud.err = nil
		r.cloud.mu.Unlock()
		time.Sleep(slowestRetry)
		synctest.Wait()
		require.True(t, r.isApproved(name))
		require.Contains(t, r.counts.list(), "pending CloudError")
	})
}

func TestAFloodStarvesNobody(t *testing.T) {
	const strangers, minute = 3000, time.Minute
	synctest.Test(t, func(t *testing.T) {
		r, stop := running(t, members(5))
		defer stop()
		for i := range strangers {
			name := fmt.Sprint("random-", i)
			if i%3 == 0 {
				name = "new-4" // a name that is expected: the first key gets it, and no other
			}
			r.make(joiner(name, key(fmt.Sprint("flood-", i%5))))
			if i%20 == 0 {
				synctest.Wait() // the fake cluster's watches hold a hundred
			}
		}
		// The honest ones come last, while the flood is being looked at.
		var names []string
		for i := range 4 {
			names = append(names, r.make(joiner(fmt.Sprint("new-", i), key("honest"))))
		}
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		for _, name := range names {
			require.True(t, r.isApproved(name), "approved within a second, whatever else is asked")
		}
		time.Sleep(minute)
		synctest.Wait()
		r.cloud.mu.Lock()
		known := 0
		for _, name := range []string{"new-0", "new-1", "new-2", "new-3", "new-4"} {
			known += r.cloud.asked[name]
		}
		r.cloud.mu.Unlock()
		most := strangersBurst + int(minute/time.Second+1)*strangersPerSecond + strangerWorkers
		require.LessOrEqual(t, r.cloud.calls()-known, most, "look-ups for names that nobody has")
		require.LessOrEqual(t, known, 4+int(minute/recallFor)+2, "a thousand requests in one name share their look-ups")
		require.LessOrEqual(t, len(r.recorder.Events), 20)
		approved := 0
		for _, d := range r.counts.list() {
			if d == "approved NewMember" {
				approved++
			}
		}
		require.LessOrEqual(t, approved, 4+approvalsMost+1)
		require.Len(t, r.joins(), 5, "each machine with one key")
	})
}

func TestAMemberThatAppearsLeavesTheStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := running(t, func(r *rig) {
			members(1)(r)
			r.snapshot = withMembers(r, 0)
		})
		defer stop()
		for i := range 500 {
			r.make(joiner(fmt.Sprint("random-", i)))
			if i%20 == 0 {
				synctest.Wait()
			}
		}
		name := r.make(joiner("new-0"))
		time.Sleep(5 * time.Second)
		require.False(t, r.isApproved(name), "behind hundreds of strangers")
		next := withMembers(r, 1)
		r.cloud.mu.Lock()
		r.snapshot = next
		r.cloud.mu.Unlock()
		time.Sleep(sweepInterval + 100*time.Millisecond)
		synctest.Wait()
		require.True(t, r.isApproved(name))
	})
}

func TestBlanketApprovalIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		allowed bool
		err     error
		want    []string
	}{
		"the cluster approves blindly": {true, nil, []string{nodegroups.ReasonBlanketApproval}},
		"it does not":                  {false, nil, nil},
		"nobody may ask":               {false, apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no rule")), []string{nodegroups.ReasonNoPermission}},
		"no answer":                    {false, errors.New("connection refused"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var asked authorization.SubjectAccessReviewSpec
			r.client.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
				review := action.(clienttesting.CreateAction).GetObject().(*authorization.SubjectAccessReview)
				asked = review.Spec
				review.Status = authorization.SubjectAccessReviewStatus{Allowed: c.allowed, Reason: `RBAC: allowed by ClusterRoleBinding "blind"`}
				return true, review, c.err
			})
			r.approver.lookAtSetup(quiet)
			var got []string
			for _, p := range r.problems {
				got = append(got, p.Reason)
			}
			require.Equal(t, c.want, got)
			// What kube-controller-manager asks.
			require.Equal(t, []string{"system:bootstrappers", TokenGroup, "system:authenticated"}, asked.Groups)
			require.Equal(t, &authorization.ResourceAttributes{Group: "certificates.k8s.io", Version: "*", Resource: "certificatesigningrequests",
				Subresource: "nodeclient", Verb: "create"}, asked.ResourceAttributes)
			if c.allowed {
				require.Contains(t, r.problems[0].Error(), `ClusterRoleBinding "blind"`)
			}
		})
	}
}

func TestRunWaitsForPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var allowed atomic.Bool
		r, stop := running(t, func(r *rig) {
			members(1)(r)
			r.client.PrependReactor("list", "certificatesigningrequests", func(clienttesting.Action) (bool, runtime.Object, error) {
				return !allowed.Load(), nil, apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no rule"))
			})
		})
		defer stop()
		name := r.make(joiner("new-0"))
		time.Sleep(setupInterval + time.Minute)
		synctest.Wait()
		r.cloud.mu.Lock()
		problems := slices.Clone(r.problems)
		r.cloud.mu.Unlock()
		require.Len(t, problems, 2, "once in five minutes, not with every try of a watch")
		require.Equal(t, nodegroups.ReasonNoPermission, problems[0].Reason)
		allowed.Store(true)
		time.Sleep(setupInterval)
		synctest.Wait()
		require.True(t, r.isApproved(name))
	})
}

func TestRunEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, stop := running(t, func(r *rig) {
			r.client.PrependReactor("list", "certificatesigningrequests", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no rule"))
			})
		})
		stop()
	})
}
