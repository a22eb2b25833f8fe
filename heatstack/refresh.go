package heatstack

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Refresh implements nodegroups.Stacks. Stacks are listed before servers: so the servers of a stack that is complete are all in
// the second list, and those that its update removed are not.
func (c *Cloud) Refresh(ctx context.Context) error {
	c.begin(ctx)
	rows, err := c.listStacks(ctx)
	if err != nil {
		return err
	}
	vanished := c.takeRows(rows)
	if err := c.readServers(ctx); err != nil {
		return err
	}
	for _, st := range vanished {
		c.confirmVanished(ctx, st)
	}
	c.forStacks(c.unread, func(st *stackState) { c.readStack(ctx, st) })
	c.forStacks(c.unexplained, func(st *stackState) { c.explainCasualties(ctx, st) })
	c.forStacks(c.uninspected, func(st *stackState) { c.readTemplate(ctx, st) })
	c.readFlavors(ctx)
	c.rebuild()
	c.forStacks(c.unlisted, func(st *stackState) { c.listMembers(ctx, st) })
	c.rebuild()
	c.forStacks(c.unverified, func(st *stackState) { c.verifyServers(ctx, st) })
	c.lookForMisspelt(ctx)
	c.finish(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("refresh was cut short: %w", err)
	}
	return nil
}

// begin takes over changed credentials and notes where everything stands.
func (c *Cloud) begin(ctx context.Context) {
	var problem *nodegroups.Problem
	if c.opts.Reload != nil {
		if err := c.opts.Reload(ctx); err != nil {
			problem = &nodegroups.Problem{
				Reason: nodegroups.ReasonCredentialsRejected, Severity: nodegroups.Warning,
				Message: "changed credentials can't be used: " + err.Error(),
				Remedy:  "mend the file; the old credentials stay in use until then",
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reloadProblem = problem
	c.refreshes++
	for _, st := range c.stacks {
		st.began, st.readNow = st.version, false
	}
}

// finish shows the result and lets the writing half see it.
func (c *Cloud) finish(ctx context.Context) {
	type sight struct {
		ref    stackRef
		detail *StackDetail
		live   []Server
	}
	var sights []sight
	c.mu.Lock()
	for _, st := range c.stacks {
		c.forgive(st)
		if st.dirty || st.value == nil {
			c.build(st)
		}
		if st.read && (st.readNow || isSettled(st.row.Status)) {
			sights = append(sights, sight{st.ref(), st.detail, st.view.live})
		}
	}
	c.publish()
	c.mu.Unlock()
	for _, s := range sights {
		c.writers.Observe(ctx, s.ref, s.detail, isSettled(s.detail.Status), s.live)
	}
}

// rebuild makes anew what was touched. forStacks' conditions need it.
func (c *Cloud) rebuild() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, st := range c.stacks {
		if st.dirty || st.value == nil {
			c.build(st)
		}
	}
}

// forStacks does something for all stacks that meet a condition, several at once. The condition is asked under the lock, the action is
// done without it.
func (c *Cloud) forStacks(condition func(*stackState) bool, action func(*stackState)) {
	c.mu.Lock()
	var chosen []*stackState
	for _, st := range c.stacks {
		if condition(st) {
			chosen = append(chosen, st)
		}
	}
	c.mu.Unlock()
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for _, st := range chosen {
		g.Go(func() error {
			action(st)
			return nil
		})
	}
	_ = g.Wait() // actions return no errors: what goes wrong is a problem of its stack
}

// listStacks makes the one call that tells of all stacks. Heat can filter by one set of tags; several sets, or stacks given by name,
// are picked out of the list of all.
func (c *Cloud) listStacks(ctx context.Context) ([]StackRow, error) {
	var tags []string
	if !c.listsAll() {
		tags = c.opts.Discovery[0].Tags
	}
	return c.heat.ListStacks(ctx, tags)
}

func (c *Cloud) listsAll() bool { return len(c.opts.Discovery) != 1 || len(c.opts.Named) > 0 }

// wanted says whether a stack is a node group, and which flag names it.
func (c *Cloud) wanted(row *StackRow) (*NamedStack, bool) {
	for i := range c.opts.Named {
		if c.opts.Named[i].names(row) {
			return &c.opts.Named[i], true
		}
	}
	for _, d := range c.opts.Discovery {
		if d.matches(row.Tags) {
			return nil, true
		}
	}
	return nil, false
}

// takeRows takes in the list of stacks and returns those that are in it no more.
func (c *Cloud) takeRows(rows []StackRow) (vanished []*stackState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[string]bool{}
	found := map[*NamedStack]bool{}
	for i := range rows {
		row := &rows[i]
		named, ok := c.wanted(row)
		if !ok || row.Status == "DELETE_COMPLETE" {
			continue
		}
		seen[row.ID] = true
		found[named] = true
		st := c.stacks[row.ID]
		if st == nil {
			st = &stackState{named: named, dirty: true}
			c.stacks[row.ID] = st
		} else if st.version != st.began {
			continue // a writer has read it while the list was under way
		}
		if st.row.key() == row.key() && st.row.Reason == row.Reason && slices.Equal(st.row.Tags, row.Tags) {
			continue
		}
		st.setRow(*row)
		st.configure()
	}
	for id, st := range c.stacks {
		if !seen[id] {
			vanished = append(vanished, st)
		}
	}
	c.notFound = nil
	for i := range c.opts.Named {
		if named := &c.opts.Named[i]; !found[named] {
			c.notFound = append(c.notFound, nodegroups.Problem{
				Reason: nodegroups.ReasonStackNotFound, Severity: nodegroups.Blocking, Stack: named.Name,
				Key: "nodes", Value: fmt.Sprintf("%d:%d:%s", named.MinSize, named.MaxSize, named.Name),
				Message: "the project has no stack of this name", Remedy: "create the stack, or mend the flag --nodes",
			})
		}
	}
	return vanished
}

// confirmVanished forgets a stack if Heat says itself that it is no node group any more: half an answer must not make a node
// group disappear.
func (c *Cloud) confirmVanished(ctx context.Context, st *stackState) {
	detail, err := c.heat.GetStack(ctx, st.row.Name, st.row.ID)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case isNotFound(err):
	case err != nil:
		st.readProblem, st.dirty = unreadable("it is missing in Heat's list and can't be read", err), true
		return
	case detail.Status != "DELETE_COMPLETE":
		if _, wanted := c.wanted(&detail.StackRow); wanted {
			st.take(detail, c.opts.Clock.Now())
			return
		}
	}
	klog.FromContext(ctx).Info("A stack is no node group any more", "stack", st.row.Name, "id", st.row.ID)
	c.forget(st.row.ID)
}

// forget drops a stack. It needs the lock.
func (c *Cloud) forget(stackID string) {
	delete(c.stacks, stackID)
	c.servers.list(stackID, nil)
}

// unread: the stack has moved since its parameters were read.
func (c *Cloud) unread(st *stackState) bool {
	return !st.read || st.readKey != st.row.key() || st.readProblem != nil
}

// uninspected: the template is not known, or somebody else has updated the stack and may have changed it.
func (c *Cloud) uninspected(st *stackState) bool {
	return st.read && isServed(st.row.Status) && !st.inspected() && len(st.missingParameters()) == 0
}

// readStack reads a stack's parameters.
func (c *Cloud) readStack(ctx context.Context, st *stackState) {
	c.mu.Lock()
	name, id, version := st.row.Name, st.row.ID, st.version
	c.mu.Unlock()
	detail, err := c.heat.GetStack(ctx, name, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	st.dirty = true
	switch {
	case isNotFound(err):
		c.forget(id) // deleted since it was listed
	case err != nil:
		if ctx.Err() == nil {
			st.readProblem = unreadable("it can't be read", err)
		}
	case st.version == version:
		st.take(detail, c.opts.Clock.Now())
		st.readNow = true
	}
}

// refreshedAfter is when something is done again, a little earlier or later than asked.
func (c *Cloud) refreshedAfter(d time.Duration) time.Time {
	jitter := fullListJitter * (c.opts.Jitter() - 0.5)
	return c.opts.Clock.Now().Add(time.Duration(float64(d) * (1 + jitter)))
}
