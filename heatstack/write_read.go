package heatstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// errSuperseded: an update of ours was lost to somebody else's, whose template may not be the one that the stack was read with.
var errSuperseded = errors.New("the stack has to be read again: somebody else has updated it at the same time")

// look is a stack as the writer has just read it.
type look struct {
	observation
	detail *StackDetail
	ref    stackRef
	facts  templateFacts
}

// see reads the stack, and its members if asked to. The parameters are read last, so that they are the newest. The blacklist
// is read after the members: an index leaves the listing only after Heat has written it down.
func (w *writer) see(ctx context.Context, members bool) (*look, error) {
	w.mu.Lock()
	l := &look{ref: w.ref}
	w.mu.Unlock()
	heat := w.all.heat
	var err error
	if l.facts, err = w.all.hooks.template(ctx, l.ref); err != nil {
		return nil, err
	}
	if members {
		if l.Rows, err = heat.ListMembers(ctx, l.ref.Name, l.ref.ID, l.facts.Group); err != nil {
			return nil, err
		}
		group, err := heat.GetGroup(ctx, l.ref.Name, l.ref.ID, l.facts.Group)
		if err != nil {
			return nil, err
		}
		l.Members, l.Group, l.Nested = true, *group, l.facts.Nested
		if l.Dead, err = w.deadAmong(ctx, l.Rows); err != nil {
			return nil, err
		}
	}
	if l.detail, err = heat.GetStack(ctx, l.ref.Name, l.ref.ID); err != nil {
		return nil, err
	}
	if err := l.understand(); err != nil {
		return nil, err
	}
	isLost := w.reconcile(l.detail, l.Count, l.List)
	w.compare(l)
	if isLost {
		w.all.hooks.superseded(l.ref.ID)
	}
	w.all.hooks.observed(l.detail)
	if isLost {
		w.report(lostUpdate())
		return nil, errSuperseded
	}
	return l, nil
}

// isUnchanged tells whether nobody has updated the stack since it was looked at.
func (w *writer) isUnchanged(ctx context.Context, l *look) (bool, error) {
	detail, err := w.all.heat.GetStack(ctx, l.ref.Name, l.ref.ID)
	if err != nil {
		return false, err
	}
	now := *l
	now.detail = detail
	if err := now.understand(); err != nil {
		return false, err
	}
	return detail.key() == l.detail.key() && now.Count == l.Count && sameEntries(now.List, l.List), nil
}

// understand takes what a plan needs out of the stack's parameters. A size that can't be read is never a size.
func (l *look) understand() error {
	parameters, names := l.detail.Parameters, l.ref.Config.Parameters
	size, ok := parameters[names.Size]
	if !ok {
		return missingParameter(names.Size)
	}
	list, ok := parameters[names.Removal]
	if !ok {
		return missingParameter(names.Removal)
	}
	if l.Count, ok = parseSize(size); !ok {
		return fmt.Errorf("parameter %s=%q is no size", names.Size, size)
	}
	l.List = parseList(list)
	l.Status = l.detail.Status
	l.Append = l.facts.mode(parameters) == removalAppend
	return nil
}

func missingParameter(name string) nodegroups.Problem {
	p := problemError(nodegroups.ReasonMissingParameter, "the stack has no such parameter, and Heat would drop it without a word",
		"name the right parameter by annotation")
	p.Key = name
	return p
}

// compare says what of the stack is our own work.
func (w *writer) compare(l *look) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != nil {
		l.Own = w.last.shows(l.Count, l.List)
		l.OwnList = w.last.listOurs && sameEntries(w.last.list, l.List)
		l.Unconfirmed = w.last.unconfirmed
	}
	isOurs := l.Unconfirmed || l.Own && w.last.updated == l.detail.Updated
	now := w.all.opts.Clock.Now()
	if w.updated != "" && w.updated != l.detail.Updated && !isOurs {
		w.quietUntil = now.Add(overtakenFor) // it may have met ours
	}
	w.updated = l.detail.Updated
	l.Restless = now.Before(w.quietUntil)
	// An update that shows our parameters may be somebody else's, who wants others, as long as it is not known that they would show.
	l.Hidden = l.Status == "UPDATE_IN_PROGRESS" && !isOurs && !w.isConvergent
	l.Own = l.Own && !l.Hidden
	if busy := isBusy(l.Status); !busy || !isOurs {
		w.othersAtWork = busy
	}
	if isOurs {
		return
	}
	for _, r := range w.removals {
		r.keep = nil // somebody else has updated the stack: who went with it is not our doing
	}
}

// deadChecks bounds the questions to Nova about one listing. One living CHECK_FAILED server is enough to stop an update.
const deadChecks = 20

// deadAmong asks Nova which servers of CHECK_FAILED members are gone or broken, so that replacing them harms nobody.
func (w *writer) deadAmong(ctx context.Context, rows []MemberRow) (map[string]bool, error) {
	dead := map[string]bool{}
	asked := 0
	for _, row := range rows {
		if row.Status != "CHECK_FAILED" || row.ServerID == "" || asked == deadChecks {
			continue
		}
		asked++
		isDead, err := w.isDead(ctx, row.ServerID)
		if err != nil {
			return nil, err
		}
		if isDead {
			dead[row.ServerID] = true
		}
	}
	return dead, nil
}

// isDead tells whether Nova has no such server, or only one that could not be made. A server that has run may still run in ERROR, after
// a resize that failed.
func (w *writer) isDead(ctx context.Context, id string) (bool, error) {
	server, err := w.all.nova.GetServer(ctx, id)
	switch {
	case isNotFound(err):
		return true, nil
	case err != nil:
		return false, err
	}
	return server.Status == "DELETED" || server.Status == novaError && !server.Launched, nil
}
