package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
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
	folder, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before the folder goes, whose files are watched
	own, err := newCertificate(folder)
	if err != nil {
		return err
	}
	ours := externalgrpc.New(ctx, r.provider, externalgrpc.Options{})
	plain, err := serveOurs(ctx, ours, externalgrpc.Listen{Address: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	encrypted, err := serveOurs(ctx, ours, externalgrpc.Listen{
		Address: "127.0.0.1:0", CertFile: own.certFile, KeyFile: own.keyFile, ClientCAFile: own.certFile,
	})
	if err != nil {
		return err
	}
	lookUp, err := lookUpOverGRPC(ctx, r, plain)
	if err != nil {
		return err
	}
	print("grpc_nodegroupfornode_us", float64(lookUp)/float64(time.Microsecond), "us")

	canned, err := newCanned(ctx, ours, r)
	if err != nil {
		return err
	}
	empty, stop, err := canned.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	plainConfig := fmt.Sprintf("address: %s\n", plain)
	ratio, err := loopRatio(ctx, r, plainConfig, fmt.Sprintf("address: %s\n", empty))
	if err != nil {
		return err
	}
	print("grpc_loop_overhead_ratio_n1000", ratio, "ratio")
	ratio, err = loopRatio(ctx, r, fmt.Sprintf("address: %s\ncert: %s\nkey: %s\ncacert: %s\n", encrypted, own.certFile, own.keyFile, own.certFile), plainConfig)
	if err != nil {
		return err
	}
	print("grpc_loop_tls_ratio_n1000", ratio, "ratio")
	return nil
}

// serveOurs serves until ctx ends, and returns the address.
func serveOurs(ctx context.Context, server *externalgrpc.Server, l externalgrpc.Listen) (string, error) {
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- server.Serve(ctx, l, func(a net.Addr) { listening <- a.String() })
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

// loopRatio is how much longer core's loop takes with one server than with another, each given by a client's cloud-config. The loops of both take turns, the first of a pair
// in turns too, and each pair has a ratio, of which the middle one counts: what else the machine does meanwhile hits both of a pair, or
// only few pairs.
func loopRatio(ctx context.Context, r *rig, one, other string) (float64, error) {
	const warm, pairs = 2, 41
	var worlds [2]*loopWorld
	for i, cloudConfig := range []string{one, other} {
		client, err := stockClient(cloudConfig)
		if err != nil {
			return 0, err
		}
		if worlds[i], err = newLoopWorld(ctx, r, client); err != nil {
			return 0, err
		}
		defer worlds[i].close()
	}
	ratios := make([]float64, 0, pairs)
	for pair := range warm + pairs {
		var times [2]time.Duration
		for turn := range worlds {
			i := (pair + turn) % len(worlds)
			runtime.GC() // what one leaves behind is not for the other to collect
			var err error
			if times[i], err = worlds[i].loop(); err != nil {
				return 0, err
			}
		}
		if pair >= warm { // the first ones fill core's caches
			ratios = append(ratios, float64(times[0])/float64(times[1]))
		}
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], nil
}

// stockClient is the cloud provider of a stock cluster-autoscaler with this cloud-config.
func stockClient(cloudConfig string) (core.CloudProvider, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "cloud-config.yaml")
	if err := os.WriteFile(file, []byte(cloudConfig), 0o600); err != nil {
		return nil, err
	}
	opts := loopOptions()
	opts.CloudConfig = file
	return stock.BuildExternalGrpc(opts, core.NodeGroupDiscoveryOptions{}, core.NewResourceLimiter(nil, nil)), nil
}
