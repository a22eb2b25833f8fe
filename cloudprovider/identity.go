package cloudprovider

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// defaultPrefix stands before the UUID in a provider id while no node has shown another form.
const defaultPrefix = "openstack:///"

// uuidLength is the length of a server's UUID as text, with which every form of a provider id ends.
const uuidLength = 36

// hiddenGenerations is for how many refreshes a node without a provider id is remembered after it was last seen. Core
// shows every node in every loop that is not aborted early; a few spare refreshes bridge loops that are.
const hiddenGenerations = 5

// prefixOf returns what stands before the UUID in a provider id: openstack:///, openstack://REGION/ or nothing. ok is
// false for ids that are not OpenStack's, and for placeholders.
func prefixOf(providerID string) (prefix string, ok bool) {
	if _, _, err := nodegroups.ParseProviderID(providerID); err != nil {
		return "", false
	}
	return providerID[:len(providerID)-uuidLength], true
}

// identities knows in which form each server's node writes its provider id. Core matches instances and nodes by comparing
// Instance.Id with node.Spec.ProviderID as text, so the form must be the node's own: otherwise every node is unregistered
// for ever and is deleted when its provision time is over. The forms are learnt from the nodes that core shows us. Safe
// for concurrent use.
type identities struct {
	generation atomic.Int64

	mu sync.RWMutex
	// exact maps a server to its node's provider id, as text.
	exact map[string]string
	// hidden maps a server whose node has no provider id to the generation in which that node was last seen.
	hidden map[string]int64
	// prefixes counts in exact how many nodes use a form.
	prefixes map[string]int
	// hinted is the form of a node that is not ours, such as a control plane's: the best guess before the first of ours.
	hinted *string
	// common is the form of most nodes.
	common string
}

func newIdentities() *identities {
	return &identities{
		exact:    map[string]string{},
		hidden:   map[string]int64{},
		prefixes: map[string]int{},
		common:   defaultPrefix,
	}
}

// learn notes that server's node has this provider id.
func (n *identities) learn(server, providerID string) {
	n.mu.RLock()
	known, hidden := n.exact[server], false
	if len(n.hidden) > 0 {
		_, hidden = n.hidden[server]
	}
	n.mu.RUnlock()
	if known == providerID && !hidden {
		return
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.hidden, server)
	prefix, ok := prefixOf(providerID)
	if !ok {
		return
	}
	n.forget(server)
	n.exact[server] = strings.Clone(providerID)
	n.prefixes[prefix]++
	n.recount()
}

// hint notes the form of a node of this cluster that is not ours.
func (n *identities) hint(providerID string) {
	prefix, ok := prefixOf(providerID)
	if !ok {
		return
	}
	n.mu.RLock()
	known := n.hinted != nil && *n.hinted == prefix
	n.mu.RUnlock()
	if known {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hinted = &prefix
	n.recount()
}

// hide notes that server's node is there without a provider id. It returns true if that is news.
func (n *identities) hide(server string) bool {
	now := n.generation.Load()
	n.mu.Lock()
	defer n.mu.Unlock()
	_, known := n.hidden[server]
	n.hidden[server] = now
	return !known
}

// instanceID returns the id under which core is told of server. ok is false if the server's node has no provider id: no
// id would match it, and core would delete the server as unregistered.
func (n *identities) instanceID(server string) (id string, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if _, hidden := n.hidden[server]; hidden {
		return "", false
	}
	if exact, known := n.exact[server]; known {
		return exact, true
	}
	return n.common + server, true
}

// newGeneration forgets the servers that keep no longer wants, and nodes without a provider id that have not been seen
// for a while: their Node object is gone, so that their server counts as unregistered from now on.
func (n *identities) newGeneration(keep func(server string) bool) {
	now := n.generation.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	for server, seen := range n.hidden {
		if now-seen > hiddenGenerations || !keep(server) {
			delete(n.hidden, server)
		}
	}
	for server := range n.exact {
		if !keep(server) {
			n.forget(server)
		}
	}
	n.recount()
}

// forget drops what is known of server's form. The caller holds mu.
func (n *identities) forget(server string) {
	id, known := n.exact[server]
	if !known {
		return
	}
	delete(n.exact, server)
	if prefix, ok := prefixOf(id); ok {
		if n.prefixes[prefix]--; n.prefixes[prefix] == 0 {
			delete(n.prefixes, prefix)
		}
	}
}

// recount finds the most common form. When no node is left, the form that was common stays. The caller holds mu.
func (n *identities) recount() {
	if len(n.prefixes) == 0 {
		if n.hinted != nil && len(n.exact) == 0 && n.common == defaultPrefix {
			n.common = *n.hinted
		}
		return
	}
	forms := slices.Collect(maps.Keys(n.prefixes))
	n.common = slices.MaxFunc(forms, func(a, b string) int {
		return cmp.Or(cmp.Compare(n.prefixes[a], n.prefixes[b]), cmp.Compare(b, a))
	})
}
