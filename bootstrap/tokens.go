package bootstrap

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// DefaultSharing is how long a token serves further scale-ups. Long enough for the waves of one burst of pods, short
	// against the provision time, which a token has to live anyway.
	DefaultSharing = 5 * time.Minute
	// DefaultProvisionTime is cluster-autoscaler's default of --max-node-provision-time.
	DefaultProvisionTime = 15 * time.Minute
	// DefaultSettle is the time that one change of a stack may take, from the token's being handed out to Heat's having it.
	DefaultSettle = 3 * time.Minute
	// callTimeout bounds what a scale-up waits for the API server.
	callTimeout = 15 * time.Second
)

// TokensOptions are the settings of Tokens; the zero value takes the defaults.
type TokensOptions struct {
	// Sharing is how long further scale-ups of a node group get a token that exists, counted from its making; it lives that
	// much longer. Default DefaultSharing; negative: every scale-up gets a token of its own.
	Sharing time.Duration
	// ProvisionTime is how long a member may take to become a node, for node groups without their own maximum. Default
	// DefaultProvisionTime.
	ProvisionTime time.Duration
	// Settle is how long after it was handed out a token may not have reached Heat yet. Before it is over, members that nobody
	// sees yet may be about to use the token, and it is not revoked. Default DefaultSettle.
	Settle time.Duration
	// Instance tells this autoscaler's tokens from those of others in the same cluster, which it leaves alone. It must be a
	// label's value, and the same after a restart. Default "", which is enough for the only one.
	Instance string
	// Clock tells the time. Default: the real one.
	Clock clock.WithTicker
	// Reporter is told what went wrong. Default: nobody.
	Reporter nodegroups.Reporter
	// Observer counts. Default: nobody.
	Observer TokenObserver
}

// TokenObserver counts tokens. Implementations are safe for concurrent use and return at once.
type TokenObserver interface {
	// TokenMinted: a token was made for the node group.
	TokenMinted(group string)
	// TokenRevoked: a token of the node group was deleted, for one of the Revoked reasons.
	TokenRevoked(group string, reason RevokedReason)
	// TokensLive: these tokens the cluster accepts now, by node group. The map belongs to the observer.
	TokensLive(byGroup map[string]Live)
}

// Live is the tokens of one node group that the cluster accepts.
type Live struct {
	Count int
	// Expires is when the last of them does, in the API server's time.
	Expires time.Time
}

// Tokens mints bootstrap tokens for scale-ups, lets several of them share one, and revokes them. What is true is in the
// cluster, in Secrets that carry our label: Tokens remembers nothing that another leader, or this one after a restart, would
// have to know. It is safe for concurrent use.
//
// The API server decides when a token is over, so all times are those of its clock.
type Tokens struct {
	client kubernetes.Interface
	opts   TokensOptions
	time   *serverTime

	mu sync.Mutex
	// turns has one entry for each node group that ever asked: whoever holds its value may look for a token and mint.
	turns map[string]chan struct{}
	// nextLook is when tokens are looked for although none is known to exist.
	nextLook time.Time
}

// NewTokens returns Tokens of the cluster that client talks to.
func NewTokens(client kubernetes.Interface, opts TokensOptions) *Tokens {
	switch {
	case opts.Sharing == 0:
		opts.Sharing = DefaultSharing
	case opts.Sharing < 0:
		opts.Sharing = 0
	}
	if opts.ProvisionTime <= 0 {
		opts.ProvisionTime = DefaultProvisionTime
	}
	if opts.Settle <= 0 {
		opts.Settle = DefaultSettle
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Reporter == nil {
		opts.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if opts.Observer == nil {
		opts.Observer = noObserver{}
	}
	return &Tokens{
		client: client, opts: opts, time: &serverTime{client: client, clock: opts.Clock}, turns: map[string]chan struct{}{},
	}
}

// Token returns a bootstrap token, "id.secret", that new machines of the node group may use. It is valid for at least
// validFor from now, and for at most the sharing time more. Its Secret exists when Token returns. Callers that ask at the
// same time get the same token. The error is a nodegroups.Problem and holds no secret.
func (t *Tokens) Token(ctx context.Context, group string, validFor time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	found, err := t.find(ctx, group, validFor)
	if err != nil {
		return "", noToken(group, err)
	}
	return found.text(), nil
}

// find returns a token that may be shared, or a new one.
func (t *Tokens) find(ctx context.Context, group string, validFor time.Duration) (*token, error) {
	done, err := t.takeTurn(ctx, group)
	if err != nil {
		return nil, err
	}
	defer done()
	known, err := t.list(ctx)
	if err != nil {
		return nil, err
	}
	now, err := t.time.ask(ctx)
	if err != nil {
		return nil, err
	}
	var best *token
	for _, k := range known {
		if k.group == group && t.isShareable(k, now, validFor) && (best == nil || k.expires.After(best.expires)) {
			best = k
		}
	}
	if best != nil {
		klog.FromContext(ctx).V(2).Info("Sharing a bootstrap token", "nodeGroup", group, "id", best.id, "expires", best.expires)
		return best, nil
	}
	return t.mint(ctx, group, now.Add(validFor+t.opts.Sharing))
}

// isShareable tells whether a token lives long enough, and no longer than one that would be minted now: a longer life
// belongs to other settings than those in force.
func (t *Tokens) isShareable(k *token, now time.Time, validFor time.Duration) bool {
	left := k.expires.Sub(now)
	return t.opts.Sharing > 0 && left >= validFor && left <= validFor+t.opts.Sharing+time.Second
}

// takeTurn waits until nobody else looks for a token of the node group. The caller calls done afterwards.
func (t *Tokens) takeTurn(ctx context.Context, group string) (done func(), err error) {
	t.mu.Lock()
	turn := t.turns[group]
	if turn == nil {
		turn = make(chan struct{}, 1)
		t.turns[group] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for another scale-up of the group: %w", ctx.Err())
	}
}

// noToken is the problem of a scale-up without a token.
func noToken(group string, err error) nodegroups.Problem {
	return nodegroups.Problem{
		Reason: nodegroups.ReasonNoBootstrapToken, Severity: nodegroups.Warning, Group: group,
		Message: "no bootstrap token could be made for new members: " + err.Error(),
		Remedy: fmt.Sprintf("see that the API server answers and that the autoscaler's service account may get, list, create and delete Secrets in %s; "+
			"or let the group join by its own means: %s=%s", TokenNamespace, nodegroups.KeyTokenSource, nodegroups.TokenOwn),
	}
}

type noObserver struct{}

func (noObserver) TokenMinted(string)                 {}
func (noObserver) TokenRevoked(string, RevokedReason) {}
func (noObserver) TokensLive(map[string]Live)         {}
