package heatstack

import (
	"context"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// flavorBook holds the flavors as they were last listed. It needs the lock of its Cloud, except fetch.
type flavorBook struct {
	byName, byID map[string]*nodegroups.Flavor
	read         time.Time
	// missed is when a flavor was last looked for in vain, by name or id.
	missed map[string]time.Time
}

// find returns a flavor by id or name, nil if it is not known. The id is tried first, as Heat does it
// (heat/engine/clients/os/nova.py, find_flavor_by_name_or_id).
func (b *flavorBook) find(nameOrID string) *nodegroups.Flavor {
	if f := b.byID[nameOrID]; f != nil {
		return f
	}
	return b.byName[nameOrID]
}

// stale says whether flavors have to be listed before one of wanted can be told.
func (b *flavorBook) stale(wanted []string, now time.Time) bool {
	for _, w := range wanted {
		if b.read.IsZero() || now.Sub(b.read) >= flavorLifetime {
			return true
		}
		if missed, tried := b.missed[w]; b.find(w) == nil && (!tried || now.Sub(missed) >= unknownFlavorRetry) {
			return true
		}
	}
	return false
}

// learn takes in a list and notes which of wanted are still not there.
func (b *flavorBook) learn(rows []FlavorRow, wanted []string, now time.Time) {
	b.byName = make(map[string]*nodegroups.Flavor, len(rows))
	b.byID = make(map[string]*nodegroups.Flavor, len(rows))
	b.missed = map[string]time.Time{}
	b.read = now
	for _, row := range rows {
		f := flavorOf(row)
		b.byID[row.ID], b.byName[row.Name] = f, f
	}
	for _, w := range wanted {
		if b.find(w) == nil {
			b.missed[w] = now
		}
	}
}

func flavorOf(row FlavorRow) *nodegroups.Flavor {
	return &nodegroups.Flavor{
		ID: row.ID, Name: row.Name, VCPUs: row.VCPUs,
		RAMMiB: row.RAMMiB, DiskGiB: row.DiskGiB, EphemeralGiB: row.EphemeralGiB, ExtraSpecs: row.ExtraSpecs,
	}
}

// readFlavors lists the flavors if a stack that is about to be shown needs one that is not known. Failing is a problem and no error.
func (c *Cloud) readFlavors(ctx context.Context) {
	now := c.opts.Clock.Now()
	c.mu.Lock()
	var wanted []string
	for _, st := range c.stacks {
		if st.dirty {
			wanted = append(wanted, st.wantedFlavor(c.servers)...)
		}
	}
	stale := c.flavors.stale(wanted, now)
	c.mu.Unlock()
	if !stale {
		return
	}
	rows, err := c.nova.ListFlavors(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flavorProblem = nil
	if err != nil {
		c.flavorProblem = &nodegroups.Problem{
			Reason: nodegroups.ReasonUnknownFlavor, Severity: nodegroups.Warning,
			Message: "the flavors can't be listed: " + openstack.Message(err),
		}
		return
	}
	c.flavors.learn(rows, wanted, now)
	for _, st := range c.stacks {
		// Extra specs may have changed.
		st.dirty = st.dirty || st.read
	}
}
