package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
)

// asked is the server's present, five seconds after the client's: clocks differ.
const asked = 1700000005

var now = time.Unix(1700000000, 0)

// fake is a Prometheus that says the same to everybody.
func fake(t *testing.T, status int, body string) (string, *[]*http.Request) {
	t.Helper()
	requests := &[]*http.Request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		*requests = append(*requests, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// element is one of a vector: labels in JSON, and a value.
func element(labels, value string) string {
	return fmt.Sprintf(`{"metric":{%s},"value":[%d,%q]}`, labels, asked, value)
}

func result(elements ...string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(elements, ",") + `]}}`
}

func source(t *testing.T, address string, options prometheus.Options) *prometheus.Source {
	t.Helper()
	s, err := prometheus.New(address, http.DefaultTransport, options)
	require.NoError(t, err)
	return s
}

// request asks for a group "workers", that Prometheus knows as "stack-1", with three old machines and a young one.
func request() ceilometer.Request {
	machines := []ceilometer.Machine{}
	for i := range 3 {
		machines = append(machines, ceilometer.Machine{ServerID: fmt.Sprint("server-", i), Created: now.Add(-time.Hour), VCPUs: 2, RAMMiB: 4096})
	}
	machines = append(machines, ceilometer.Machine{ServerID: "young", Created: now.Add(-time.Minute), VCPUs: 2, RAMMiB: 4096})
	return ceilometer.Request{
		Metric: ceilometer.Metric{Name: "queue", Source: ceilometer.SourcePrometheus, Expression: "avg by (node_group) (queue)"},
		Now:    now, Groups: []ceilometer.Subject{{Group: "workers", ServerGroup: "stack-1", Machines: machines}},
	}
}

func TestCustom(t *testing.T) {
	const group = `"node_group":"stack-1"`
	part := func(name, value string) string { return element(group+`,"part":"`+name+`"`, value) }
	lookback := now.Add(-prometheus.DefaultLookback)
	for name, test := range map[string]struct {
		elements []string
		want     ceilometer.Sample
		kind     error
		says     []string
	}{
		"mean":                      {elements: []string{element(group, "85")}, want: ceilometer.Sample{Load: 85, Machines: 4, At: lookback}},
		"named mean":                {elements: []string{part("mean", "85")}, want: ceilometer.Sample{Load: 85, Machines: 4, At: lookback}},
		"zero is a load":            {elements: []string{element(group, "0")}, want: ceilometer.Sample{Load: 0, Machines: 4, At: lookback}},
		"total":                     {elements: []string{part("total", "100")}, want: ceilometer.Sample{Load: 25, Machines: 4, At: lookback}},
		"total and machines":        {elements: []string{part("total", "90"), part("machines", "3")}, want: ceilometer.Sample{Load: 30, Machines: 3, At: lookback}},
		"age by the server's clock": {elements: []string{element(group, "1"), part("timestamp", "1699999945")}, want: ceilometer.Sample{Load: 1, Machines: 4, At: now.Add(-time.Minute)}},
		"a fast clock":              {elements: []string{element(group, "1"), part("timestamp", "1700000010")}, want: ceilometer.Sample{Load: 1, Machines: 4, At: now}},
		"from the future":           {elements: []string{element(group, "1"), part("timestamp", "1700003605")}, kind: ceilometer.ErrAbsurd, says: []string{"1h0m0s"}},
		"no time":                   {elements: []string{element(group, "1"), part("timestamp", "NaN")}, kind: ceilometer.ErrAbsurd},
		"partial":                   {elements: []string{element(group, "50"), part("machines", "2")}, kind: ceilometer.ErrPartial, says: []string{"2 of 3", "workers"}},
		"no machine measured":       {elements: []string{element(group, "50"), part("machines", "0")}, kind: ceilometer.ErrNoData},
		"half a machine":            {elements: []string{element(group, "50"), part("machines", "2.5")}, kind: ceilometer.ErrAbsurd, says: []string{"2.5"}},
		"NaN":                       {elements: []string{element(group, "NaN")}, kind: ceilometer.ErrAbsurd, says: []string{"NaN", "stack-1", "2023-11-14T22:13:25Z"}},
		"infinite":                  {elements: []string{element(group, "+Inf")}, kind: ceilometer.ErrAbsurd},
		"negative":                  {elements: []string{element(group, "-1")}, kind: ceilometer.ErrAbsurd, says: []string{"-1"}},
		"two series":                {elements: []string{element(group+`,"job":"a"`, "1"), element(group+`,"job":"b"`, "2")}, kind: ceilometer.ErrAbsurd, says: []string{`job="a"`, `job="b"`}},
		"mean and total":            {elements: []string{element(group, "1"), part("total", "2")}, kind: ceilometer.ErrAbsurd},
		"unknown part":              {elements: []string{part("median", "2")}, kind: ceilometer.ErrAbsurd, says: []string{`"median"`, "timestamp"}},
		"no load":                   {elements: []string{part("machines", "3")}, kind: ceilometer.ErrNoData},
	} {
		t.Run(name, func(t *testing.T) {
			address, requests := fake(t, http.StatusOK, result(test.elements...))
			samples, err := source(t, address, prometheus.Options{}).Read(t.Context(), request())
			require.NoError(t, err)
			require.Contains(t, samples, "workers")
			got := samples["workers"]
			if test.kind == nil {
				assert.Equal(t, test.want, got)
			} else {
				require.ErrorIs(t, got.Err, test.kind)
				for _, word := range test.says {
					assert.ErrorContains(t, got.Err, word)
				}
			}
			require.Len(t, *requests, 1, "one call for all groups")
			assert.Equal(t, "avg by (node_group) (queue)", (*requests)[0].Form.Get("query"))
			assert.Empty(t, (*requests)[0].Form.Get("time"), "evaluated at the server's present")
		})
	}
}

func TestGroupsWithoutElements(t *testing.T) {
	address, _ := fake(t, http.StatusOK, result(element(`"node_group":"another"`, "7")))
	samples, err := source(t, address, prometheus.Options{}).Read(t.Context(), request())
	require.NoError(t, err)
	assert.Empty(t, samples, "no element is no data, not 0")

	address, _ = fake(t, http.StatusOK, result())
	samples, err = source(t, address, prometheus.Options{}).Read(t.Context(), request())
	require.NoError(t, err)
	assert.Empty(t, samples)

	r := request()
	r.Groups = nil
	samples, err = source(t, "http://192.0.2.1", prometheus.Options{}).Read(t.Context(), r)
	require.NoError(t, err)
	assert.Empty(t, samples)
}

func TestGroupWithoutMachines(t *testing.T) {
	r := request()
	r.Groups[0].Machines, r.Groups[0].ServerGroup = nil, ""
	address, _ := fake(t, http.StatusOK, result(element(`"pool":"workers","part":"total"`, "50")))
	samples, err := source(t, address, prometheus.Options{GroupLabel: "pool"}).Read(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, 50.0, samples["workers"].Load*float64(samples["workers"].Machines), "a queue waits for the first machine")
	require.NoError(t, samples["workers"].Err)

	address, _ = fake(t, http.StatusOK, result(element(`"node_group":"workers"`, "50")))
	samples, err = source(t, address, prometheus.Options{}).Read(t.Context(), r)
	require.NoError(t, err)
	require.ErrorIs(t, samples["workers"].Err, ceilometer.ErrNoData)
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		says   []string
	}{
		"wrong expression": {400, `{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}`, []string{"parse error", "correct the expression"}},
		"execution":        {422, `{"status":"error","errorType":"execution","error":"many-to-many matching"}`, []string{"many-to-many", "Prometheus' own page"}},
		"too slow":         {503, `{"status":"error","errorType":"timeout","error":"query timed out"}`, []string{"it may pass"}},
		"unauthorized":     {401, "Bearer sesame is wrong", []string{"HTTP 401", "credentials"}},
		"not found":        {404, "nothing", []string{"HTTP 404", "before /api/v1"}},
		"broken":           {500, "oops", []string{"HTTP 500", "log"}},
		"unavailable":      {503, "", []string{"HTTP 503", "may pass"}},
		"no Prometheus":    {200, "<html>", []string{"no Prometheus"}},
		"error in a 200":   {200, `{"status":"error","errorType":"internal","error":"disk"}`, []string{"disk"}},
		"a scalar":         {200, `{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`, []string{"scalar", "instant vector"}},
		"no label":         {200, result(element(`"job":"a"`, "1")), []string{`"node_group"`, `job="a"`, "label_replace"}},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := fake(t, test.status, test.body)
			_, err := source(t, address, prometheus.Options{}).Read(t.Context(), request())
			for _, word := range append(test.says, "avg by (node_group) (queue)", `"queue"`, address) {
				assert.ErrorContains(t, err, word)
			}
			assert.NotContains(t, fmt.Sprint(err), "sesame", "what a proxy repeats is not shown")
		})
	}
}

func TestUnknownMetric(t *testing.T) {
	r := request()
	r.Metric.Expression = ""
	_, err := source(t, "http://192.0.2.1", prometheus.Options{}).Read(t.Context(), r)
	require.ErrorContains(t, err, `"queue"`)
	require.ErrorContains(t, err, "give a PromQL expression")
}

func TestSlow(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	_, err := source(t, server.URL, prometheus.Options{Timeout: 20 * time.Millisecond}).Read(t.Context(), request())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "no answer within 20ms")
}

func TestTooMuch(t *testing.T) {
	endless := roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(spaces{}), Request: r}, nil
	})
	s, err := prometheus.New("http://192.0.2.1", endless, prometheus.Options{})
	require.NoError(t, err)
	_, err = s.Read(t.Context(), request())
	require.ErrorContains(t, err, "longer than 32 MiB")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestNoConnection(t *testing.T) {
	s, err := prometheus.New("http://192.0.2.1", roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("connection refused")
	}), prometheus.Options{})
	require.NoError(t, err)
	_, err = s.Read(t.Context(), request())
	require.ErrorContains(t, err, "connection refused")
}
