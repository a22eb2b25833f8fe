// Command heatstart measures on a real Heat how long a new server of a node group takes from the PATCH that orders it to
// its appearance in Nova: with the whole group in one stack, and with the same group spread over ten stacks. Heat visits
// every member of a stack before it makes a new one, which is why a node group may be several stacks.
//
// It prints
//
//	bench heat_server_start_s_60in1 <seconds> s
//	bench heat_server_start_s_60in10 <seconds> s
//
// each the mean of several starts, and deletes its stacks.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
)

func main() {
	folder := flag.String("lab", os.Getenv("LAB_DIR"), "state folder of the lab that test/lab/up has brought up")
	members := flag.Int("members", 60, "size of the node group")
	stacks := flag.Int("stacks", 10, "number of stacks when it is spread")
	starts := flag.Int("starts", 3, "starts to take the mean of")
	leave := flag.Bool("leave", false, "leave the second group behind, for a lab that is taken down next")
	limit := flag.Duration("limit", 20*time.Minute, "when to give up")
	flag.Parse()
	if *folder == "" {
		*folder = filepath.Join(os.TempDir(), "cluster-autoscaler-openstack-lab")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	err := run(ctx, *folder, *members, *stacks, *starts, *leave)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "heatstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string, members, stacks, starts int, leave bool) error {
	cloud, err := lab.Open(folder)
	if err != nil {
		return err
	}
	client, err := api.Login(ctx, cloud.AuthURL(), cloud.User())
	if err != nil {
		return err
	}
	one, err := measure(ctx, client, members, 1, starts, false)
	if err != nil {
		return err
	}
	fmt.Printf("bench heat_server_start_s_%din1 %.1f s\n", members, one.Seconds())
	spread, err := measure(ctx, client, members, stacks, starts, leave)
	if err != nil {
		return err
	}
	fmt.Printf("bench heat_server_start_s_%din%d %.1f s\n", members, stacks, spread.Seconds())
	fmt.Printf("a node group in %d stacks starts a server in %.0f %% of the time (the aim: at most 25 %%)\n",
		stacks, 100*spread.Seconds()/one.Seconds())
	return nil
}
