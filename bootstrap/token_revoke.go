package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// RevokeInterval is the time between two looks at the tokens while there are any. Each is one request.
	RevokeInterval = 10 * time.Second
	// idleLook is the same while none is known to exist: another leader may have left one behind.
	idleLook = 5 * time.Minute
)

// RevokedReason says why a token was deleted.
type RevokedReason string

// The reasons.
const (
	// RevokedExpired: its time was over.
	RevokedExpired RevokedReason = "expired"
	// RevokedJoined: every member that could have used it has become a node, or will not any more.
	RevokedJoined RevokedReason = "joined"
	// RevokedGone: its node group does not exist any more.
	RevokedGone RevokedReason = "gone"
)

// NodeLister lists the cluster's Nodes, from memory. client-go's lister is one.
type NodeLister interface {
	List(selector labels.Selector) ([]*v1.Node, error)
}

// Sight is what is known of the node groups when tokens are judged.
type Sight struct {
	// Snapshot holds the node groups.
	Snapshot *nodegroups.Snapshot
	// Read is when the reading of the cloud began that the snapshot was last made from; zero if there was none yet.
	Read time.Time
}

// Run revokes tokens until ctx ends. sight is asked before each look.
func (t *Tokens) Run(ctx context.Context, sight func() Sight, nodes NodeLister) {
	ticker := t.opts.Clock.NewTicker(RevokeInterval)
	defer ticker.Stop()
	for {
		if t.lookIsDue() {
			if err := t.Revoke(ctx, sight(), nodes); err != nil && ctx.Err() == nil {
				t.opts.Reporter.Report(notRevoked(err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

func notRevoked(err error) nodegroups.Problem {
	return nodegroups.Problem{
		Reason: nodegroups.ReasonTokenNotRevoked, Severity: nodegroups.Warning,
		Message: "bootstrap tokens could not be looked after: " + err.Error(),
		Remedy: fmt.Sprintf("see that the autoscaler's service account may get, list, create and delete Secrets in %s; a token dies by itself at its expiration",
			TokenNamespace),
	}
}

// Revoke deletes the tokens that nobody needs any more: those whose time is over, those of node groups that are gone, and
// those whose machines have all joined. A token that may still be handed out, or that a change of a stack on its way may
// carry, is kept; so is one of a group of which not everything is known. It is bounded by its expiration in any case.
func (t *Tokens) Revoke(ctx context.Context, sight Sight, nodes NodeLister) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tokens, err := t.list(ctx)
	if err != nil {
		return err
	}
	if len(tokens) == 0 {
		t.lookLater()
		t.opts.Observer.TokensLive(map[string]Live{})
		return nil
	}
	now, err := t.time.now(ctx)
	if err != nil {
		return err
	}
	list, err := nodes.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	j := judge{sight: sight, now: now, read: now.Add(sight.Read.Sub(t.opts.Clock.Now())), opts: t.opts, joined: map[string]bool{}}
	for _, n := range list {
		if _, m := sight.Snapshot.ByNode(n); m != nil {
			j.joined[m.ID()] = true
		}
	}
	live := map[string]Live{}
	var errs []error
	for _, k := range tokens {
		if reason := j.verdict(k); reason == "" {
			live[k.group] = live[k.group].with(k)
		} else if err := t.revoke(ctx, k, reason); err != nil {
			errs = append(errs, err)
			if !k.isExpired(now) {
				live[k.group] = live[k.group].with(k)
			}
		}
	}
	t.opts.Observer.TokensLive(live)
	return errors.Join(errs...)
}

// with is l and one more token.
func (l Live) with(k *token) Live {
	l.Count++
	if k.expires.After(l.Expires) {
		l.Expires = k.expires
	}
	return l
}

// revoke deletes a token's Secret, and no other Secret that has got its name since. A bearer that was accepted just before is
// remembered by the API server for up to 10 s more (k8s.io/kubernetes/pkg/kubeapiserver/authenticator, TokenSuccessCacheTTL).
func (t *Tokens) revoke(ctx context.Context, k *token, reason RevokedReason) error {
	err := t.client.CoreV1().Secrets(TokenNamespace).Delete(ctx, secretName(k.id), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &k.uid},
	})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return nil // Kubernetes' own cleaner of tokens was faster
	case err != nil:
		return fmt.Errorf("deleting bootstrap token %s of node group %q: %w", k.id, k.group, err)
	}
	t.opts.Observer.TokenRevoked(k.group, reason)
	klog.FromContext(ctx).Info("Revoked a bootstrap token", "nodeGroup", k.group, "id", k.id, "reason", reason)
	return nil
}

func (t *Tokens) lookIsDue() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	left := t.nextLook.Sub(t.opts.Clock.Now())
	return left <= 0 || left > idleLook // the clock was set back
}

func (t *Tokens) lookSoon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nextLook = time.Time{}
}

func (t *Tokens) lookLater() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nextLook = t.opts.Clock.Now().Add(idleLook)
}
