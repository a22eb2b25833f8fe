package nodegroupstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// ErrNoStack is what orders to a stack that is not there return.
var ErrNoStack = errors.New("fake: no such stack")

// Call is an order that Stacks was given.
type Call struct {
	// Method is Refresh, Grow, Remove, Replace or Shrink.
	Method, StackID string
	// By is the number of members of a Grow or Shrink.
	By int
	// IDs are the ids of the members of a Remove or Replace.
	IDs []string
}

// Stacks is a cloud in memory that implements nodegroups.Stacks. Orders take effect on Target at once; growth shows as
// placeholders until Deliver makes servers of them, and removed members show as Deleting until Settle takes them away.
// Safe for concurrent use.
type Stacks struct {
	// Before, if set, is called at the beginning of every method that can fail, without any lock held: it may block, look
	// at ctx, or change the cloud. What it returns is what the method returns, and then the method has no effect.
	// Set it before the first call.
	Before func(ctx context.Context, call Call) error

	calls log[Call]

	mu       sync.Mutex
	stacks   map[string]*nodegroups.Stack // by id; values are replaced, never changed
	next     map[string]int               // stack id -> the next index to use
	problems []nodegroups.Problem
	failures map[string]error // "Method" or "Method stackID" -> what it returns
}

var _ nodegroups.Stacks = (*Stacks)(nil)

// NewStacks returns a cloud that holds the given stacks.
func NewStacks(stacks ...*nodegroups.Stack) *Stacks {
	c := &Stacks{stacks: map[string]*nodegroups.Stack{}, next: map[string]int{}, failures: map[string]error{}}
	for _, s := range stacks {
		c.Put(s)
	}
	return c
}

// Put adds a stack, or replaces the one with the same id.
func (c *Stacks) Put(s *nodegroups.Stack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stacks[s.ID] = clone(s)
	for _, m := range s.Members {
		if i, err := strconv.Atoi(m.Index); err == nil && i >= c.next[s.ID] {
			c.next[s.ID] = i + 1
		}
	}
}

// Delete takes the stack of that name away, as if somebody had deleted it.
func (c *Stacks) Delete(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.stacks, UUID(name))
}

// Change changes the stack of that name, as somebody else would.
func (c *Stacks) Change(name string, change func(*nodegroups.Stack)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stacks[UUID(name)]; s != nil {
		c.change(s, change)
	}
}

// change replaces s, which must be in c.stacks, by a changed copy.
func (c *Stacks) change(s *nodegroups.Stack, change func(*nodegroups.Stack)) {
	s = clone(s)
	change(s)
	c.stacks[s.ID] = s
}

// SetProblems sets the problems that List returns.
func (c *Stacks) SetProblems(problems ...nodegroups.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = problems
}

// Fail makes a method (Refresh, Grow, Remove, Replace, Shrink) return err until it is called with nil; with a stack's name only
// for this stack, with "" for all.
func (c *Stacks) Fail(method, stack string, err error) {
	key := method
	if stack != "" {
		key += " " + UUID(stack)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures[key] = err
}

// Calls returns all calls of Refresh, Grow, Remove, Replace and Shrink so far, refused ones included.
func (c *Stacks) Calls() []Call { return c.calls.all() }

// begin notes a call and says how it fails.
func (c *Stacks) begin(ctx context.Context, call Call) error {
	c.calls.add(call)
	if c.Before != nil {
		if err := c.Before(ctx, call); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failures[call.Method]; err != nil {
		return err
	}
	return c.failures[call.Method+" "+call.StackID]
}

// Refresh implements nodegroups.Stacks. There is nothing to read.
func (c *Stacks) Refresh(ctx context.Context) error {
	return c.begin(ctx, Call{Method: "Refresh"})
}

// List implements nodegroups.Stacks. Stacks come in the order of their ids.
func (c *Stacks) List() ([]*nodegroups.Stack, []nodegroups.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stacks := make([]*nodegroups.Stack, 0, len(c.stacks))
	for _, s := range c.stacks {
		stacks = append(stacks, s)
	}
	slices.SortFunc(stacks, func(a, b *nodegroups.Stack) int { return compare(a.ID, b.ID) })
	return stacks, slices.Clone(c.problems)
}

// Grow implements nodegroups.Stacks.
func (c *Stacks) Grow(ctx context.Context, stackID string, by int) error {
	return c.order(ctx, Call{Method: "Grow", StackID: stackID, By: by}, func(s *nodegroups.Stack) error {
		s.Target += by
		s.Busy, s.Status = true, "UPDATE_IN_PROGRESS"
		refill(s)
		return nil
	})
}

// Remove implements nodegroups.Stacks.
func (c *Stacks) Remove(ctx context.Context, stackID string, members []nodegroups.Member) error {
	return c.beginDeletion(ctx, "Remove", stackID, members, func(s *nodegroups.Stack, deleted int) { s.Target -= deleted })
}

// Replace implements nodegroups.Stacks.
func (c *Stacks) Replace(ctx context.Context, stackID string, members []nodegroups.Member) error {
	return c.beginDeletion(ctx, "Replace", stackID, members, func(s *nodegroups.Stack, _ int) { refill(s) })
}

// beginDeletion begins to delete members of a stack; then tells it how many they are, those that are being deleted already left out.
func (c *Stacks) beginDeletion(ctx context.Context, method, stackID string, members []nodegroups.Member, then func(s *nodegroups.Stack, deleted int)) error {
	call := Call{Method: method, StackID: stackID}
	for _, m := range members {
		call.IDs = append(call.IDs, m.ID())
	}
	return c.order(ctx, call, func(s *nodegroups.Stack) error {
		deleted := 0
		for i := range s.Members {
			m := &s.Members[i]
			if m.State == nodegroups.Deleting || !slices.Contains(call.IDs, m.ID()) {
				continue
			}
			m.State, m.Failure = nodegroups.Deleting, nil
			s.Busy, s.Status = true, "UPDATE_IN_PROGRESS"
			deleted++
		}
		then(s, deleted)
		return nil
	})
}

// Shrink implements nodegroups.Stacks.
func (c *Stacks) Shrink(ctx context.Context, stackID string, by int) error {
	return c.order(ctx, Call{Method: "Shrink", StackID: stackID, By: by}, func(s *nodegroups.Stack) error {
		missing := 0
		for _, m := range s.Members {
			if m.Placeholder != "" {
				missing++
			}
		}
		if missing < by {
			return fmt.Errorf("fake: only %d members are missing", missing)
		}
		s.Target -= by
		refill(s)
		return nil
	})
}

func (c *Stacks) order(ctx context.Context, call Call, effect func(*nodegroups.Stack) error) error {
	if err := c.begin(ctx, call); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stacks[call.StackID]
	if s == nil {
		return ErrNoStack
	}
	s = clone(s)
	if err := effect(s); err != nil {
		return err
	}
	c.stacks[s.ID] = s
	return nil
}
