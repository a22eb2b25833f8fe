package nodegroups

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// The forms of ids. Nodes that have joined carry them for life, so these constants must not be changed.
const (
	// providerIDPrefix begins the provider id of every OpenStack node; cloud-provider-openstack and kubelets write it.
	providerIDPrefix = "openstack://"
	// placeholderPrefix begins the id of a member that has no server yet.
	placeholderPrefix = "placeholder-"
)

// uuidLength is that of the canonical text form, 8-4-4-4-12 hexadecimal digits.
const uuidLength = 36

// ErrForeign says that the id is not that of an OpenStack server. Such nodes are none of our business, and no mistake either.
var ErrForeign = errors.New("not the id of an OpenStack server")

// ParseProviderID returns the server's UUID in lower case, and the region where the id names one. It understands
// openstack:///UUID and openstack://REGION/UUID (cloud-provider-openstack's two forms) and a bare UUID.
// Anything else, placeholders included, is ErrForeign.
func ParseProviderID(providerID string) (serverID, region string, err error) {
	rest, ok := strings.CutPrefix(providerID, providerIDPrefix)
	if ok {
		region, rest, ok = strings.Cut(rest, "/")
		if !ok {
			return "", "", fmt.Errorf("provider id %q: %w", providerID, ErrForeign)
		}
	}
	id, ok := canonicalUUID(rest)
	if !ok {
		return "", "", fmt.Errorf("provider id %q: %w", providerID, ErrForeign)
	}
	return id, region, nil
}

// FormatProviderID returns the provider id of a server: openstack:///UUID, or openstack://REGION/UUID with a region.
func FormatProviderID(region, serverID string) string {
	return providerIDPrefix + region + "/" + serverID
}

// ServerIDFromNode returns the UUID of the server that the node runs on: from spec.providerID, or, while that is empty
// (the cloud controller manager has not set it yet), from status.nodeInfo.systemUUID. For the node objects that
// cluster-autoscaler makes up for placeholders it is the placeholder's name. ErrForeign for every other node.
//
// Firmware that shows the UUID with swapped bytes can only be told by looking the server up: see Snapshot.ByNode.
func ServerIDFromNode(node *v1.Node) (string, error) {
	ids := candidateIDs(node)
	if len(ids) == 0 {
		return "", fmt.Errorf("node %q, provider id %q, system UUID %q: %w",
			node.Name, node.Spec.ProviderID, node.Status.NodeInfo.SystemUUID, ErrForeign)
	}
	return ids[0], nil
}

// candidateIDs returns the ids a node may have in a snapshot, the likeliest first.
func candidateIDs(node *v1.Node) []string {
	providerID := node.Spec.ProviderID
	if IsPlaceholder(providerID) {
		return []string{providerID}
	}
	if providerID != "" {
		// A provider id of another cloud settles it, whatever the system UUID may look like.
		id, _, err := ParseProviderID(providerID)
		if err != nil {
			return nil
		}
		return []string{id}
	}
	id, ok := canonicalUUID(node.Status.NodeInfo.SystemUUID)
	if !ok {
		return nil
	}
	return []string{id, swapUUID(id)}
}

// trimProviderID cuts everything up to the last slash, which leaves UUIDs and placeholders as they are.
func trimProviderID(providerID string) string {
	if !strings.HasPrefix(providerID, providerIDPrefix) {
		return providerID
	}
	return providerID[strings.LastIndexByte(providerID, '/')+1:]
}

// canonicalUUID returns s in lower case if it is a UUID in canonical text form.
func canonicalUUID(s string) (string, bool) {
	if len(s) != uuidLength {
		return "", false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return "", false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return "", false
			}
		}
	}
	return strings.ToLower(s), true
}

// swapUUID returns a canonical UUID with its first three fields in the other byte order. SMBIOS stores them little-endian
// (DMTF DSP0134, 7.2.1 "System - UUID") while firmware before SMBIOS 2.6 and some readers take them as big-endian.
func swapUUID(id string) string {
	b := []byte(id)
	for _, field := range [][2]int{{0, 8}, {9, 13}, {14, 18}} {
		f := b[field[0]:field[1]]
		for i, j := 0, len(f)-2; i < j; i, j = i+2, j-2 {
			f[i], f[j] = f[j], f[i]
			f[i+1], f[j+1] = f[j+1], f[i+1]
		}
	}
	return string(b)
}

// PlaceholderID names the k-th missing member of a stack, counted from 0.
func PlaceholderID(stackID string, k int) string {
	return placeholderPrefix + stackID + "-" + strconv.Itoa(k)
}

// IsPlaceholder says whether an id has the form of a placeholder's name.
func IsPlaceholder(id string) bool {
	_, _, ok := ParsePlaceholderID(id)
	return ok
}

// ParsePlaceholderID is the reverse of PlaceholderID.
func ParsePlaceholderID(id string) (stackID string, k int, ok bool) {
	rest, ok := strings.CutPrefix(id, placeholderPrefix)
	if !ok {
		return "", 0, false
	}
	dash := strings.LastIndexByte(rest, '-')
	if dash <= 0 {
		return "", 0, false
	}
	k, err := strconv.Atoi(rest[dash+1:])
	if err != nil || k < 0 {
		return "", 0, false
	}
	return rest[:dash], k, true
}
