package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// When a request is looked at again: never, after a growing time, or after the time given.
const (
	never   time.Duration = -1
	backOff time.Duration = 0
)

// handle decides a request, writes the decision and says when to look again.
func (a *Approver) handle(ctx context.Context, r *request) time.Duration {
	if !a.take(r.node) {
		return inHandRetry
	}
	defer a.release(r.node)
	v := a.decide(ctx, r)
	var retry time.Duration
	switch v.decision {
	case Approved:
		v, retry = a.approve(ctx, r, v)
	case Denied:
		v, retry = a.deny(ctx, r, v)
	default:
		retry = backOff
		if !v.again {
			retry = never
		}
	}
	if retry != never && v.decision == Pending && a.age(r) > a.provisionTime(v.group)+lookback {
		retry = never // whatever it waited for, its machine is given up by now, and its token is dead
	}
	a.tell(ctx, r, v)
	return retry
}

// decide decides without writing anything. A refusal may rest on look-ups that are seconds old, an approval on none.
func (a *Approver) decide(ctx context.Context, r *request) *verdict {
	q := a.newInquiry()
	v := q.decideAs(ctx, r)
	if v.decision == Approved && q.remembered {
		q.fresh = true
		v = q.decideAs(ctx, r)
	}
	return v
}

func (q *inquiry) decideAs(ctx context.Context, r *request) *verdict {
	if r.kind == serving {
		return q.decideServing(ctx, r)
	}
	return q.decideJoining(ctx, r)
}

// take takes a node in hand: two requests in its name are never decided at the same time.
func (a *Approver) take(node string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inHand[node] {
		return false
	}
	a.inHand[node] = true
	return true
}

func (a *Approver) release(node string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.inHand, node)
}

// approve approves a request. A joining machine's key is written down before: should we die in between, the same key is
// approved by whoever leads next, and no other.
func (a *Approver) approve(ctx context.Context, r *request, v *verdict) (*verdict, time.Duration) {
	if r.kind == joining {
		switch err := a.ledger.claim(ctx, r.node, v.server, r.key); {
		case errors.Is(err, errSecondKey):
			group := v.group
			v = secondKey(v.server, "ConfigMap "+JoinsConfigMap)
			v.group = group
			return v, never
		case err != nil:
			return a.unwritten(v, err)
		}
	}
	return a.write(ctx, r, v, certificates.CertificateApproved)
}

// deny denies a request, unless too many were denied lately.
func (a *Approver) deny(ctx context.Context, r *request, v *verdict) (*verdict, time.Duration) {
	if !a.denials.AllowN(a.clock.Now(), 1) {
		v := *v
		v.decision = Pending
		return &v, denialRetry
	}
	return a.write(ctx, r, v, certificates.CertificateDenied)
}

// write writes a decision. The object's version goes with it, so that nobody else's decision is overwritten.
func (a *Approver) write(ctx context.Context, r *request, v *verdict, as certificates.RequestConditionType) (*verdict, time.Duration) {
	now := metav1.NewTime(a.clock.Now())
	csr := r.object.DeepCopy()
	csr.Status.Conditions = append(csr.Status.Conditions, certificates.CertificateSigningRequestCondition{
		Type: as, Status: v1.ConditionTrue, Reason: v.reason, Message: v.text(), LastUpdateTime: now, LastTransitionTime: now,
	})
	_, err := a.client.CertificatesV1().CertificateSigningRequests().UpdateApproval(ctx, csr.Name, csr, metav1.UpdateOptions{})
	switch {
	case apierrors.IsNotFound(err):
		gone := *notOurs
		return &gone, never
	case apierrors.IsConflict(err):
		busy := waiting(ReasonBusy, "the request has changed meanwhile", "it is looked at again")
		busy.group = v.group
		return busy, inHandRetry
	case err != nil:
		return a.unwritten(v, err)
	}
	return v, never
}

// unwritten is the outcome of a decision that could not be written.
func (a *Approver) unwritten(v *verdict, err error) (*verdict, time.Duration) {
	f := failed(ReasonAPI, fmt.Sprintf("it was to be %s and that could not be written", v.decision), err)
	f.group = v.group
	if apierrors.IsForbidden(err) {
		a.reportForbidden(err)
	}
	return f, backOff
}

func (a *Approver) reportForbidden(err error) {
	a.opts.Reporter.Report(nodegroups.Problem{
		Reason: nodegroups.ReasonNoPermission, Severity: nodegroups.Warning, Key: "certificatesigningrequests",
		Message: "nodes' certificates can't be approved: " + err.Error(),
		Remedy:  "apply deploy/kubernetes/cluster-autoscaler-openstack.yaml anew, or switch it off by --approve-node-certificates=false",
	})
}

// tell shows a decision: counted once for each request and reason, as an Event and in the log.
func (a *Approver) tell(ctx context.Context, r *request, v *verdict) {
	if v.decision == ignored {
		return
	}
	spec := &r.object.Spec
	now := a.clock.Now()
	a.mu.Lock()
	h := a.history(r.object)
	news := h.reason != string(v.decision)+v.reason
	h.reason = string(v.decision) + v.reason
	waited := now.Sub(r.object.CreationTimestamp.Time)
	if h.fresh {
		waited = now.Sub(h.seen)
	}
	a.mu.Unlock()
	logger := klog.FromContext(ctx).WithValues("decision", string(v.decision), "reason", v.reason, "nodeGroup", v.group, "asker", spec.Username)
	if !news {
		logger.V(4).Info("Still so: " + v.message)
		return
	}
	if v.decision == Approved {
		logger.Info("Approved: "+v.message, "after", waited)
	} else {
		logger.Info("Not approved: "+v.message, "remedy", v.remedy)
	}
	if o := a.opts.Observer; o != nil {
		o.CSRDecided(spec.SignerName, string(v.decision), v.reason)
		if v.decision == Approved {
			o.CSRApproved(spec.SignerName, waited)
		}
	}
	if v.reason == ReasonSecondKey {
		a.opts.Reporter.Report(nodegroups.Problem{
			Reason: nodegroups.ReasonSecondKey, Severity: nodegroups.Warning, Group: v.group, Node: r.node, Message: v.message, Remedy: v.remedy,
		})
	}
	a.teller.tell(r, v)
}

// history is what is remembered of a request. It needs the lock.
func (a *Approver) history(csr *certificates.CertificateSigningRequest) *history {
	h := a.histories[string(csr.UID)]
	if h == nil {
		now := a.clock.Now()
		// Timestamps are cut to seconds. What is older than that was made before we looked.
		h = &history{seen: now, fresh: now.Sub(csr.CreationTimestamp.Time) < 2*time.Second}
		a.histories[string(csr.UID)] = h
	}
	return h
}
