package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	core "k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	stock "k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider/externalgrpc"
)

// benchGRPC measures a stock cluster-autoscaler over gRPC: 1,000 busy nodes in 10 groups.
func benchGRPC(ctx context.Context, print func(string, float64, string)) error {
	const groups, each = 10, 100
	r, err := newRig(ctx, cloudSpec{Groups: groups, MembersEach: each, Speed: 1})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.expectGroups(groups, each); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ours := externalgrpc.New(ctx, r.provider, externalgrpc.Options{})
	address, err := serveOurs(ctx, ours)
	if err != nil {
		return err
	}
	lookUp, err := lookUpOverGRPC(ctx, r, address)
	if err != nil {
		return err
	}
	print("grpc_nodegroupfornode_us", float64(lookUp)/float64(time.Microsecond), "us")

	canned, err := newCanned(ctx, ours, r)
	if err != nil {
		return err
	}
	cannedAddress, stop, err := canned.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	ratio, err := loopRatio(ctx, r, address, cannedAddress)
	if err != nil {
		return err
	}
	print("grpc_loop_overhead_ratio_n1000", ratio, "ratio")
	return nil
}

// serveOurs serves on loopback until ctx ends.
func serveOurs(ctx context.Context, server *externalgrpc.Server) (string, error) {
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- server.Serve(ctx, externalgrpc.Listen{Address: "127.0.0.1:0"}, func(a net.Addr) { listening <- a.String() })
	}()
	select {
	case address := <-listening:
		return address, nil
	case err := <-ended:
		return "", err
	}
}

// lookUpOverGRPC is the mean time of one NodeGroupForNode over all nodes in turn, one after the other, as clients ask.
func lookUpOverGRPC(ctx context.Context, r *rig, address string) (time.Duration, error) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	client := protos.NewCloudProviderClient(connection)
	const rounds = 5
	var began time.Time
	asked := 0
	for round := range rounds + 1 {
		if round == 1 {
			began, asked = time.Now(), 0
		}
		for _, servers := range r.info.Servers {
			for _, id := range servers {
				answer, err := client.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{
					Node: &protos.ExternalGrpcNode{Name: "node-" + id, ProviderID: "openstack:///" + id},
				})
				if err != nil || answer.GetNodeGroup().GetId() == "" {
					return 0, fmt.Errorf("no group for %s: %w", id, err)
				}
				asked++
			}
		}
	}
	return time.Since(began) / time.Duration(asked), nil
}

// loopRatio is how much longer core's loop takes with our server than with one that answers at once. The loops of both take
// turns, so that what else the machine does meanwhile hits both.
func loopRatio(ctx context.Context, r *rig, ours, canned string) (float64, error) {
	const loops = 15
	var worlds [2]*loopWorld
	for i, address := range []string{ours, canned} {
		client, err := stockClient(address)
		if err != nil {
			return 0, err
		}
		if worlds[i], err = newLoopWorld(ctx, r, client); err != nil {
			return 0, err
		}
		defer worlds[i].close()
	}
	var times [2][]time.Duration
	for loop := range loops + 2 {
		for i, w := range worlds {
			took, err := w.loop()
			if err != nil {
				return 0, err
			}
			if loop >= 2 { // the first ones fill core's caches
				times[i] = append(times[i], took)
			}
		}
	}
	return float64(median(times[0])) / float64(median(times[1])), nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// stockClient is the cloud provider of a stock cluster-autoscaler.
func stockClient(address string) (core.CloudProvider, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "cloud-config.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "address: %s\n", address), 0o600); err != nil {
		return nil, err
	}
	opts := loopOptions()
	opts.CloudConfig = file
	return stock.BuildExternalGrpc(opts, core.NodeGroupDiscoveryOptions{}, core.NewResourceLimiter(nil, nil)), nil
}
