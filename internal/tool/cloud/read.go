// Package cloud reads node groups from OpenStack for the operator's tool, with the autoscaler's own eyes and without its hands.
package cloud

import (
	"context"
	"errors"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Reader reads node groups, again and again if wanted: what has not changed is not asked for twice. The first Read costs two lists
// (stacks, servers), one of flavors, and two or three calls for each stack; later ones cost the two lists and what has moved.
type Reader struct {
	stacks  *heatstack.Cloud
	manager *nodegroups.Manager
}

// NewReader returns a Reader for the stacks of session's project that are wanted. Close it in the end.
func NewReader(session *openstack.Session, discovery []heatstack.Discovery, named []heatstack.NamedStack) *Reader {
	heat := readOnly{heatstack.NewHeat(session)}
	stacks := heatstack.New(heat, heatstack.NewNova(session), heatstack.Options{
		Discovery: discovery, Named: named, Region: session.Region(), DryRun: true,
	})
	return &Reader{stacks: stacks, manager: nodegroups.NewManager(stacks, nil, nodegroups.ManagerOptions{})}
}

// Read reads what changed. An error means that nothing was learnt; the snapshot is what was known before.
func (r *Reader) Read(ctx context.Context) (*nodegroups.Snapshot, error) {
	err := r.manager.Refresh(ctx)
	return r.manager.Snapshot(), err
}

// Close ends what runs in the background.
func (r *Reader) Close() { r.stacks.Close() }

// readOnly is Heat for somebody who only looks. heatstack's dry run sends no change; this makes sure of it.
type readOnly struct{ heatstack.Heat }

// errReadOnly is returned in place of every change.
var errReadOnly = errors.New("this program only reads")

// Patch implements heatstack.Heat.
func (readOnly) Patch(context.Context, string, string, map[string]any) error { return errReadOnly }

// Check implements heatstack.Heat.
func (readOnly) Check(context.Context, string, string) error { return errReadOnly }

// MarkUnhealthy implements heatstack.Heat.
func (readOnly) MarkUnhealthy(context.Context, heatstack.MemberRow, string) error { return errReadOnly }
