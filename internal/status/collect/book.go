package collect

import (
	"sync"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// Times, with their reasons.
const (
	// sampleEvery is the time between two points of the history: with status.MaxHistory of them, hours fit into a small memory.
	sampleEvery = time.Minute
	// holdsFor is how long a problem that is reported again and again is taken to hold: several loops.
	holdsFor = 3 * time.Minute
	// tellAgain is when a problem that still holds becomes a decision once more, and reworded how soon it does with another message.
	tellAgain = 50 * time.Minute
	reworded  = time.Minute
	// alike is how far apart two equal decisions may be that are shown as one.
	alike = 10 * time.Minute
	// lookBack is among how many of the latest decisions an equal one is looked for.
	lookBack = 32
	// rememberedProblems bounds the memory: with more at once, some are told twice.
	rememberedProblems = 2000
)

// Program is what does not change while the program runs.
type Program struct {
	// Name, Version, Core, Mode and DryRun are those of status.Report.
	Name, Version, Core, Mode string
	DryRun                    bool
}

// Sources are where the present is read, from memory. All functions must be safe for concurrent use and return at once.
type Sources struct {
	Snapshot func() *nodegroups.Snapshot
	Reading  func() nodegroups.Reading
	// Region and Project are those of the credentials in force.
	Region, Project func() string
	// Template builds template nodes; nil for none.
	Template func(g *nodegroups.Group) (*v1.Node, error)
}

// Book remembers what has happened, within bounds, and makes reports. It is safe for concurrent use; nothing waits for whoever reads a
// report.
type Book struct {
	program Program
	clock   clock.PassiveClock
	started time.Time

	sources atomic.Pointer[Sources]
	nodes   atomic.Pointer[corelisters.NodeLister]
	states  atomic.Pointer[func() []ceilometer.State]
	leading atomic.Bool

	// mu is held for memory work only.
	mu           sync.Mutex
	leader       string
	decisions    ring[entry]
	history      map[string]*ring[status.Point]
	sampled      time.Time
	problems     map[nodegroups.Problem]*seen // by the problem without its message
	backOffs     map[string]status.BackOff
	held         map[nodelife.Held]int
	tokens       map[string]bootstrap.Live
	certificates map[certificate]int
}

// entry is a decision with what tells it from others.
type entry struct {
	status.Decision
	key string
}

// seen is when a problem was reported.
type seen struct {
	message    string
	last, told time.Time
	// derived: the snapshot has had it, and alone says whether it holds.
	derived bool
}

// certificate is by what verdicts are counted.
type certificate struct{ signer, decision, reason string }

// NewBook returns an empty Book. A nil clock is the real one.
func NewBook(program Program, c clock.PassiveClock) *Book {
	if c == nil {
		c = clock.RealClock{}
	}
	return &Book{
		program: program, clock: c, started: c.Now(),
		decisions: newRing[entry](status.MaxDecisions), history: map[string]*ring[status.Point]{},
		problems: map[nodegroups.Problem]*seen{}, backOffs: map[string]status.BackOff{}, certificates: map[certificate]int{},
	}
}

// Connect says where the present is read, once the program has signed in.
func (b *Book) Connect(s Sources) { b.sources.Store(&s) }

// WatchNodes makes the Book know which members are Nodes.
func (b *Book) WatchNodes(lister corelisters.NodeLister) { b.nodes.Store(&lister) }

// ShowLoad makes it explain floors by what states returns.
func (b *Book) ShowLoad(states func() []ceilometer.State) { b.states.Store(&states) }

// Lead notes whether this replica does the work.
func (b *Book) Lead(leading bool) {
	b.leading.Store(leading)
	if !leading { // whoever looks after them now does not tell us
		b.mu.Lock()
		defer b.mu.Unlock()
		b.held, b.tokens = nil, nil
	}
}

// NewLeader notes who leads.
func (b *Book) NewLeader(identity string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leader = identity
}

// snapshot is never nil.
func (b *Book) snapshot() *nodegroups.Snapshot {
	if s := b.sources.Load(); s != nil {
		return s.Snapshot()
	}
	return nodegroups.NewSnapshot(nil, nil)
}

// note writes a decision down. key tells it from others that read differently and are the same; empty: what it says tells it. One
// that equals another of the last minutes is counted there.
func (b *Book) note(d status.Decision) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write(d)
}

// write is note for those who hold mu.
func (b *Book) write(d status.Decision) {
	d.At = b.clock.Now()
	if len(d.Servers) > status.MaxNamed {
		d.Servers = d.Servers[:status.MaxNamed:status.MaxNamed]
	}
	key := keyOf(&d)
	for i := range min(b.decisions.len(), lookBack) {
		last := b.decisions.newest(i)
		if d.At.Sub(last.At) > alike {
			break
		}
		if last.key == key {
			last.Repeated++
			return
		}
	}
	b.decisions.add(entry{d, key})
}
