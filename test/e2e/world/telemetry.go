package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// TelemetryOptions say how load is measured.
type TelemetryOptions struct {
	// Interval is how often servers are polled, and the granularity of the archive policy that is made for it.
	Interval time.Duration
	// OnError is told of what goes wrong in the background and may pass by itself; it may be nil.
	OnError func(error)
}

// Telemetry plays Ceilometer: at each interval it reads what the processors of a node group's servers have done, which the test
// says, and publishes it to Gnocchi by the requests of Ceilometer's own publisher. Safe for concurrent use.
type Telemetry struct {
	world   *World
	options TelemetryOptions
	policy  string
	stop    context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// work is what a group's servers have to do together, in percent of one server's processors.
	work map[*Group]float64
	// rates are the rates of single servers by their id, instead of a share of the work: percent, negative for a counter that runs
	// backwards.
	rates map[string]float64
	// silent servers are not polled.
	silent map[string]bool
	// late is subtracted from all times.
	late     time.Duration
	counters map[string]float64 // nanoseconds of processor time, by server id
}

// StartTelemetry begins to measure the load of the world's node groups. It ends with the world or with Stop.
func (w *World) StartTelemetry(ctx context.Context, options TelemetryOptions) (*Telemetry, error) {
	options.OnError = w.remember("telemetry", options.OnError)
	t := &Telemetry{
		world: w, options: options, policy: fmt.Sprintf("e2e-rate-%d", int(options.Interval.Seconds())),
		work: map[*Group]float64{}, rates: map[string]float64{}, silent: map[string]bool{}, counters: map[string]float64{},
	}
	if err := t.prepare(ctx); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	t.stop = stop
	t.running.Go(func() { t.run(background) })
	w.telemetry = append(w.telemetry, t)
	return t, nil
}

// Stop ends it, and waits until nothing is sent any more.
func (t *Telemetry) Stop() {
	t.stop()
	t.running.Wait()
}

// Work sets what a group's servers have to do together, in percent of one server: 255 on three servers are 85 percent each, and on
// five 51. None does more than 100 percent.
func (t *Telemetry) Work(group *Group, percent float64) {
	t.change(func() { t.work[group] = percent })
}

// Rate makes one server do this much, whatever the others do.
func (t *Telemetry) Rate(server string, percent float64) {
	t.change(func() { t.rates[server] = percent })
}

// Silence makes a server be measured no more.
func (t *Telemetry) Silence(server string) {
	t.change(func() { t.silent[server] = true })
}

// Normal makes a server do its share of the work, and be measured, again.
func (t *Telemetry) Normal(server string) {
	t.change(func() { delete(t.rates, server); delete(t.silent, server) })
}

// Late makes measures arrive so late.
func (t *Telemetry) Late(by time.Duration) {
	t.change(func() { t.late = by })
}

func (t *Telemetry) change(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

// instanceAttributes are those that Ceilometer gives the resource type of servers, as far as they are used.
var instanceAttributes = []string{"display_name", "host", "flavor_id", "flavor_name", "server_group"}

// prepare makes, as the cloud's administrator, what Ceilometer's installation makes: the resource type and an archive policy.
func (t *Telemetry) prepare(ctx context.Context) error {
	attributes := map[string]any{}
	for _, name := range instanceAttributes {
		attributes[name] = map[string]any{"type": "string", "min_length": 0, "max_length": 255, "required": false}
	}
	err := t.post(ctx, "/v1/resource_type", map[string]any{"name": "instance", "attributes": attributes})
	if err != nil && !openstack.IsConflict(err) {
		return err
	}
	err = t.post(ctx, "/v1/archive_policy", map[string]any{
		"name": t.policy, "aggregation_methods": []string{"mean", "rate:mean"}, "back_window": 0,
		"definition": []any{map[string]any{"granularity": t.options.Interval.Seconds(), "timespan": (24 * time.Hour).Seconds()}},
	})
	if openstack.IsConflict(err) {
		return nil
	}
	return err
}

// run polls at round times, so that each width of time has exactly one point of each server.
func (t *Telemetry) run(ctx context.Context) {
	for {
		now := time.Now()
		at := now.Truncate(t.options.Interval).Add(t.options.Interval)
		timer := time.NewTimer(at.Sub(now))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		if err := t.poll(ctx, at); err != nil && ctx.Err() == nil {
			t.options.OnError(err)
		}
	}
}

// poll measures all servers once.
func (t *Telemetry) poll(ctx context.Context, at time.Time) error {
	t.mu.Lock()
	work := maps.Clone(t.work)
	t.mu.Unlock()
	batch, resources := map[string]any{}, map[string]any{}
	for group, percent := range work {
		servers, err := group.Servers(ctx)
		if err != nil {
			return err
		}
		maps.DeleteFunc(servers, func(_ string, s Server) bool { return s.Status != "ACTIVE" })
		for _, server := range servers {
			if m := t.measure(server, min(100, percent/float64(len(servers))), at); m != nil {
				batch[server.ID] = map[string]any{"cpu": m}
				resources[server.ID] = t.resource(server)
			}
		}
	}
	if len(batch) == 0 {
		return nil
	}
	const path = "/v1/batch/resources/metrics/measures?create_metrics=true"
	err := t.post(ctx, path, batch)
	for _, id := range unknownResources(err) {
		if err := t.post(ctx, "/v1/resource/instance", resources[id]); err != nil && !openstack.IsConflict(err) {
			return err
		}
	}
	if unknownResources(err) != nil {
		err = t.post(ctx, path, batch)
	}
	return err
}

// measure is a server's counter of processor time now, nil if it is not measured.
func (t *Telemetry) measure(server Server, percent float64, at time.Time) any {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own, ok := t.rates[server.ID]; ok {
		percent = own
	}
	if _, ok := t.counters[server.ID]; !ok {
		t.counters[server.ID] = float64(time.Hour)
	}
	// The usual flavor has one processor.
	t.counters[server.ID] += percent / 100 * float64(t.options.Interval)
	if t.silent[server.ID] {
		return nil
	}
	return map[string]any{
		"archive_policy_name": t.policy, "unit": "ns",
		"measures": []any{map[string]any{"timestamp": at.Add(-t.late).UTC().Format("2006-01-02T15:04:05"), "value": t.counters[server.ID]}},
	}
}

// resource is what Ceilometer tells of a server at its first sample.
func (t *Telemetry) resource(server Server) map[string]any {
	return map[string]any{
		"id": server.ID, "project_id": t.world.Cloud.Session.ProjectID(), "user_id": usualUser, "display_name": server.Name, "host": "host",
		"flavor_id": t.world.Cloud.Flavor, "flavor_name": t.world.Cloud.Flavor, "server_group": server.Metadata["metering.server_group"],
		"metrics": map[string]any{},
	}
}

// unknownResources are those that a refusal of measures names.
func unknownResources(err error) []string {
	var refused gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &refused) || refused.Actual != http.StatusBadRequest {
		return nil
	}
	var body struct {
		Description struct {
			Cause  string `json:"cause"`
			Detail []struct {
				ID string `json:"original_resource_id"`
			} `json:"detail"`
		} `json:"description"`
	}
	if json.Unmarshal(refused.Body, &body) != nil || body.Description.Cause != "Unknown resources" {
		return nil
	}
	var ids []string
	for _, d := range body.Description.Detail {
		ids = append(ids, d.ID)
	}
	return ids
}

// post makes something in the metric service as the cloud's administrator.
func (t *Telemetry) post(ctx context.Context, path string, body any) error {
	client, err := t.world.Cloud.Administrator.Metric(ctx)
	if err != nil {
		return err
	}
	return call(ctx, client, http.MethodPost, strings.TrimSuffix(client.Endpoint, "/")+path, body, nil)
}
