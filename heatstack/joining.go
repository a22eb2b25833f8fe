package heatstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Parameters that say where the cluster is. A stack may be made before there is a cluster: they are filled with the first
// growth that finds them empty. What they hold is public.
const (
	clusterCAParameter = "cluster_ca"
	apiServerParameter = "api_server"
)

// Joining is what new members get in order to join the cluster, in stacks that have it minted
// (nodegroups.TokenMinted). Implementations are safe for concurrent use.
type Joining interface {
	// Token returns a bootstrap token for new machines of the node group. It must be valid for as long as they may take to
	// become nodes, and exist when Token returns. An error, best a nodegroups.Problem, means that the stack must not grow.
	Token(ctx context.Context, group string) (string, error)
	// APIServer returns the https URL at which machines reach the API server.
	APIServer(ctx context.Context) (string, error)
	// ClusterCA returns the cluster's certificate authority as the certificate-authority-data of a kubeconfig: PEM, in base64.
	ClusterCA(ctx context.Context) (string, error)
}

// secret is a text that shows up in a request and nowhere else. It is behind a pointer because fmt does not ask the methods
// of a field that is not exported.
type secret struct{ text *string }

// Format implements fmt.Formatter, so that no way of printing shows it.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("******")) }

// MarshalText implements encoding.TextMarshaler, for loggers that write JSON.
func (secret) MarshalText() ([]byte, error) { return []byte("******"), nil }

// joinParameters are the stack parameters that new members join with; nil for none.
type joinParameters struct {
	tokenParameter string
	token          secret
	public         map[string]string
}

// addTo puts them into the parameters of an update. The context makes the transport keep the token out of errors.
func (j *joinParameters) addTo(ctx context.Context, parameters map[string]any) context.Context {
	if j == nil {
		return ctx
	}
	parameters[j.tokenParameter] = *j.token.text
	for name, value := range j.public {
		parameters[name] = value
	}
	return openstack.WithSecret(ctx, *j.token.text)
}

// join returns what an update that may make servers has to bring them; nil if it makes none, or if the members join by their
// own means. The token is minted here, as late as possible.
func (w *writer) join(ctx context.Context, l *look, p plan) (*joinParameters, error) {
	config := &l.ref.Config
	if config.TokenSource != nodegroups.TokenMinted || !p.Makes {
		return nil, nil
	}
	// The facts that the plan was made from may be of an older template, if somebody has just updated the stack. A token for
	// a template that does not ignore changed user data would rebuild every node.
	facts, err := w.all.hooks.template(ctx, l.ref)
	switch {
	case err != nil:
		return nil, err
	case facts.JoinProblem != nil:
		return nil, *facts.JoinProblem
	case facts.Outdated:
		return nil, noJoining("", errors.New("the stack was updated by somebody else, and its new template could not be read yet"))
	case w.all.opts.Joining == nil:
		return nil, noJoining("", errors.New("this program has no connection to Kubernetes"))
	}
	j := &joinParameters{tokenParameter: config.Parameters.Token, public: map[string]string{}}
	for name, value := range map[string]func(context.Context) (string, error){
		clusterCAParameter: w.all.opts.Joining.ClusterCA, apiServerParameter: w.all.opts.Joining.APIServer,
	} {
		if given, ok := l.detail.Parameters[name]; !ok || given != "" {
			continue
		}
		if j.public[name], err = value(ctx); err != nil {
			return nil, noJoining(name, err)
		}
	}
	token, err := w.all.opts.Joining.Token(ctx, config.Name)
	if err != nil {
		return nil, noJoining("", err)
	}
	j.token = secret{&token}
	return j, nil
}

// noJoining is the problem of new members that could not join; err itself if it is one.
func noJoining(key string, err error) error {
	var problem nodegroups.Problem
	if errors.As(err, &problem) {
		return problem
	}
	p := problemError(nodegroups.ReasonNoBootstrapToken, "new members could not join the cluster: "+err.Error(),
		"mend what is said there; it is tried again with the next scale-up")
	p.Key = key
	return p
}

// withoutServers answers those who want servers that could not join. alone: somebody else is left, who deserves an update of
// his own; otherwise the update that was planned may go without.
func (w *writer) withoutServers(shares []share, err error) (refused, alone bool) {
	w.mu.Lock()
	for _, s := range shares {
		switch {
		case !s.sends():
		case s.intent.kind == wantGrowth, s.intent.kind == wantRetry, s.intent.kind == wantReplacement:
			s.intent.resolve(err)
			refused = true
		default:
			alone = true
		}
	}
	w.mu.Unlock()
	var problem nodegroups.Problem
	if errors.As(err, &problem) {
		w.report(problem) // there may be no caller who could be told
	}
	return refused, alone
}
