package prometheus_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

func TestAddress(t *testing.T) {
	for address, says := range map[string]string{
		"http://me:sesame@prometheus":    "HTTP configuration file",
		"http://prometheus?token=sesame": "HTTP configuration file",
		"prometheus:9090":                "write it like",
		"ftp://prometheus":               "not one of http",
		"http://[::1:sesame":             "no URL",
		"":                               "write it like",
	} {
		_, err := prometheus.New(address, http.DefaultTransport, prometheus.Options{})
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "sesame")
	}
}

// TestTransport: the authority's certificate and a token that changes, as the file says.
func TestTransport(t *testing.T) {
	var seen []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		_, _ = fmt.Fprint(w, result(element(`"node_group":"stack-1"`, "5")))
	}))
	defer server.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	write("token", "first\n")
	file := write("http.yaml", "authorization: {credentials_file: token}\ntls_config: {ca_file: ca.crt}\n")
	transport, err := prometheus.Transport(file)
	require.NoError(t, err)
	s, err := prometheus.New(server.URL, transport, prometheus.Options{})
	require.NoError(t, err)
	_, err = s.Read(t.Context(), request())
	require.NoError(t, err)
	write("token", "second\n")
	_, err = s.Read(t.Context(), request())
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer first", "Bearer second"}, seen)

	bare, err := prometheus.Transport("")
	require.NoError(t, err)
	s, err = prometheus.New(server.URL, bare, prometheus.Options{})
	require.NoError(t, err)
	_, err = s.Read(t.Context(), request())
	require.ErrorContains(t, err, "certificate")

	_, err = prometheus.Transport(write("wrong.yaml", "bearer: sesame\n"))
	require.ErrorContains(t, err, "wrong.yaml")
	_, err = prometheus.Transport(write("missing.yaml", "tls_config: {ca_file: nowhere.crt}\n"))
	require.ErrorContains(t, err, "missing.yaml")
}

// aetos is a source that signs in nowhere.
func aetos(t *testing.T, status int, body string) (*prometheus.Source, *[]*http.Request) {
	t.Helper()
	address, requests := fake(t, status, body)
	session := openstack.NewSessionFromEndpoints("a-token", "project", "", map[string]string{"metric-storage": address + "/prefix"}, openstack.Options{})
	return prometheus.NewAetos(session, prometheus.Options{}), requests
}

func TestAetos(t *testing.T) {
	s, requests := aetos(t, http.StatusOK, `{"status":"success","warnings":["some data is missing"],"data":{"resultType":"vector","result":[`+
		element(`"node_group":"stack-1"`, "85")+","+element(`"node_group":"stack-1","part":"timestamp"`, "1699999945")+`]}}`)
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
	samples, err := s.Read(klog.NewContext(t.Context(), logger), request())
	require.NoError(t, err)
	assert.Equal(t, 85.0, samples["workers"].Load)
	require.NoError(t, samples["workers"].Err)
	require.Len(t, *requests, 1)
	r := (*requests)[0]
	assert.Equal(t, http.MethodGet, r.Method)
	assert.Equal(t, "/prefix/api/v1/query", r.URL.Path)
	assert.Equal(t, "a-token", r.Header.Get("X-Auth-Token"))
	assert.Len(t, r.Form, 1, "Aetos knows the parameter query only")
	sink, ok := logger.GetSink().(ktesting.Underlier)
	require.True(t, ok)
	assert.Contains(t, sink.GetBuffer().String(), "some data is missing")
}

func TestAetosFailures(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		says   []string
	}{
		"bad expression":       {400, `{"faultstring":"parse error"}`, []string{"parse error", "correct the expression"}},
		"unauthorized":         {401, `{"error":{"message":"no a-token"}}`, []string{"access rules"}},
		"forbidden":            {403, `{"faultstring":"not allowed"}`, []string{"not allowed", "role"}},
		"not found":            {404, "", []string{"metric-storage"}},
		"unavailable":          {502, "", []string{"may pass"}},
		"broken":               {500, `{"faultstring":"oops"}`, []string{"oops", "log"}},
		"Prometheus' error":    {200, `{"status":"error","errorType":"bad_data","error":"parse error"}`, []string{"bad_data", "parse error"}},
		"no Prometheus":        {200, `{"hello":"world"}`, []string{"catalog"}},
		"a matrix":             {200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, []string{"matrix"}},
		"an unreadable answer": {200, `{"status":"success","data":{"resultType":"vector","result":{}}}`, []string{"cannot be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := aetos(t, test.status, test.body)
			_, err := s.Read(t.Context(), request())
			for _, word := range append(test.says, "Aetos", "avg by (node_group) (queue)") {
				assert.ErrorContains(t, err, word)
			}
			assert.NotContains(t, fmt.Sprint(err), "a-token")
			if test.status != http.StatusOK {
				code, ok := openstack.StatusCode(err)
				assert.True(t, ok)
				assert.Equal(t, test.status, code, "the cause can still be asked for")
			}
		})
	}
	session := openstack.NewSessionFromEndpoints("a-token", "project", "", nil, openstack.Options{})
	_, err := prometheus.NewAetos(session, prometheus.Options{}).Read(t.Context(), request())
	require.ErrorContains(t, err, "metric-storage")
}
