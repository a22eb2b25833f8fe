//go:build pods

package pods_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/klog/v2"

	helmchart "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/chart"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

var (
	build     = flag.Bool("build", false, "build the programs, print their paths as assignments for a shell, and do nothing else")
	nodeImage = flag.String("node-image", "", "folder of the node image")
	pause     = flag.String("pause", "", "program of the workload's container image, test/vm/pause")
	dir       = flag.String("dir", "", "folder for the machines' files")
	cgroups   = flag.String("cgroups", "", "what the names of the nodes' cgroups begin with")
	// Compared with the one that the tests run in, to be sure that they make their devices in no other.
	outside = flag.String("outside", "", "the machine's own network namespace, as /proc/self/ns/net names it")
	archive = flag.String("archive", "", "the container image, as hack/image makes it")
	image   = flag.String("image", "", "its name")
)

const (
	chart          = "../../../deploy/chart/cluster-autoscaler-openstack"
	values         = "../testdata"
	cleanupTimeout = 30 * time.Second
)

// base and host are made by TestMain. The host's nodes have the chart's images.
var (
	base *world.Base
	host *vm.Host
)

func TestMain(m *testing.M) {
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var code int
	var err error
	if *build {
		err = buildPrograms(ctx)
	} else {
		code, err = run(ctx, m)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildPrograms(ctx context.Context) error {
	builder, err := binaries.New()
	if err != nil {
		return err
	}
	kubernetes, err := builder.Kubernetes(ctx)
	if err != nil {
		return err
	}
	autoscaler, err := builder.Autoscaler(ctx)
	if err != nil {
		return err
	}
	_, stock, err := builder.External(ctx)
	if err != nil {
		return err
	}
	helm, err := builder.Helm(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("E2E_KUBERNETES=%q E2E_AUTOSCALER=%q PODS_STOCK=%q PODS_HELM=%q\n", kubernetes, autoscaler, stock, helm)
	return err
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	if *archive == "" || *dir == "" || *cgroups == "" || os.Getenv("PODS_HELM") == "" {
		return 1, errors.New(`these tests need what test/chart/pods/run prepares: run "make test-chart-pods"`)
	}
	network, err := vm.NewNetwork(ctx, *outside)
	if err != nil {
		return 1, err
	}
	start := time.Now()
	say := func(what string) { fmt.Printf("%5.1fs %s\n", time.Since(start).Seconds(), what) }
	say("giving the nodes their container images")
	if err := makeHost(ctx, network); err != nil {
		return 1, err
	}
	base, err = world.StartBaseOn(ctx, network.Gateway, say)
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		err = errors.Join(err, base.Close(), host.RemoveCgroups(cleanup))
	}()
	if err != nil {
		return 1, err
	}
	stop, err := serveService(ctx, base.Cluster.Endpoint)
	if err != nil {
		return 1, err
	}
	defer stop()
	return world.RunTests(ctx, m)
}

func makeHost(ctx context.Context, network *vm.Network) error {
	scripts, err := filepath.Abs("../../vm")
	if err != nil {
		return err
	}
	first, err := vm.NewHost(ctx, *dir, scripts, *nodeImage, os.Getenv("E2E_KUBERNETES"), *pause, *cgroups, network)
	if err != nil {
		return err
	}
	stock, err := stockImage(ctx)
	if err != nil {
		return err
	}
	folder := filepath.Join(*dir, "chart")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	host, err = first.ForNodes(folder, []vm.ContainerImage{stock}, *archive)
	return err
}

// stockImage stands in for the stock image that the chart asks for, under its name: core's main of the module that the product links, at
// the place where the chart looks for it.
func stockImage(ctx context.Context) (vm.ContainerImage, error) {
	out, err := helm(ctx, "template", "try", chart, "--kube-version", strings.TrimPrefix(binaries.KubernetesVersion, "v"), "-f", values+"/values/minimal.yaml")
	if err != nil {
		return vm.ContainerImage{}, err
	}
	found := regexp.MustCompile(`image: "(registry\.k8s\.io/autoscaling/cluster-autoscaler:[^"]+)"`).FindStringSubmatch(out)
	if found == nil {
		return vm.ContainerImage{}, errors.New("the chart asks for no stock cluster-autoscaler")
	}
	program := filepath.Join(*dir, "cluster-autoscaler")
	if err := os.Symlink(os.Getenv("PODS_STOCK"), program); err != nil {
		return vm.ContainerImage{}, err
	}
	return vm.ContainerImage{References: []string{found[1]}, Program: program, User: "65532:65532"}, nil
}

// helm runs helm and returns what it prints.
func helm(ctx context.Context, arguments ...string) (string, error) {
	return helmchart.Helm(ctx, os.Getenv("PODS_HELM"), arguments...)
}
