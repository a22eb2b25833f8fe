package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// Autoscaler is a running cluster-autoscaler-openstack.
type Autoscaler struct {
	process *process.Process
	address string
}

// quick are flags that let everything happen in seconds that takes minutes in production; but for the removal of nodes that are not ready,
// which on a busy computer would be those that just start.
func quick() []string {
	return []string{
		"--scan-interval=1s",
		"--scale-down-unneeded-time=4s", "--scale-down-delay-after-add=2s",
		"--scale-down-delay-after-delete=0s", "--scale-down-delay-after-failure=2s", "--unremovable-node-recheck-timeout=2s",
		"--initial-node-group-backoff-duration=20s", "--max-node-group-backoff-duration=30s", "--node-group-backoff-reset-timeout=1m",
		"--max-node-provision-time=2m",
		"--node-delete-delay-after-taint=1s", "--skip-nodes-with-system-pods=false",
	}
}

// healthTimeout bounds what takes a second or two on an idle computer, and stopTimeout the end of a loop that is under way.
const (
	healthTimeout = 2 * time.Minute
	stopTimeout   = time.Minute
)

// StartAutoscaler starts the autoscaler for the world's node groups and waits until it is healthy. Flags given here win
// over the quick ones.
func (w *World) StartAutoscaler(ctx context.Context, flags ...string) error {
	return w.startAutoscaler(ctx, append(quick(), flags...))
}

// StartPatientAutoscaler starts it with no flags but those it needs to work at all, and the ones given.
func (w *World) StartPatientAutoscaler(ctx context.Context, flags ...string) error {
	return w.startAutoscaler(ctx, flags)
}

func (w *World) startAutoscaler(ctx context.Context, flags []string) error {
	address, err := ports.Address(ctx)
	if err != nil {
		return err
	}
	arguments := []string{
		"--cloud-provider=openstack", "--kubeconfig=" + w.kubeconfig, "--leader-elect=false",
		// What cluster-info says is an address of this computer only. Here that is where the machines are.
		"--bootstrap-api-server=" + w.base.Cluster.Endpoint,
		fmt.Sprintf("--node-group-auto-discovery=heat:tag=%s,tag=%s", enabledTag, w.clusterTag()),
		"--namespace=" + w.Name, "--address=" + address, "--v=2",
	}
	arguments = append(append(arguments, w.Cloud.Arguments...), flags...)
	if w.external {
		return w.startExternal(ctx, address, arguments)
	}
	p, err := w.processes.Start(w.Name+"-autoscaler", process.Options{Env: w.Cloud.Env}, w.base.autoscaler, arguments...)
	if err != nil {
		return err
	}
	w.Autoscaler = &Autoscaler{process: p, address: address}
	return w.Until(ctx, healthTimeout, "the autoscaler to be healthy", w.Autoscaler.healthy)
}

func (a *Autoscaler) healthy(ctx context.Context) error {
	_, err := a.get(ctx, "/health-check")
	return err
}

// Metrics reads the autoscaler's metrics in Prometheus' text form.
func (a *Autoscaler) Metrics(ctx context.Context) (string, error) { return a.get(ctx, "/metrics") }

// Log is the end of the autoscaler's log.
func (a *Autoscaler) Log() string { return process.Tail(a.process.LogPath, 20000) }

// WholeLog is all of the autoscaler's log.
func (a *Autoscaler) WholeLog() (string, error) {
	text, err := os.ReadFile(a.process.LogPath)
	return string(text), err
}

// StockLog is all of the log of the stock cluster-autoscaler that runs beside the product, empty if none does.
func (w *World) StockLog() (string, error) {
	if w.stock == nil {
		return "", nil
	}
	return w.stock.WholeLog()
}

// PID is the autoscaler's process id: a restart would change it.
func (a *Autoscaler) PID() int { return a.process.PID() }

func (a *Autoscaler) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.address+path, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(path + ": " + response.Status + ": " + strings.TrimSpace(string(text)))
	}
	return string(text), err
}
