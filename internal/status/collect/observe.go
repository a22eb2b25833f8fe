package collect

import (
	"context"
	"fmt"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// Refreshed takes a point of history after a good reading; it belongs to cloudprovider.Observer, as do the next two.
func (b *Book) Refreshed(_ time.Duration, err error) {
	b.noteDerived()
	if err == nil {
		b.sample()
	}
}

// noteDerived marks the problems that the snapshot has: it alone says from now on whether they hold.
func (b *Book) noteDerived() {
	problems := b.snapshot().Problems()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range problems {
		p.Message = ""
		if s := b.problems[p]; s != nil {
			s.derived = true
		}
	}
}

// Panicked writes down that a bug was caught.
func (b *Book) Panicked(entry string) {
	b.note(status.Decision{
		Kind: status.DecisionProblem, Result: status.ResultFailed, Code: "Panic",
		Reason: entry + " panicked, which is a bug: please report it with the log; the loop went on",
	})
}

// Decided writes down what a dry run would have done.
func (b *Book) Decided(group, action string, count int) {
	b.note(status.Decision{
		Kind: action, Group: group, Count: count, Result: status.ResultDryRun,
		Reason: fmt.Sprintf("without the dry run: %s %s", action, members(count)),
	})
}

// Removed writes down what has become of removals in a stack; it is heatstack.Options.Removed.
func (b *Book) Removed(stack string, verified, wrong int) {
	d := status.Decision{Kind: status.DecisionVerify, Group: b.groupOf(stack), Stack: stack}
	if verified > 0 {
		d.Count, d.Result, d.Reason = verified, status.ResultOK, members(verified)+" that were named have gone"
		if wrong == 0 {
			d.Reason += ", and no others"
		}
		b.note(d)
	}
	if wrong > 0 {
		d.Count, d.Result, d.Code = wrong, status.ResultWrong, nodegroups.ReasonWrongRemoval
		d.Reason = members(wrong) + " went that nobody had named: find out who else changes the stack"
		b.note(d)
	}
}

// groupOf is the node group that a stack of this name belongs to.
func (b *Book) groupOf(stack string) string {
	for _, g := range b.snapshot().Groups() {
		for _, s := range g.Stacks {
			if s.Name == stack {
				return g.Name
			}
		}
	}
	return ""
}

// FloorChanged writes a floor down; it belongs to ceilometer.Observer.
func (b *Book) FloorChanged(_ context.Context, change ceilometer.Change) {
	d := status.Decision{Kind: status.DecisionFloor, Group: change.State.Group, Result: status.ResultOK, Reason: change.State.Reason}
	if change.Had {
		d.From = &change.From
	}
	if change.Has {
		d.To = &change.To
	}
	b.note(d)
}

// HeldBack notes which broken members are not replaced, and why; it belongs to nodelife.Observer.
func (b *Book) HeldBack(members map[nodelife.Held]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = members
}

// TokenMinted writes down that a token was made; it belongs to bootstrap.TokenObserver, as do the next two.
func (b *Book) TokenMinted(group string) {
	b.note(status.Decision{
		Kind: status.DecisionToken, Group: group, Result: status.ResultOK, Reason: "a bootstrap token was made for new members",
	})
}

// TokenRevoked writes down that one was deleted.
func (b *Book) TokenRevoked(group string, reason bootstrap.RevokedReason) {
	b.note(status.Decision{
		Kind: status.DecisionToken, Group: group, Result: status.ResultOK, Reason: fmt.Sprintf("a bootstrap token was deleted: %s", reason),
	})
}

// TokensLive notes how many there are.
func (b *Book) TokensLive(byGroup map[string]bootstrap.Live) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = byGroup
}

// CSRDecided counts a verdict, and writes down what was not approved; it belongs to bootstrap.ApprovalObserver.
func (b *Book) CSRDecided(signer, decision, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.certificates[certificate{signer, decision, reason}]++
	if decision == string(bootstrap.Approved) {
		return
	}
	result := status.ResultFailed
	if decision == string(bootstrap.Pending) {
		result = status.ResultWaiting
	}
	b.write(status.Decision{
		Kind: status.DecisionCertificate, Result: result, Code: reason,
		Reason: fmt.Sprintf("a request for a certificate by %s is %s; its Event says why", signer, decision),
	})
}

// BackedOff notes that core does not grow a node group until then; it belongs to autoscaler.BackOffObserver, as does the next.
func (b *Book) BackedOff(group string, until time.Time, class, code, message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.backOffs[group]
	b.backOffs[group] = status.BackOff{Until: until, Class: class, Code: code, Message: message}
	if before.Until.After(b.clock.Now()) && before.Code == code && before.Message == message {
		return // several members failed for one reason
	}
	reason := "cluster-autoscaler does not grow the node group for a while: " + code
	if message != "" {
		reason += ": " + message
	}
	b.write(status.Decision{Kind: status.DecisionBackOff, Group: group, Result: status.ResultWaiting, Code: code, Reason: reason})
}

// BackOffEnded notes that it may grow again.
func (b *Book) BackOffEnded(group string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.backOffs, group)
}
