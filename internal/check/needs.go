package check

import (
	"context"
	"sync"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// templateNeeds are what the stacks' templates need. Several checks want to know it, and a template costs two requests.
type templateNeeds struct {
	mu     sync.Mutex
	read   bool
	needs  access.Needs
	unread []access.Unread
}

func (t *templateNeeds) of(ctx context.Context, templates access.Templates, groups []*nodegroups.Group) (access.Needs, []access.Unread) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.read {
		return t.needs, t.unread
	}
	needs, unread := access.NeedsOfStacks(ctx, templates, groups)
	if ctx.Err() == nil { // else a check whose time is over would spoil it for the next
		t.read, t.needs, t.unread = true, needs, unread
	}
	return needs, unread
}

// needs are what the node groups ask of the cloud, as far as it is known, and what is not.
func (w *World) needs(ctx context.Context) (access.Needs, unknownNeeds) {
	if w.Snapshot == nil {
		return access.Needs{}, unknownNeeds{{"needs of the node groups", "they could not be read: " + text(w.SnapshotErr, "none were given")}}
	}
	groups := w.Snapshot.Groups()
	needs := access.NeedsOf(groups, w.Setup.Defaults.Source, w.Setup.Aetos)
	if w.Heat == nil {
		return needs, unknownNeeds{{"needs of the stacks", "their templates can't be read: no Heat was given"}}
	}
	more, unread := w.templates.of(ctx, w.Heat, groups)
	var unknown unknownNeeds
	for _, u := range unread {
		unknown = append(unknown, [2]string{"needs of stack " + u.Stack, "its template can't be read: " + message(u.Err)})
	}
	return needs.Or(more), unknown
}

// unknownNeeds are things whose needs are not known, each with the reason.
type unknownNeeds [][2]string

// skip says so.
func (u unknownNeeds) skip(f *findings) {
	for _, one := range u {
		f.skip(one[0], "", "%s", one[1])
	}
}
