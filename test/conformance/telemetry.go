package conformance

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Archive policies of the cases: with and without rates, both with periods of a minute.
const (
	ratePolicy = "conformance-rate"
	meanPolicy = "conformance-mean"
)

// Telemetry is what a case pushes into Gnocchi and reads from it.
type Telemetry struct {
	c *Case
	// Start is the beginning of the first period that measures are pushed for, some minutes ago.
	Start time.Time
}

// Telemetry prepares resource types and archive policies, as Ceilometer does when it is set up.
func (c *Case) Telemetry() *Telemetry {
	c.t.Helper()
	admin, err := api.Login(c.ctx, c.Cloud.AuthURL(), c.Cloud.Admin())
	require.NoError(c.t, err)
	make := func(path string, body any) {
		answer, err := admin.Do(c.ctx, http.MethodPost, api.Metric, path, body)
		require.NoError(c.t, err)
		// Cases run beside each other, and the cloud's own Ceilometer may have been faster.
		require.Contains(c.t, []int{http.StatusCreated, http.StatusConflict}, answer.Code, "%s: %s", path, answer.Body)
	}
	word := func(required bool) map[string]any { return map[string]any{"type": "string", "required": required} }
	make("/v1/resource_type", map[string]any{"name": "instance", "attributes": map[string]any{
		"display_name": word(true), "host": word(false), "image_ref": word(false), "flavor_id": word(true), "flavor_name": word(true), "server_group": word(false),
	}})
	make("/v1/resource_type", map[string]any{"name": "instance_disk", "attributes": map[string]any{
		"name": word(true), "instance_id": map[string]any{"type": "uuid", "required": true},
	}})
	for name, methods := range map[string][]string{ratePolicy: {"mean", "rate:mean"}, meanPolicy: {"mean"}} {
		make("/v1/archive_policy", map[string]any{
			"name": name, "back_window": 0, "aggregation_methods": methods, "definition": []any{map[string]any{"granularity": "60s", "timespan": "1 day"}},
		})
	}
	return &Telemetry{c: c, Start: time.Now().UTC().Truncate(time.Minute).Add(-20 * time.Minute)}
}

// Machine makes a resource of type instance and returns its id.
func (m *Telemetry) Machine(group string) string {
	m.c.t.Helper()
	id := newUUID()
	m.Resource("instance", id, map[string]any{"display_name": "m", "host": "h", "flavor_id": "1", "flavor_name": "m1.small", "server_group": group})
	return id
}

// Resource makes a resource with these attributes.
func (m *Telemetry) Resource(kind, id string, attributes map[string]any) {
	m.c.t.Helper()
	attributes["id"], attributes["user_id"], attributes["project_id"], attributes["metrics"] = id, m.c.Client.UserID, m.c.Client.ProjectID, map[string]any{}
	answer := m.c.Do(http.MethodPost, api.Metric, "/v1/resource/"+kind, attributes)
	require.Equal(m.c.t, http.StatusCreated, answer.Code, "%s", answer.Body)
}

// newUUID makes an id as Nova's are.
func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// TryPush delivers values of a metric from Start on, one every interval.
func (m *Telemetry) TryPush(resource, metric, policy string, interval time.Duration, values ...float64) *api.Response {
	m.c.t.Helper()
	measures := make([]any, 0, len(values))
	for i, v := range values {
		at := m.Start.Add(time.Duration(i) * interval)
		measures = append(measures, map[string]any{"timestamp": at.Format("2006-01-02T15:04:05"), "value": v})
	}
	body := map[string]any{resource: map[string]any{metric: map[string]any{"archive_policy_name": policy, "unit": "x", "measures": measures}}}
	return m.c.Do(http.MethodPost, api.Metric, "/v1/batch/resources/metrics/measures?create_metrics=true", body)
}

// Push is TryPush that has to be accepted.
func (m *Telemetry) Push(resource, metric, policy string, interval time.Duration, values ...float64) {
	m.c.t.Helper()
	answer := m.TryPush(resource, metric, policy, interval, values...)
	require.Equal(m.c.t, http.StatusAccepted, answer.Code, "%s", answer.Body)
}

// Question is a request to /v1/aggregates.
type Question struct {
	operations string
	search     any
	kind       string // instance if empty
	parameters url.Values
}

// byID searches machines.
func byID(ids ...string) any { return map[string]any{"in": map[string]any{"id": ids}} }

// Ask sends a request to /v1/aggregates for periods of a minute from Start on, unless its parameters say otherwise.
func (m *Telemetry) Ask(client *api.Client, q Question) *api.Response {
	m.c.t.Helper()
	if q.kind == "" {
		q.kind = "instance"
	}
	parameters := url.Values{"granularity": {"60"}, "start": {m.Start.Format("2006-01-02T15:04:05")}}
	for key, value := range q.parameters {
		parameters[key] = value
	}
	body := map[string]any{"operations": q.operations, "search": q.search, "resource_type": q.kind}
	answer, err := client.Do(m.c.ctx, http.MethodPost, api.Metric, "/v1/aggregates?"+parameters.Encode(), body)
	require.NoError(m.c.t, err)
	return answer
}

// refused requires a refusal with this code and the cause in its JSON.
func (m *Telemetry) refused(answer *api.Response, code int, cause, reason string) {
	m.c.t.Helper()
	require.Equal(m.c.t, code, answer.Code, "%s", answer.Body)
	var body struct {
		Description struct {
			Cause  string `json:"cause"`
			Reason string `json:"reason"`
		} `json:"description"`
	}
	require.NoError(m.c.t, answer.JSON(&body))
	require.Equal(m.c.t, cause, body.Description.Cause)
	require.Equal(m.c.t, reason, body.Description.Reason)
}

// ByMachine are points by machine, metric and aggregation.
type ByMachine map[string]map[string]map[string][]Measure

// Measure is a point: when, how wide, how much.
type Measure [3]any

func values(points []Measure) []float64 {
	out := []float64{}
	for _, p := range points {
		out = append(out, p[2].(float64))
	}
	return out
}

// Read asks for one series per machine.
func (m *Telemetry) Read(q Question) ByMachine {
	m.c.t.Helper()
	answer := m.Ask(m.c.Client, q)
	require.Equal(m.c.t, http.StatusOK, answer.Code, "%s", answer.Body)
	var body struct {
		Measures ByMachine `json:"measures"`
	}
	require.NoError(m.c.t, answer.JSON(&body))
	return body.Measures
}

// ReadGroups asks for one series per server group.
func (m *Telemetry) ReadGroups(q Question) map[string][]Measure {
	m.c.t.Helper()
	q.parameters = url.Values{"groupby": {"server_group"}}
	answer := m.Ask(m.c.Client, q)
	require.Equal(m.c.t, http.StatusOK, answer.Code, "%s", answer.Body)
	var body []struct {
		Group struct {
			ServerGroup string `json:"server_group"`
		} `json:"group"`
		Measures struct {
			Measures struct {
				Aggregated []Measure `json:"aggregated"`
			} `json:"measures"`
		} `json:"measures"`
	}
	require.NoError(m.c.t, answer.JSON(&body))
	out := map[string][]Measure{}
	for _, one := range body {
		out[one.Group.ServerGroup] = one.Measures.Measures.Aggregated
	}
	return out
}

// Visible waits until so many periods of a machine's metric can be read: measures are processed a while after they arrive.
func (m *Telemetry) Visible(id, metric string, periods int) {
	m.c.t.Helper()
	m.c.Eventually(fmt.Sprintf("%d periods of %s", periods, metric), m.c.Cloud.Patience(), func() bool {
		return len(m.Read(Question{operations: "(metric " + metric + " mean)", search: byID(id)})[id][metric]["mean"]) >= periods
	})
}
