package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gnocchi sends a request to the metric service.
func (c *cloud) gnocchi(token, method, path, body string, headers ...string) (int, string) {
	c.t.Helper()
	if len(headers) == 0 {
		headers = []string{"Accept", "application/json"}
	}
	r, data := c.call(method, c.URL()+"/metric/v1"+path, token, body, headers...)
	return r.StatusCode, string(data)
}

// aggregates asks for an operation over the instances with these ids.
func (c *cloud) aggregates(token, query, operations string, ids ...string) (int, string) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"operations": operations, "resource_type": "instance", "search": map[string]any{"in": map[string]any{"id": ids}}})
	require.NoError(c.t, err)
	return c.gnocchi(token, http.MethodPost, "/aggregates?"+query, string(body))
}

// points are the values of one metric of one instance.
func (c *cloud) points(token, id, metric, method string, granularity time.Duration) []float64 {
	c.t.Helper()
	code, body := c.aggregates(token, fmt.Sprintf("granularity=%g", granularity.Seconds()), "(metric "+metric+" "+method+")", id)
	require.Equal(c.t, http.StatusOK, code, body)
	var answer struct {
		Measures map[string]map[string]map[string][][]any `json:"measures"`
	}
	require.NoError(c.t, json.Unmarshal([]byte(body), &answer))
	var values []float64
	for _, p := range answer.Measures[id][metric][method] {
		values = append(values, p[2].(float64))
	}
	return values
}

func TestCeilometerPollsWhatRuns(t *testing.T) {
	c := served(t)
	token, _ := c.login()
	c.StartCeilometer(Ceilometer{PollingInterval: 20 * time.Second, Granularity: time.Minute})
	id := c.AddServer("demo", ServerSpec{Name: "one", Flavor: "m1.medium", Metadata: map[string]string{"metering.server_group": "g"}})
	c.settle()
	assert.True(t, c.Settled(), "polling is nothing that is under way")
	c.SetLoad("g", 40)
	c.FastForward(4 * time.Minute)

	// The rate is per poll: 40 % of 2 vcpus in 20 s, and not in the 60 s of the granularity.
	rates := c.points(token, id, "cpu", "rate:mean", time.Minute)
	require.GreaterOrEqual(t, len(rates), 3)
	assert.InDelta(t, 0.4*2*20e9, rates[len(rates)-2], 1)
	assert.InDelta(t, 1024, c.points(token, id, "memory.usage", "mean", time.Minute)[1], 1, "25 % of 4096 MiB")

	code, body := c.gnocchi(token, http.MethodGet, "/resource/instance/"+id, "")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, `"server_group":"g"`)
	assert.Contains(t, body, `"ended_at":null`)

	// Whoever stops and starts a server makes its counter begin anew.
	c.PowerOff(id)
	c.FastForward(2 * time.Minute)
	before := len(c.points(token, id, "cpu", "mean", time.Minute))
	code, _ = c.act(token, id, "os-start")
	require.Equal(t, http.StatusAccepted, code)
	c.settle()
	c.FastForward(3 * time.Minute)
	rates = c.points(token, id, "cpu", "rate:mean", time.Minute)
	assert.Greater(t, len(rates), before-1)
	negative := 0
	for _, r := range rates {
		if r < 0 {
			negative++
		}
	}
	assert.Equal(t, 1, negative, "%v", rates)

	c.DeleteServer(id)
	c.settle()
	c.FastForward(5 * time.Minute)
	_, body = c.gnocchi(token, http.MethodGet, "/resource/instance/"+id, "")
	assert.NotContains(t, body, `"ended_at":null`, "the resource outlives the server")
	after := c.points(token, id, "cpu", "mean", time.Minute)
	c.FastForward(5 * time.Minute)
	assert.Equal(t, after, c.points(token, id, "cpu", "mean", time.Minute))
}

func TestWorkIsSharedByTheMachinesThatRun(t *testing.T) {
	c := served(t)
	token, _ := c.login()
	c.StartCeilometer(Ceilometer{PollingInterval: time.Minute, Granularity: time.Minute})
	server := func() string {
		return c.AddServer("demo", ServerSpec{Name: "s", Flavor: "m1.small", Metadata: map[string]string{"metering.server_group": "g"}})
	}
	one := server()
	c.settle()
	c.SetWork("g", 1.5)
	c.FastForward(3 * time.Minute)
	last := func(id string) float64 {
		rates := c.points(token, id, "cpu", "rate:mean", time.Minute)
		return rates[len(rates)-1] / 60e9 * 100
	}
	assert.InDelta(t, 100, last(one), .1)
	two := server()
	c.settle()
	c.FastForward(3 * time.Minute)
	assert.InDelta(t, 75, last(one), .1)
	assert.InDelta(t, 75, last(two), .1)

	c.Silence(two, true)
	known := len(c.points(token, two, "cpu", "mean", time.Minute))
	c.FastForward(3 * time.Minute)
	assert.Len(t, c.points(token, two, "cpu", "mean", time.Minute), known)
	assert.Greater(t, len(c.points(token, one, "cpu", "mean", time.Minute)), known)
}

// The bodies were measured on Gnocchi 4.4.2.
func TestGnocchiRefuses(t *testing.T) {
	c := served(t)
	token, _ := c.login()
	c.StartCeilometer(Ceilometer{PollingInterval: time.Minute, Granularity: time.Minute})
	id := c.AddServer("demo", ServerSpec{Name: "s", Flavor: "m1.small"})
	c.settle()
	c.FastForward(5 * time.Minute)
	for name, one := range map[string]struct {
		query, operations, id string
		code                  int
		body                  string
	}{
		"unknown machine":     {"granularity=60", "(metric cpu mean)", "0f0f0f0f-0000-4000-8000-000000000000", 400, `"cause":"Metrics not found","detail":["cpu"]`},
		"unknown metric":      {"granularity=60", "(metric nosuch mean)", id, 400, `"cause":"Metrics not found","detail":["nosuch"]`},
		"unknown aggregation": {"granularity=60", "(metric memory.usage rate:mean)", id, 404, `"cause":"Metrics with unknown aggregation"`},
		"bad granularity":     {"granularity=30", "(metric cpu mean)", id, 400, `"reason":"Granularities are missing"`},
		"no granularity":      {"granularity=abc", "(metric cpu mean)", id, 400, `"reason":"Unable to parse timespan"`},
		"no time":             {"start=abc", "(metric cpu mean)", id, 400, `"reason":"Must be a datetime or a timestamp"`},
		"bad operation":       {"granularity=60", "(foo (metric cpu mean))", id, 400, `'foo' operation invalid`},
		"no operation":        {"granularity=60", "(((", id, 400, `"cause":"Invalid operations"`},
		"empty window":        {"granularity=60&start=2026-01-01T00:00:00&stop=2026-01-02T00:00:00", "(metric cpu mean)", id, 200, `{"mean":[]}`},
	} {
		code, body := c.aggregates(token, one.query, one.operations, one.id)
		assert.Equal(t, one.code, code, "%s: %s", name, body)
		assert.Contains(t, body, one.body, name)
	}
	code, body := c.gnocchi("nonsense", http.MethodPost, "/aggregates", "{}")
	assert.Equal(t, http.StatusUnauthorized, code, body)
	code, _ = c.gnocchi(token, http.MethodPost, "/archive_policy", `{"name":"p"}`)
	assert.Equal(t, http.StatusForbidden, code)
	code, body = c.gnocchi(token, http.MethodPost, "/aggregates", `{"operations":"(metric nosuch mean)","search":{"=":{"server_group":"none"}},"resource_type":"instance"}`, "Accept", "")
	assert.Equal(t, http.StatusBadRequest, code)
	assert.False(t, strings.HasPrefix(body, "{"), "JSON only for those who ask for it: %s", body)
}

func TestMeasuresArePushedAndAggregated(t *testing.T) {
	c := served(t)
	token, _ := c.login()
	project := c.project("demo").ID
	ids := []string{"11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"}
	push := func(id, metric, policy string, values ...float64) (int, string) {
		list := make([]string, 0, len(values))
		for i, v := range values {
			list = append(list, fmt.Sprintf(`{"timestamp":"2026-11-23T10:%02d:00","value":%g}`, i*5, v))
		}
		return c.gnocchi(token, http.MethodPost, "/batch/resources/metrics/measures?create_metrics=true",
			fmt.Sprintf(`{%q:{%q:{"archive_policy_name":%q,"unit":"x","measures":[%s]}}}`, id, metric, policy, strings.Join(list, ",")))
	}
	code, body := push(ids[0], "cpu", lowRatePolicy, 1, 2)
	assert.Equal(t, http.StatusBadRequest, code)
	assert.Contains(t, body, `"cause":"Unknown resources"`)
	for _, id := range ids {
		code, body = c.gnocchi(token, http.MethodPost, "/resource/instance",
			fmt.Sprintf(`{"id":%q,"project_id":%q,"user_id":"u","display_name":"n","flavor_name":"f","server_group":"g","metrics":{}}`, id, project))
		require.Equal(t, http.StatusCreated, code, body)
	}
	code, _ = push(ids[0], "cpu", "nosuch", 1)
	assert.Equal(t, http.StatusBadRequest, code)
	code, body = push(ids[0], "cpu", lowRatePolicy, 100, 160, 220)
	require.Equal(t, http.StatusAccepted, code, body)
	require.Empty(t, body)
	c.SetMeasuresDelay(time.Minute)
	_, _ = push(ids[1], "cpu", lowRatePolicy, 100, 120, 140)
	_, _ = push(ids[0], "vcpus", lowPolicy, 0, 0, 2, 2)

	byGroup := func(operations string) string {
		code, body := c.aggregates(token, "granularity=300&groupby=server_group&refresh=true", operations, ids...)
		require.Equal(t, http.StatusOK, code, body)
		return body
	}
	assert.Contains(t, byGroup("(aggregate mean (metric cpu rate:mean))"), `[["2026-11-23T10:05:00+00:00",300,60]`, "refresh is ignored")
	c.FastForward(time.Minute)
	assert.Contains(t, byGroup("(aggregate mean (metric cpu rate:mean))"), `[["2026-11-23T10:05:00+00:00",300,40]`)
	assert.Contains(t, byGroup("(+ 1 (* 2 (- (aggregate sum (metric cpu rate:mean)) 10)))"), `[["2026-11-23T10:05:00+00:00",300,141]`)
	// Where vcpus has a point and cpu has none, the sum of nothing is 0, and the group looks idle.
	mixed := byGroup("(/ (aggregate sum (metric cpu rate:mean)) (aggregate sum (metric vcpus mean)))")
	assert.Contains(t, mixed, `["2026-11-23T10:10:00+00:00",300,40]`)
	assert.Contains(t, mixed, `["2026-11-23T10:15:00+00:00",300,0]`)
	_, body = c.aggregates(token, "granularity=300&start=2026-11-23T10:09:00&stop=2026-11-23T10:10:00", "(metric (cpu mean) (cpu rate:mean))", ids[0])
	assert.Contains(t, body, `"mean":[["2026-11-23T10:05:00+00:00",300,160]]`, "the start is rounded down, the stop is not in it")

	// Another project sees nothing of it.
	c.AddProject("other", DefaultQuota())
	c.AddUser("stranger", "secret", false, "other")
	stranger := c.loginAs("stranger", "other")
	code, _ = c.aggregates(stranger, "granularity=300", "(metric cpu mean)", ids...)
	assert.Equal(t, http.StatusBadRequest, code)
	code, _ = c.gnocchi(stranger, http.MethodGet, "/resource/instance/"+ids[0], "")
	assert.Equal(t, http.StatusNotFound, code)
}

// loginAs signs somebody else in.
func (c *cloud) loginAs(user, project string) string {
	c.t.Helper()
	r, data := c.call(http.MethodPost, c.AuthURL()+"/auth/tokens", "", fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],
		"password":{"user":{"name":%q,"password":"secret"}}},"scope":{"project":{"name":%q}}}}`, user, project))
	require.Equal(c.t, http.StatusCreated, r.StatusCode, string(data))
	return r.Header.Get("X-Subject-Token")
}
