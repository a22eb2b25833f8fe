package heatstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// ErrUnknownStack: an order names a stack that is not a node group, or not any more.
var ErrUnknownStack = errors.New("unknown stack")

// Options configure a Cloud. Discovery or Named must say which stacks are node groups; everything else has a default.
type Options struct {
	// Discovery: a stack that fits one of these is a node group.
	Discovery []Discovery
	// Named stacks are node groups whatever their tags are; the limits given here replace the annotated ones.
	Named []NamedStack
	// Region is the OpenStack region, as Stack.Region shows it.
	Region string
	// DryRun: orders are planned and reported, and nothing is written.
	DryRun bool
	// Gather is how long an order waits for others to share its update of the stack; 200 ms if zero.
	Gather time.Duration
	// WriteTimeout bounds one change of a stack, from looking at it to reading back what Heat has made of it; 3 min if zero.
	WriteTimeout time.Duration
	// Joining gives new members what they join with, in stacks that have it minted. Without it (nil) such stacks don't grow.
	Joining Joining
	// Clock tells the time; the real one if nil.
	Clock clock.WithTicker
	// Reporter is told of what happens while orders are carried out; nobody if nil. What holds for longer is in List.
	Reporter nodegroups.Reporter
	// Reload is called at the beginning of each refresh, to take over credentials that have changed. An error is reported and
	// the refresh goes on. May be nil.
	Reload func(ctx context.Context) error
	// Removed counts removals: servers that went as ordered, and servers that went without being named. May be nil.
	Removed func(stack string, verified, wrong int)
	// Jitter is a number from 0 to 1, another one at each call; random if nil.
	Jitter func() float64
}

// Cloud shows Heat stacks as node groups and changes them. It implements nodegroups.Stacks.
//
// A refresh in which nothing has changed costs two calls, whatever the number of stacks and servers: a list of stacks and a
// list of the servers that changed. A stack that moved costs one more to read its parameters, and now and then one to
// list its members. No lock is held while the cloud is being asked.
type Cloud struct {
	heat    Heat
	nova    Nova
	opts    Options
	writers stackWriter

	mu      sync.Mutex
	stacks  map[string]*stackState
	servers *serverCache
	flavors flavorBook
	// refreshes counts the refreshes that began.
	refreshes uint64
	// since is from when on the next list of servers has to tell what changed; zero before the first one.
	since time.Time
	// nextFull is when all servers are listed again, nextMisspelt when misspelt tags are looked for.
	nextFull, nextMisspelt time.Time

	reloadProblem, flavorProblem *nodegroups.Problem
	notFound, misspelt           []nodegroups.Problem

	list     []*nodegroups.Stack
	problems []nodegroups.Problem
}

var _ nodegroups.Stacks = (*Cloud)(nil)

// New returns a Cloud that knows nothing until its first Refresh. Close it to end its writers.
func New(heat Heat, nova Nova, opts Options) *Cloud {
	return newCloud(heat, nova, opts, func(heat Heat, nova Nova, hooks writerHooks, opts writerOptions) stackWriter {
		return newWriters(heat, nova, hooks, opts)
	})
}

// newCloud returns a Cloud whose writing half is made by writing.
func newCloud(
	heat Heat, nova Nova, opts Options, writing func(Heat, Nova, writerHooks, writerOptions) stackWriter,
) *Cloud {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Reporter == nil {
		opts.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if opts.Jitter == nil {
		opts.Jitter = rand.Float64
	}
	c := &Cloud{heat: heat, nova: nova, opts: opts, stacks: map[string]*stackState{}, servers: newServerCache()}
	c.writers = writing(
		patchWatch{Heat: heat, patched: c.patched}, nova,
		writerHooks{observed: c.observed, report: c.report, superseded: c.superseded, template: c.templateOf, removed: c.removed},
		writerOptions{Clock: opts.Clock, Gather: opts.Gather, WriteTimeout: opts.WriteTimeout, DryRun: opts.DryRun, Joining: opts.Joining},
	)
	return c
}

// Close ends the writers. Orders that were not sent yet are given up with an error.
func (c *Cloud) Close() { c.writers.Close() }

// List implements nodegroups.Stacks. The slices and what they hold are never changed afterwards.
func (c *Cloud) List() ([]*nodegroups.Stack, []nodegroups.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list, c.problems
}

// Grow implements nodegroups.Stacks.
func (c *Cloud) Grow(ctx context.Context, stackID string, by int) error {
	c.mu.Lock()
	var blocked *nodegroups.Problem
	if st := c.stacks[stackID]; st != nil && st.value != nil {
		blocked = st.value.GrowthBlocked
	}
	c.mu.Unlock()
	if blocked != nil {
		return *blocked
	}
	return c.order(stackID, func(ref stackRef) error { return c.writers.Grow(ctx, ref, by) })
}

// Remove implements nodegroups.Stacks.
func (c *Cloud) Remove(ctx context.Context, stackID string, members []nodegroups.Member) error {
	return c.order(stackID, func(ref stackRef) error { return c.writers.Remove(ctx, ref, members) })
}

// Replace implements nodegroups.Stacks.
func (c *Cloud) Replace(ctx context.Context, stackID string, members []nodegroups.Member) error {
	return c.order(stackID, func(ref stackRef) error { return c.writers.Replace(ctx, ref, members) })
}

// Shrink implements nodegroups.Stacks.
func (c *Cloud) Shrink(ctx context.Context, stackID string, by int) error {
	return c.order(stackID, func(ref stackRef) error { return c.writers.Shrink(ctx, ref, by) })
}

// order gives an order to the writing half, if the stack may be written to, and shows the result.
func (c *Cloud) order(stackID string, write func(stackRef) error) error {
	c.mu.Lock()
	st := c.stacks[stackID]
	if st == nil || st.value == nil {
		c.mu.Unlock()
		return fmt.Errorf("%s: %w", stackID, ErrUnknownStack)
	}
	blocked, known, ref := st.value.Blocked, st.known, st.ref()
	c.mu.Unlock()
	if blocked != nil {
		return *blocked
	}
	if !known {
		return fmt.Errorf("stack %s: its size is not known, so it can't be changed", ref.Name)
	}
	err := write(ref)
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.stacks[stackID]; st != nil {
		c.build(st)
		c.publish()
	}
	return err
}

// publish makes what List returns. It needs the lock.
func (c *Cloud) publish() {
	list := make([]*nodegroups.Stack, 0, len(c.stacks))
	states := make([]*stackState, 0, len(c.stacks))
	for _, st := range c.stacks {
		if st.value != nil { // else it was found by a refresh that has not ended yet
			states = append(states, st)
		}
	}
	slices.SortFunc(states, func(a, b *stackState) int {
		return cmp.Or(cmp.Compare(a.row.Name, b.row.Name), cmp.Compare(a.row.ID, b.row.ID))
	})
	var problems []nodegroups.Problem
	for _, p := range []*nodegroups.Problem{c.reloadProblem, c.flavorProblem} {
		if p != nil {
			problems = append(problems, *p)
		}
	}
	problems = append(problems, c.notFound...)
	problems = append(problems, c.misspelt...)
	for _, st := range states {
		list = append(list, st.value)
		problems = append(problems, st.problems...)
	}
	c.list, c.problems = list, problems
}
