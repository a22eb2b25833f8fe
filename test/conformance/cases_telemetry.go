package conformance

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// The machines of all groups are read by one request that names them, and each has its own series: no groupby is needed.
func telemetryIsReadByMachineInOneCall(t *testing.T, c *Case) {
	m := c.Telemetry()
	one, two := m.Machine("one-"+newUUID()), m.Machine("two-"+newUUID())
	m.Push(one, "cpu", ratePolicy, time.Minute, 100, 160, 220, 280)
	m.Push(two, "cpu", ratePolicy, time.Minute, 5, 6, 7, 8)
	m.Visible(one, "cpu", 4)
	m.Visible(two, "cpu", 4)
	read := m.Read(Question{operations: "(metric (cpu mean) (cpu rate:mean))", search: byID(one, two)})
	require.Len(t, read, 2)
	require.Equal(t, []float64{100, 160, 220, 280}, values(read[one]["cpu"]["mean"]))
	require.Equal(t, []float64{60, 60, 60}, values(read[one]["cpu"]["rate:mean"]))
	require.Equal(t, []float64{1, 1, 1}, values(read[two]["cpu"]["rate:mean"]))
	first := read[one]["cpu"]["rate:mean"][0]
	require.Equal(t, m.Start.Add(time.Minute).Format("2006-01-02T15:04:05+00:00"), first[0], "the beginning of the period")
	require.InDelta(t, 60, first[1], 0)
}

// rate:mean is the mean growth from poll to poll, not per granularity: here three polls in a period.
func telemetryRateIsPerPoll(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, 20*time.Second, 0, 10, 20, 30, 40, 50, 60, 70, 80)
	m.Visible(id, "cpu", 3)
	read := m.Read(Question{operations: "(metric (cpu mean) (cpu rate:mean))", search: byID(id)})
	require.Equal(t, []float64{10, 10, 10}, values(read[id]["cpu"]["rate:mean"]))
	require.Equal(t, []float64{10, 40, 70}, values(read[id]["cpu"]["mean"]), "the mean grows by the load of the whole period")
}

// A counter that begins anew makes one period negative, and the next one is right again.
func telemetryResetIsANegativeRate(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, time.Minute, 500, 560, 10, 70)
	m.Visible(id, "cpu", 4)
	require.Equal(t, []float64{60, -550, 60}, values(m.Read(Question{operations: "(metric cpu rate:mean)", search: byID(id)})[id]["cpu"]["rate:mean"]))
}

func telemetryOfUnknownMachinesIsAbsent(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, time.Minute, 1, 2)
	m.Visible(id, "cpu", 2)
	require.Len(t, m.Read(Question{operations: "(metric cpu mean)", search: byID(newUUID(), id, newUUID())}), 1)
	m.refused(m.Ask(c.Client, Question{operations: "(metric cpu mean)", search: byID(newUUID())}), http.StatusBadRequest, "Metrics not found", "")
}

func telemetryOfUnknownMetricIs400(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, time.Minute, 1, 2)
	m.refused(m.Ask(c.Client, Question{operations: "(metric cpu_util mean)", search: byID(id)}), http.StatusBadRequest, "Metrics not found", "")
	// A machine that has another metric only is left out, and does no harm.
	other := m.Machine("g")
	m.Push(other, "memory.usage", meanPolicy, time.Minute, 1, 2)
	m.Visible(id, "cpu", 2)
	read := m.Read(Question{operations: "(metric cpu mean)", search: byID(id, other)})
	require.Len(t, read, 1)
	require.Contains(t, read, id)
}

func telemetryWithoutPointsIsAnEmptySeries(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, time.Minute, 1, 2)
	m.Visible(id, "cpu", 2)
	long := url.Values{"start": {"2020-01-01T00:00:00"}, "stop": {"2020-01-02T00:00:00"}}
	read := m.Read(Question{operations: "(metric (cpu mean) (cpu rate:mean))", search: byID(id), parameters: long})
	require.Equal(t, []Measure{}, read[id]["cpu"]["mean"])
	require.Equal(t, []Measure{}, read[id]["cpu"]["rate:mean"])
}

func telemetryOfUnknownAggregationIs404(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", meanPolicy, time.Minute, 1, 2)
	m.refused(m.Ask(c.Client, Question{operations: "(metric cpu rate:mean)", search: byID(id)}), http.StatusNotFound, "Metrics with unknown aggregation", "")
}

func telemetryOfOtherGranularityIs400(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, time.Minute, 1, 2)
	answer := m.Ask(c.Client, Question{operations: "(metric cpu rate:mean)", search: byID(id), parameters: url.Values{"granularity": {"300"}}})
	m.refused(answer, http.StatusBadRequest, "Metrics can't being aggregated", "Granularities are missing")
	answer = m.Ask(c.Client, Question{operations: "(metric cpu rate:mean)", search: byID(id), parameters: url.Values{"granularity": {"often"}}})
	m.refused(answer, http.StatusBadRequest, "Argument value error", "Unable to parse timespan")
}

// A member that has fallen silent cannot be told from an aggregate: it is the mean of the others.
func telemetryAggregateHidesSilentMachine(t *testing.T, c *Case) {
	m := c.Telemetry()
	group := newUUID()
	alive, silent, never := m.Machine(group), m.Machine(group), m.Machine(group)
	m.Push(alive, "cpu", ratePolicy, time.Minute, 0, 60, 120, 180)
	m.Push(silent, "cpu", ratePolicy, time.Minute, 0, 20)
	m.Visible(alive, "cpu", 4)
	m.Visible(silent, "cpu", 2)
	q := Question{operations: "(aggregate mean (metric cpu rate:mean))", search: byID(alive, silent, never)}
	require.Equal(t, []float64{40, 60, 60}, values(m.ReadGroups(q)[group]))
	read := m.Read(Question{operations: "(metric cpu rate:mean)", search: q.search})
	require.Len(t, read[alive]["cpu"]["rate:mean"], 3)
	require.Len(t, read[silent]["cpu"]["rate:mean"], 1)
	require.NotContains(t, read, never)
}

func telemetryOfUnknownGroupIsAbsent(t *testing.T, c *Case) {
	m := c.Telemetry()
	group := newUUID()
	id := m.Machine(group)
	m.Push(id, "cpu", ratePolicy, time.Minute, 1, 2)
	m.Visible(id, "cpu", 2)
	search := map[string]any{"in": map[string]any{"server_group": []string{group, newUUID()}}}
	read := m.ReadGroups(Question{operations: "(aggregate sum (metric cpu rate:mean))", search: search})
	require.Len(t, read, 1)
	require.Equal(t, []float64{1}, values(read[group]))
	answer := m.Ask(c.Client, Question{operations: "(aggregate sum (metric cpu rate:mean))", search: map[string]any{"=": map[string]any{"server_group": newUUID()}}})
	m.refused(answer, http.StatusBadRequest, "Metrics not found", "")
}

// Where one metric has a point and the other has none, the sum of nothing is 0: a busy group looks idle.
func telemetryOfTwoMetricsIsFalselyZero(t *testing.T, c *Case) {
	m := c.Telemetry()
	group := newUUID()
	id := m.Machine(group)
	m.Push(id, "cpu", ratePolicy, time.Minute, 0, 60, 120)
	m.Push(id, "vcpus", meanPolicy, time.Minute, 2, 2, 2, 2, 2)
	m.Visible(id, "cpu", 3)
	m.Visible(id, "vcpus", 5)
	operations := "(/ (aggregate sum (metric cpu rate:mean)) (aggregate sum (metric vcpus mean)))"
	require.Equal(t, []float64{0, 30, 30, 0, 0}, values(m.ReadGroups(Question{operations: operations, search: byID(id)})[group]))
}

// A disk is a resource of its own, whose id is not the machine's. The answer's details say whose it is.
func telemetryDetailsNameTheMachine(t *testing.T, c *Case) {
	m := c.Telemetry()
	server := newUUID()
	m.Resource("instance_disk", server+"-vda", map[string]any{"name": "vda", "instance_id": server})
	m.Push(server+"-vda", "disk.device.read.bytes", ratePolicy, time.Minute, 0, 60, 120)
	q := Question{
		operations: "(metric disk.device.read.bytes rate:mean)", search: map[string]any{"in": map[string]any{"instance_id": []string{server}}},
		kind: "instance_disk", parameters: url.Values{"details": {"true"}},
	}
	var body struct {
		Measures   ByMachine `json:"measures"`
		References []struct {
			ID       string `json:"id"`
			Original string `json:"original_resource_id"`
			Instance string `json:"instance_id"`
		} `json:"references"`
	}
	c.Eventually("two rates", c.Cloud.Patience(), func() bool {
		answer := m.Ask(c.Client, q)
		require.Equal(t, http.StatusOK, answer.Code, "%s", answer.Body)
		require.NoError(t, answer.JSON(&body))
		require.Len(t, body.References, 1)
		return len(body.Measures[body.References[0].ID]["disk.device.read.bytes"]["rate:mean"]) == 2
	})
	require.Equal(t, server, body.References[0].Instance)
	require.Equal(t, server+"-vda", body.References[0].Original)
	require.NotEqual(t, server+"-vda", body.References[0].ID)
}

func telemetryOfUnknownResourceIsRefused(_ *testing.T, c *Case) {
	m := c.Telemetry()
	m.refused(m.TryPush(newUUID(), "cpu", ratePolicy, time.Minute, 1), http.StatusBadRequest, "Unknown resources", "")
}

// Everybody in the project reads what is measured of its machines, and nobody else.
func telemetryOfOtherProjectsIsHidden(t *testing.T, c *Case) {
	m := c.Telemetry()
	id := m.Machine("g")
	m.Push(id, "cpu", ratePolicy, time.Minute, 1, 2)
	m.Visible(id, "cpu", 2)
	c.OwnProject(1)
	m.refused(m.Ask(c.Client, Question{operations: "(metric cpu mean)", search: byID(id)}), http.StatusBadRequest, "Metrics not found", "")
	answer := c.Do(http.MethodPost, api.Metric, "/v1/archive_policy", map[string]any{"name": newUUID(), "definition": []any{map[string]any{"granularity": "60s", "timespan": "1 day"}}})
	require.Equal(t, http.StatusForbidden, answer.Code, "%s", answer.Body)
}

func telemetryNeedsAToken(t *testing.T, c *Case) {
	m := c.Telemetry()
	answer := m.Ask(c.Client.WithToken("nonsense"), Question{operations: "(metric cpu mean)", search: byID(newUUID())})
	require.Equal(t, http.StatusUnauthorized, answer.Code)
	require.NotEmpty(t, answer.Header.Get("WWW-Authenticate"))
}

func telemetryOperationIsChecked(t *testing.T, c *Case) {
	m := c.Telemetry()
	answer := m.Ask(c.Client, Question{operations: "(foo (metric cpu mean))", search: byID(newUUID())})
	require.Equal(t, http.StatusBadRequest, answer.Code)
	require.Contains(t, string(answer.Body), "'foo' operation invalid")
	answer = m.Ask(c.Client, Question{operations: "(((", search: byID(newUUID())})
	require.Equal(t, http.StatusBadRequest, answer.Code)
	require.Contains(t, string(answer.Body), "Fail to parse the operations string")
	answer = m.Ask(c.Client, Question{operations: "(metric cpu mean)", search: byID(newUUID()), kind: "no-such-type"})
	m.refused(answer, http.StatusBadRequest, "Resource type does not exist", "")
	answer = m.Ask(c.Client, Question{operations: "(metric cpu mean)", search: map[string]any{"in": map[string]any{"nothing": []string{"x"}}}})
	require.Equal(t, http.StatusBadRequest, answer.Code)
	require.Contains(t, string(answer.Body), "Resource type instance has no nothing attribute")
}
