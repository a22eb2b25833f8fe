package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// Network is the tenant network of the simulated cloud, as a bridge in this process' network namespace. It is gone, with
// everything that is plugged into it, when the last process in the namespace ends.
type Network struct {
	// Bridge is the device that machines are plugged into.
	Bridge string
	// Gateway is this process' own address on it, Netmask and Prefix that of all addresses of the simulated cloud.
	Gateway, Netmask string
	Prefix           int

	plugs atomic.Int64
}

var errNotAlone = errors.New("this process is not in a network namespace of its own; start it by test/vm/run")

// NewNetwork makes the network. outside is the network namespace that this process must not be in: the machine's own, as
// /proc/self/ns/net names it.
func NewNetwork(ctx context.Context, outside string) (*Network, error) {
	inside, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	if outside == "" || inside == outside {
		return nil, errNotAlone
	}
	// The simulated cloud counts its addresses up from 10.0.0.1.
	n := &Network{Bridge: "br0", Gateway: "10.0.255.254", Netmask: "255.255.0.0", Prefix: 16}
	return n, n.run(ctx,
		[]string{"link", "set", "lo", "up"},
		[]string{"link", "add", n.Bridge, "type", "bridge"},
		[]string{"address", "add", fmt.Sprintf("%s/%d", n.Gateway, n.Prefix), "dev", n.Bridge},
		[]string{"link", "set", n.Bridge, "up"},
	)
}

// PlugName is a name for a device that will be plugged in, new at every call.
func (n *Network) PlugName() string { return fmt.Sprintf("plug%d", n.plugs.Add(1)) }

// Tap makes a device that a virtual machine's network card can be.
func (n *Network) Tap(ctx context.Context) (string, error) {
	name := n.PlugName()
	return name, n.run(ctx,
		[]string{"tuntap", "add", name, "mode", "tap"},
		[]string{"link", "set", name, "master", n.Bridge},
		[]string{"link", "set", name, "up"},
	)
}

// Route leads what is meant for the addresses of cidr to the machine at via, as a cloud's router would be told to.
func (n *Network) Route(ctx context.Context, cidr, via string) error {
	return n.run(ctx, []string{"route", "replace", cidr, "via", via, "dev", n.Bridge})
}

func (n *Network) run(ctx context.Context, commands ...[]string) error {
	for _, command := range commands {
		if _, err := process.Run(ctx, process.Options{}, "ip", command...); err != nil {
			return err
		}
	}
	return nil
}
