package app

import (
	"context"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// connection is what both forms of the program have once they have signed in.
type connection struct {
	*cloud
	session  *openstack.Session
	reporter nodegroups.Reporter
	join     *joining
}

// connect signs in and builds the node groups. Close it in the end.
func (p *program) connect(ctx context.Context) (*connection, error) {
	session, err := signIn(ctx, p.settings, p.observer)
	if err != nil {
		return nil, err
	}
	teller := events.NewReporter(ctx, p.recorder, p.core.ConfigNamespace, p.core.StatusConfigMapName, nil)
	c := &connection{session: session, reporter: events.Tee(teller, p.observer)}
	if c.join, err = p.newJoining(c.reporter); err != nil {
		return nil, err
	}
	floors, err := p.newFloors(session, teller, c.reporter)
	if err != nil {
		return nil, err
	}
	c.cloud, err = p.newCloud(context.WithoutCancel(ctx), session, c.reporter, c.join, floors)
	if err != nil {
		return nil, err
	}
	p.manager.Store(c.manager)
	p.showCloud(c)
	return c, nil
}

// close gives up what waits to be sent.
func (c *connection) close() {
	_ = c.provider.Cleanup()
	c.stacks.Close()
}
