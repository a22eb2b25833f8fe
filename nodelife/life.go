package nodelife

import (
	"context"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// staleAfter is the age at which a reading of the cloud proves nothing any more: several loops of cluster-autoscaler,
	// each of which begins with one.
	staleAfter = 2 * time.Minute
	// lookTimeout bounds one look, so that a cloud that hangs does not hold up the next one for ever.
	lookTimeout = 5 * time.Minute
)

// Life looks after the nodes of node groups.
type Life struct {
	groups   Groups
	machines Machines
	cluster  *Cluster
	opts     Options

	marks    marks
	cleaner  cleaner
	repair   repair
	arrivals arrivals
}

// New returns a Life that has not looked yet.
func New(groups Groups, machines Machines, cluster *Cluster, opts Options) *Life {
	opts = opts.withDefaults()
	l := &Life{groups: groups, machines: machines, cluster: cluster, opts: opts}
	l.marks.life, l.cleaner.life, l.repair.life, l.arrivals.life = l, l, l, l
	l.marks.members = map[string]membership{}
	l.cleaner.missing = map[string]time.Time{}
	l.repair.cases = map[string]*illness{}
	l.repair.pauses = map[string]*pause{}
	return l
}

// Run looks again and again until ctx ends. It must run only while this process leads.
func (l *Life) Run(ctx context.Context) {
	ticker := l.opts.Clock.NewTicker(l.opts.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
			l.Look(ctx)
		}
	}
}

// Look looks at all nodes once and does what is due. It must not be called twice at the same time.
func (l *Life) Look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	nodes, err := l.cluster.nodes()
	if err != nil {
		klog.FromContext(ctx).Error(err, "The nodes can't be listed")
		return
	}
	s := l.see(nodes)
	l.arrivals.look(s)
	l.marks.update(ctx, s)
	if l.opts.DeleteNodes {
		l.cleaner.clean(ctx, s)
	}
	l.repair.look(ctx, s)
}

// sight is everything that one look goes by.
type sight struct {
	now      time.Time
	snapshot *nodegroups.Snapshot
	nodes    []*v1.Node
	// byServer finds the node of a member.
	byServer map[string]*v1.Node
	// current says that the snapshot was read from the cloud a moment ago.
	current bool
}

func (l *Life) see(nodes []*v1.Node) *sight {
	now, reading := l.opts.Clock.Now(), l.groups.Reading()
	s := &sight{
		now: now, snapshot: l.groups.Snapshot(), nodes: nodes, byServer: make(map[string]*v1.Node, len(nodes)),
		current: reading.Err == nil && !reading.At.IsZero() && now.Sub(reading.At) <= staleAfter,
	}
	for _, node := range nodes {
		if _, m := s.snapshot.ByNode(node); m != nil && m.ServerID != "" {
			s.byServer[m.ServerID] = node
		}
	}
	return s
}
