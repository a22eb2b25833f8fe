package heatstack

import (
	"context"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// patchWatch is Heat as the writing half sees it: what it updates is noted, so that the template does not have to be read
// again after each of our own updates, all of which keep it.
type patchWatch struct {
	Heat
	patched func(stackID string, yes bool)
}

// Patch notes the stack before it is asked, since an update may begin without our getting an answer.
func (p patchWatch) Patch(ctx context.Context, name, id string, parameters map[string]any) error {
	p.patched(id, true)
	err := p.Heat.Patch(ctx, name, id, parameters)
	if err != nil && !isUnknownOutcome(err) {
		p.patched(id, false)
	}
	return err
}

func (c *Cloud) patched(stackID string, yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.stacks[stackID]; st != nil {
		st.patched = yes
	}
}

// superseded forgets that the last update kept the template: it may not have been ours.
func (c *Cloud) superseded(stackID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.stacks[stackID]; st != nil {
		st.patched, st.templateOf = false, "superseded" // what is known stays until it is read again
	}
}

// observed folds in what the writing half has read.
func (c *Cloud) observed(detail *StackDetail) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.stacks[detail.ID]
	if st == nil {
		return
	}
	st.take(detail, c.opts.Clock.Now())
	st.version++
	c.build(st)
	c.publish()
}

// report passes on what happened while an order was carried out, and keeps it until the stack is seen in good order.
func (c *Cloud) report(p nodegroups.Problem) {
	c.opts.Reporter.Report(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, st := range c.stacks {
		if st.row.Name != p.Stack {
			continue
		}
		st.reportedIn = c.refreshes
		for _, old := range st.reported {
			if old == p {
				return
			}
		}
		st.reported = append(st.reported, p)
		c.build(st)
		c.publish()
	}
}

// forgive drops what was reported about stacks that have been seen in good order since. It needs the lock.
func (c *Cloud) forgive(st *stackState) {
	if len(st.reported) > 0 && st.reportedIn < c.refreshes && hasCompleted(st.row.Status) && st.view.agrees {
		st.reported = nil
		st.dirty = true
	}
}

func (c *Cloud) removed(stackID string, verified, wrong int) {
	if c.opts.Removed == nil {
		return
	}
	c.mu.Lock()
	name := stackID
	if st := c.stacks[stackID]; st != nil {
		name = st.row.Name
	}
	c.mu.Unlock()
	c.opts.Removed(name, verified, wrong)
}

// templateOf returns the facts of a stack's template, from memory if they are known.
func (c *Cloud) templateOf(ctx context.Context, ref stackRef) (templateFacts, error) {
	c.mu.Lock()
	st := c.stacks[ref.ID]
	if st == nil {
		c.mu.Unlock()
		return templateFacts{}, fmt.Errorf("%s: %w", ref.Name, ErrUnknownStack)
	}
	wanted := !st.inspected()
	c.mu.Unlock()
	if wanted {
		c.readTemplate(ctx, st)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.templateProblem != nil {
		return templateFacts{}, *st.templateProblem
	}
	facts := st.template
	facts.Outdated = !st.inspected()
	return facts, nil
}

// readTemplate reads and inspects a stack's template.
func (c *Cloud) readTemplate(ctx context.Context, st *stackState) {
	c.mu.Lock()
	name, id, of, parameters := st.row.Name, st.row.ID, st.inspectionKey(), st.config.Parameters
	isEarly := isBusy(st.row.Status)
	isMinted := st.config.TokenSource == nodegroups.TokenMinted
	c.mu.Unlock()
	template, err := c.heat.GetTemplate(ctx, name, id)
	var files map[string]string
	if err == nil && isMinted {
		if facts, problem := inspectTemplate(template, parameters); problem == nil && facts.Nested {
			files, err = c.heat.GetFiles(ctx, name, id)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	st.dirty = true
	if err != nil {
		if st.templateOf == "" && ctx.Err() == nil {
			st.templateProblem = unreadable("its template can't be read", err)
		}
		return // what was known of an older template is the better guess
	}
	st.template, st.templateProblem = inspectTemplate(template, parameters)
	if isMinted && st.templateProblem == nil {
		st.template.JoinProblem = inspectJoining(template, files, st.template.Group, parameters)
	}
	st.templateOf, st.templateEarly = of, isEarly
}

// unreadable is the problem of a stack that Heat does not show.
func unreadable(what string, err error) *nodegroups.Problem {
	return &nodegroups.Problem{
		Reason: nodegroups.ReasonStackUnreadable, Severity: nodegroups.Blocking,
		Message: what + ": " + shorten(openstack.Message(err)), Remedy: "see Heat's log; it is tried again at every refresh",
	}
}
