package heatstack

import "maps"

// Nova's words for servers that need them.
const (
	novaError       = "ERROR"
	novaBuild       = "BUILD"
	novaActive      = "ACTIVE"
	novaUnknown     = "UNKNOWN" // the server's cell can't be reached; most fields are missing then (microversion 2.69)
	novaDeleted     = "DELETED"
	novaSoftDeleted = "SOFT_DELETED"
	taskDeleting    = "deleting"
	taskSoftDelete  = "soft-deleting"
)

// gone says that a server is deleted, as far as Heat is concerned (heat/engine/clients/os/nova.py treats both alike).
func (s *Server) gone() bool { return s.Status == novaDeleted || s.Status == novaSoftDeleted }

// leaving says that a server is being deleted.
func (s *Server) leaving() bool { return s.TaskState == taskDeleting || s.TaskState == taskSoftDelete }

// stackID and index are what the template wrote into the server's metadata, "" if nothing.
func (s *Server) stackID() string { return s.Metadata[metadataStack] }
func (s *Server) index() string   { return s.Metadata[metadataIndex] }

// serverCache holds the project's living servers as they were last listed. It needs the lock of its Cloud.
// The *Server values are never changed once they are in it.
type serverCache struct {
	byID    map[string]*Server
	byStack map[string]map[string]*Server // by the stack id in their metadata, then by id
	// listed tells which stack Heat lists a server under, for servers without metadata.
	listed map[string]string
	// flavors and words make equal values share their memory.
	flavors map[string]FlavorRow
	words   map[string]string
}

func newServerCache() *serverCache {
	return &serverCache{
		byID: map[string]*Server{}, byStack: map[string]map[string]*Server{}, listed: map[string]string{},
		flavors: map[string]FlavorRow{}, words: map[string]string{},
	}
}

// apply takes in servers that changed, deleted ones included, and notes in touched which stacks they belong to.
// It returns the deleted ones that had never run.
func (c *serverCache) apply(servers []Server, touched map[string]bool) []casualty {
	var dead []casualty
	for i := range servers {
		if s := &servers[i]; s.gone() {
			if d, ok := c.casualtyOf(s, c.byID[s.ID]); ok {
				dead = append(dead, d)
			}
		}
		c.put(&servers[i], touched)
	}
	return dead
}

func (c *serverCache) put(s *Server, touched map[string]bool) {
	old := c.byID[s.ID]
	switch {
	case s.gone():
		c.drop(s.ID, touched)
		return
	case old != nil && s.Status == novaUnknown:
		return // only the cell's database is away
	case old != nil:
		s.Launched = s.Launched || old.Launched || old.Status == novaActive
		if sameServer(old, s) {
			return
		}
		c.drop(s.ID, touched)
	}
	kept := *s
	kept.Flavor = c.flavor(s.Flavor)
	kept.Zone, kept.Status = c.word(s.Zone), c.word(s.Status)
	c.byID[s.ID] = &kept
	if id := kept.stackID(); id != "" {
		if c.byStack[id] == nil {
			c.byStack[id] = map[string]*Server{}
		}
		c.byStack[id][s.ID] = &kept
	}
	c.touch(&kept, touched)
}

// drop forgets a server.
func (c *serverCache) drop(id string, touched map[string]bool) {
	old := c.byID[id]
	if old == nil {
		return
	}
	c.touch(old, touched)
	delete(c.byID, id)
	if in := c.byStack[old.stackID()]; in != nil {
		delete(in, id)
		if len(in) == 0 {
			delete(c.byStack, old.stackID())
		}
	}
}

func (c *serverCache) touch(s *Server, touched map[string]bool) {
	if id := s.stackID(); id != "" {
		touched[id] = true
	}
	if id := c.listed[s.ID]; id != "" {
		touched[id] = true
	}
}

// replace takes in a full list. Servers that are in it no more are forgotten, except those that belong to a stack: their ids
// are returned, since a member is not gone because a list does not show it.
func (c *serverCache) replace(servers []Server, touched map[string]bool) (missing []string) {
	seen := make(map[string]bool, len(servers))
	for i := range servers {
		seen[servers[i].ID] = true
	}
	c.apply(servers, touched)
	for id, s := range c.byID {
		switch {
		case seen[id]:
		case s.stackID() != "" || c.listed[id] != "":
			missing = append(missing, id)
		default:
			c.drop(id, touched)
		}
	}
	return missing
}

// list remembers which servers Heat lists in a stack.
func (c *serverCache) list(stackID string, rows []MemberRow) {
	maps.DeleteFunc(c.listed, func(_, in string) bool { return in == stackID })
	for _, row := range rows {
		if row.ServerID != "" {
			c.listed[row.ServerID] = stackID
		}
	}
}

func (c *serverCache) word(s string) string {
	if w, ok := c.words[s]; ok {
		return w
	}
	c.words[s] = s
	return s
}

// flavor shares equal flavors, above all their maps. A flavor's name may be used again with other sizes after it was deleted.
func (c *serverCache) flavor(f FlavorRow) FlavorRow {
	key := f.Name
	if key == "" {
		key = f.ID
	}
	if known, ok := c.flavors[key]; ok && sameFlavor(known, f) {
		return known
	}
	c.flavors[key] = f
	return f
}

func sameFlavor(a, b FlavorRow) bool {
	return a.ID == b.ID && a.Name == b.Name && a.VCPUs == b.VCPUs && a.RAMMiB == b.RAMMiB && a.DiskGiB == b.DiskGiB &&
		a.EphemeralGiB == b.EphemeralGiB && maps.Equal(a.ExtraSpecs, b.ExtraSpecs)
}

func sameServer(a, b *Server) bool {
	return a.Status == b.Status && a.TaskState == b.TaskState && a.Updated.Equal(b.Updated) && a.Name == b.Name &&
		a.Fault == b.Fault && a.Zone == b.Zone && a.Launched == b.Launched && maps.Equal(a.Metadata, b.Metadata) &&
		sameFlavor(a.Flavor, b.Flavor)
}
