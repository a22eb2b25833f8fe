package world

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// startExternal starts the product's gRPC server and beside it a stock cluster-autoscaler, with the flags that one program would
// have had. What is asked of the Autoscaler is asked of the server: it has the metrics of the cloud.
func (w *World) startExternal(ctx context.Context, address string, arguments []string) error {
	builder, err := binaries.New()
	if err != nil {
		return err
	}
	serverPath, stockPath, err := builder.External(ctx)
	if err != nil {
		return err
	}
	grpcAddress, err := ports.Address(ctx)
	if err != nil {
		return err
	}
	stockAddress, err := ports.Address(ctx)
	if err != nil {
		return err
	}
	config := filepath.Join(filepath.Dir(w.kubeconfig), "external.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "address: %s\n", grpcAddress), 0o600); err != nil {
		return err
	}
	serverFlags, err := flagsOf(ctx, serverPath)
	if err != nil {
		return err
	}
	stockFlags, err := flagsOf(ctx, stockPath)
	if err != nil {
		return err
	}
	forServer := []string{"--grpc-address=" + grpcAddress, "--address=" + address}
	// The one program has it by default, and a stock one needs it to grow a group to its floor.
	forStock := []string{"--cloud-provider=externalgrpc", "--cloud-config=" + config, "--address=" + stockAddress, "--enforce-node-group-min-size"}
	for _, argument := range arguments {
		name, _, _ := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		switch name {
		case "cloud-provider", "address":
			continue
		}
		if serverFlags[name] {
			forServer = append(forServer, argument)
		}
		if stockFlags[name] && !aboutCloud[name] {
			forStock = append(forStock, argument)
		}
	}
	p, err := w.processes.Start(w.Name+"-grpc", process.Options{Env: w.Cloud.Env}, serverPath, forServer...)
	if err != nil {
		return err
	}
	w.Autoscaler = &Autoscaler{process: p, address: address}
	if err := w.Until(ctx, healthTimeout, "the gRPC server to be healthy", w.Autoscaler.healthy); err != nil {
		return err
	}
	if p, err = w.processes.Start(w.Name+"-stock", process.Options{}, stockPath, forStock...); err != nil {
		return err
	}
	w.stock = &Autoscaler{process: p, address: stockAddress}
	return w.Until(ctx, healthTimeout, "the stock cluster-autoscaler to be healthy", w.stock.healthy)
}

// aboutCloud are flags of a stock cluster-autoscaler that say in external mode nothing, or something else.
var aboutCloud = map[string]bool{"cloud-config": true, "nodes": true, "node-group-auto-discovery": true}

// flagName finds a flag in --help.
var flagName = regexp.MustCompile(`(?m)^ +(?:-[a-z], )?--([a-z0-9-]+)`)

// flagsOf asks a program for its flags.
func flagsOf(ctx context.Context, program string) (map[string]bool, error) {
	text, err := exec.CommandContext(ctx, program, "--help").CombinedOutput() //nolint:gosec // a program that was built for the tests
	names := map[string]bool{}
	for _, match := range flagName.FindAllSubmatch(text, -1) {
		names[string(match[1])] = true
	}
	if len(names) == 0 { // some programs end with a code other than 0 after an answer
		return nil, fmt.Errorf("%s --help: %w: %s", program, err, text)
	}
	return names, nil
}
