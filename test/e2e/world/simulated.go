package world

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// Seed is a simulator's seed, made of the name of the world that has the simulator. Clouds with the same seed have projects and servers with
// the same ids, and worlds may share a control plane: the autoscaler of one would take another one's nodes for its own.
func Seed(world string) uint64 {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(world)) // a hash never fails to write
	return seed.Sum64()
}

// Simulated makes a Cloud of a simulator that has been started. The credentials go to a cloud.conf in dir.
func Simulated(ctx context.Context, sim *simulator.Simulator, dir string) (*Cloud, error) {
	path := filepath.Join(dir, "cloud.conf")
	session, err := signIn(ctx, sim, path, usualUser)
	if err != nil {
		return nil, err
	}
	administrator, err := signIn(ctx, sim, filepath.Join(dir, "admin.conf"), usualAdmin)
	if err != nil {
		return nil, err
	}
	return &Cloud{
		Session: session, Administrator: administrator, Hypervisor: simulatedHypervisor{sim}, Arguments: []string{"--cloud-config=" + path},
		Image: usualImage, Network: usualNetwork, Flavor: usualFlavor, Disposable: true,
	}, nil
}

// signIn signs a user of the simulated cloud in, with credentials that are written to path.
func signIn(ctx context.Context, sim *simulator.Simulator, path, user string) (*openstack.Session, error) {
	if err := os.WriteFile(path, []byte(sim.CloudConf(user, user)), 0o600); err != nil {
		return nil, err
	}
	session, err := openstack.NewSession(ctx, openstack.Options{CloudConfig: path, Rate: noRateLimit})
	if err != nil {
		return nil, fmt.Errorf("sign in to the simulated cloud as %s: %w", user, err)
	}
	return session, nil
}

// simulatedHypervisor looks into the simulated cloud directly, so that machines live on while its API is broken.
type simulatedHypervisor struct{ sim *simulator.Simulator }

// Servers implements machines.Cloud.
func (h simulatedHypervisor) Servers(context.Context) ([]machines.Server, error) {
	var servers []machines.Server
	for _, server := range h.sim.Servers() {
		servers = append(servers, machines.Server{
			ID: server.ID, Name: server.Name, Active: server.Status == "ACTIVE",
			// A server that breaks after it has run is one whose host has died.
			Off:      server.Status == "SHUTOFF" || server.Status == "ERROR",
			UserData: []byte(server.UserData), Zone: server.Zone,
			ProjectID: server.ProjectID, Metadata: server.Metadata, Address: server.Address, MAC: server.MAC,
			VCPUs: server.Flavor.VCPUs, RAMMiB: int64(server.Flavor.RAMMiB), DiskGiB: int64(server.Flavor.DiskGiB),
		})
	}
	return servers, nil
}
