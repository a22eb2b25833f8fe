// serve shows the status page of simulated worlds, for the test in a browser and for people who change the page:
//
//	go run ./test/page/serve
//
// prints a line "NAME URL" for each story, then serves until its standard input ends.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/web"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/page/world"
)

func main() {
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	names := flag.Args()
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(world.Stories))
	}
	for _, name := range names {
		tell, ok := world.Stories[name]
		if !ok {
			return fmt.Errorf("there is no story %q; there are %v", name, slices.Sorted(maps.Keys(world.Stories)))
		}
		w, err := tell(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer w.Close()
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer web.Serve(ctx, listener, web.New(w.Book.Status, w.Clock))()
		fmt.Printf("%s http://%s\n", name, listener.Addr())
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
