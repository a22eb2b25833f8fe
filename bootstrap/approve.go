package bootstrap

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	certificates "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// TokenBook knows which bootstrap tokens are ours.
type TokenBook interface {
	// NodeGroup names the node group that the token with this id was minted for. found is false for a token that is not
	// ours, has been revoked or has expired. It asks the API server, not a cache. ErrOtherInstance leaves what is asked with the
	// token to another autoscaler.
	NodeGroup(ctx context.Context, tokenID string) (group string, found bool, err error)
}

// Machines knows the cloud's servers.
type Machines interface {
	// FindMachines returns the servers that the cloud knows now by this host name, with proof of their membership.
	FindMachines(ctx context.Context, hostName string) ([]nodegroups.Machine, error)
}

// ApprovalObserver counts what an Approver does. Its methods return at once.
type ApprovalObserver interface {
	// CSRDecided is called once for each request, decision and reason.
	CSRDecided(signer, decision, reason string)
	// CSRApproved tells how long a request has waited for its approval.
	CSRApproved(signer string, after time.Duration)
}

// ApproverOptions configure an Approver. The first five must be given.
type ApproverOptions struct {
	Tokens   TokenBook
	Machines Machines
	// Snapshot returns the node groups as they were last read.
	Snapshot func() *nodegroups.Snapshot
	// HostName is the host name that the cloud gives a server of this name.
	HostName func(serverName string) string
	// ProvisionTime is how long a member of a node group may take to become a node, unless the group says otherwise.
	ProvisionTime time.Duration

	// Joining and Serving say which requests are decided: those for a client certificate by machines with a token of ours,
	// and those for a serving certificate by our nodes.
	Joining, Serving bool
	// Namespace is where the ConfigMap JoinsConfigMap is kept; kube-system if empty.
	Namespace string
	// Recorder writes Events about requests; nobody does if nil. It is given cluster-scoped objects.
	Recorder record.EventRecorder
	// Reporter is told of what is wrong with the cluster's set-up; nobody if nil.
	Reporter nodegroups.Reporter
	// Observer counts; nobody does if nil.
	Observer ApprovalObserver
	// Clock tells the time; the real one if nil.
	Clock clock.WithTicker
}

// Approver decides CertificateSigningRequests of machines that want to join, and of our nodes' serving certificates. It trusts
// neither a token nor a request: see the package comment.
//
// Of several replicas only the leader may run one. Should two run for a moment, still no two keys are approved for one
// machine: every approval is first written into a ConfigMap whose version the API server checks.
type Approver struct {
	client kubernetes.Interface
	opts   ApproverOptions
	clock  clock.WithTicker
	ledger *ledger
	recall recall
	teller teller
	lanes  map[lane]workqueue.TypedRateLimitingInterface[string]
	// requests are all requests of the cluster, which controller watches.
	requests   cache.Indexer
	controller cache.Controller

	// strangers bounds the look-ups for names that no member has, denials the writing of refusals.
	strangers, denials *rate.Limiter

	mu sync.Mutex
	// inHand are the nodes whose requests are being decided right now.
	inHand map[string]bool
	// expectedOf is the snapshot that expected was made of: the host names of members that have lately been made.
	expectedOf *nodegroups.Snapshot
	expected   map[string]bool
	// swept are the expected names at the last sweep; only the sweep touches it.
	swept map[string]bool
	// histories is what is remembered of each request, by UID, until it is deleted.
	histories map[string]*history
}

// history is what is remembered of a request.
type history struct {
	seen   time.Time // when it was first seen, to the millisecond; its own timestamp is in seconds
	fresh  bool      // it was made while we looked on
	reason string    // what was told last
}

// NewApprover returns an Approver that writes through client. Run runs it.
func NewApprover(client kubernetes.Interface, opts ApproverOptions) *Approver {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Reporter == nil {
		opts.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if opts.Namespace == "" {
		opts.Namespace = TokenNamespace
	}
	a := &Approver{
		client: client, opts: opts, clock: opts.Clock,
		ledger:    newLedger(client, opts.Namespace, opts.Clock),
		recall:    newRecall(opts.Clock),
		teller:    newTeller(opts.Recorder, opts.Clock),
		strangers: rate.NewLimiter(strangersPerSecond, strangersBurst),
		denials:   rate.NewLimiter(denialsPerSecond, denialsBurst),
		inHand:    map[string]bool{},
		histories: map[string]*history{},
	}
	a.lanes = newLanes(opts.Clock)
	a.requests, a.controller = a.newWatch()
	return a
}

// byNode indexes requests by the node that a certificate would be for.
const byNode = "node"

func nodeOf(object any) ([]string, error) {
	csr, ok := object.(*certificates.CertificateSigningRequest)
	if !ok {
		return nil, nil
	}
	switch csr.Spec.SignerName {
	case certificates.KubeAPIServerClientKubeletSignerName, certificates.KubeletServingSignerName:
	default:
		return nil, nil
	}
	if r := parseRequest(csr); r.node != "" {
		return []string{r.node}, nil
	}
	return nil, nil
}

// provisionTime is how long a member of this group may take to become a node.
func (a *Approver) provisionTime(group string) time.Duration {
	if g := a.opts.Snapshot().Group(group); g != nil && g.Config.Options.MaxNodeProvisionTime != nil {
		return *g.Config.Options.MaxNodeProvisionTime
	}
	return a.opts.ProvisionTime
}
