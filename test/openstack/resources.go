package simulator

import (
	"fmt"
	"time"
)

// Flavor is a Nova flavor.
type Flavor struct {
	// ID is made if empty.
	ID, Name               string
	VCPUs, RAMMiB, DiskGiB int
	EphemeralGiB, SwapMiB  int
	ExtraSpecs             map[string]string
	// NoValidHost makes every server of this flavor go to ERROR because no host has room.
	NoValidHost bool
	// Capacity is how many servers of this flavor the hosts have room for; 0 is no limit.
	Capacity int

	servers int
}

// Image is a Glance image.
type Image struct {
	// ID is made if empty.
	ID, Name string
	// Properties such as hw_architecture or os_type.
	Properties map[string]string
	MinDiskGiB int
	created    time.Time
}

// Network is a Neutron network with one subnet, 10.0.0.0/16.
type Network struct {
	ID, Name string
	subnet   string
	created  time.Time
}

// AddFlavor makes a flavor, or changes the one of that name, and returns its id.
func (s *Simulator) AddFlavor(f Flavor) string {
	s.lock()
	defer s.mu.Unlock()
	if old := s.flavor(f.Name); old != nil {
		f.ID, f.servers = old.ID, old.servers
		*old = f
		return old.ID
	}
	if f.ID == "" {
		f.ID = s.uuid()
	}
	s.flavors = append(s.flavors, &f)
	return f.ID
}

// SetNoValidHost says whether the hosts have room for servers of a flavor.
func (s *Simulator) SetNoValidHost(flavor string, none bool) {
	s.lock()
	defer s.mu.Unlock()
	f := s.flavor(flavor)
	if f == nil {
		panic(fmt.Sprintf("simulated OpenStack: no flavor %q", flavor))
	}
	f.NoValidHost = none
}

// SetCapacity says for how many servers of a flavor the hosts have room; 0 is no limit.
func (s *Simulator) SetCapacity(flavor string, servers int) {
	s.lock()
	defer s.mu.Unlock()
	f := s.flavor(flavor)
	if f == nil {
		panic(fmt.Sprintf("simulated OpenStack: no flavor %q", flavor))
	}
	f.Capacity = servers
}

// AddImage makes an image and returns its id.
func (s *Simulator) AddImage(i Image) string {
	s.lock()
	defer s.mu.Unlock()
	if i.ID == "" {
		i.ID = s.uuid()
	}
	i.created = s.now
	s.images = append(s.images, &i)
	return i.ID
}

// AddNetwork makes a network that all projects share and returns its id.
func (s *Simulator) AddNetwork(name string) string {
	s.lock()
	defer s.mu.Unlock()
	n := &Network{ID: s.uuid(), Name: name, subnet: s.uuid(), created: s.now}
	s.networks = append(s.networks, n)
	return n.ID
}

func (s *Simulator) flavor(nameOrID string) *Flavor {
	for _, f := range s.flavors {
		if f.ID == nameOrID || f.Name == nameOrID {
			return f
		}
	}
	return nil
}

func (s *Simulator) image(nameOrID string) *Image {
	for _, i := range s.images {
		if i.ID == nameOrID || i.Name == nameOrID {
			return i
		}
	}
	return nil
}

func (s *Simulator) network(nameOrID string) *Network {
	for _, n := range s.networks {
		if n.ID == nameOrID || n.Name == nameOrID {
			return n
		}
	}
	return nil
}
