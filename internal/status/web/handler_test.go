package web

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

const hostile = `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)>`

// report is one in which every text is hostile.
func report() *status.Report {
	two := 2
	g := status.NodeGroup{
		Name: hostile, MaxSize: 10, TargetSize: 3, Counts: status.Counts{Running: 2, Failed: 1, Ready: &two}, Flavor: hostile, Zone: hostile,
		Floor:         &status.Floor{Size: 2, Reason: hostile, Signals: []status.Signal{{Metric: hostile, Source: hostile, Why: hostile}}},
		BackOff:       &status.BackOff{Until: noon, Class: hostile, Code: hostile, Message: hostile},
		GrowthBlocked: &status.Problem{Code: hostile, Message: hostile}, HeldRepairs: []status.HeldRepair{{Reason: hostile, Members: 1}},
		Stacks: []status.Stack{{ID: hostile, Name: hostile, Status: hostile + "_FAILED", Reason: hostile}},
		Members: []status.Member{{
			Stack: hostile, Index: hostile, Server: hostile, ServerName: hostile, ServerStatus: hostile, State: "failed", Flavor: hostile, Zone: hostile, Node: hostile,
			FailureCode: hostile, FailureMessage: hostile,
		}},
		History: []status.Point{{At: noon.Add(-time.Minute), TargetSize: 1}, {At: noon, TargetSize: 3, Ready: &two}},
	}
	return &status.Report{
		SchemaVersion: 1, At: noon, Started: noon.Add(-time.Hour), Program: hostile, Version: hostile, Core: hostile, Mode: hostile, Leading: true, Leader: hostile,
		Cloud: &status.Cloud{Regions: []string{hostile}, Project: hostile}, Reading: status.Reading{At: &noon, Error: hostile},
		NodeGroups:   []status.NodeGroup{g},
		Problems:     []status.Problem{{Code: hostile, Group: hostile, Stack: hostile, Node: hostile, Key: hostile, Value: hostile, Message: hostile, Remedy: hostile}},
		Decisions:    []status.Decision{{At: noon, Kind: status.DecisionGrow, Group: hostile, Node: hostile, Servers: []string{hostile}, Reason: hostile, Result: status.ResultFailed, Code: hostile}},
		Certificates: []status.CertificateCount{{Signer: hostile, Decision: hostile, Reason: hostile, Count: 1}},
	}
}

func ask(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestOnlyReading(t *testing.T) {
	h := New(report, nil)
	for _, path := range []string{"/", "/status.json", "/other"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "X"} {
			w := ask(t, h, method, path)
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
	for path, code := range map[string]int{"/": 200, "/status.json": 200, "/?group=none": 404, "/?group=&from=-1": 200, "/?from=x": 200, "/x": 404, "/status.json/": 404, "/index.html": 404} {
		get, head := ask(t, h, http.MethodGet, path), ask(t, h, http.MethodHead, path)
		require.Equal(t, code, get.Code, path)
		require.Equal(t, code, head.Code, path)
		require.Equal(t, get.Header(), head.Header(), path)
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		} {
			require.Equal(t, value, get.Header().Get(name), path)
		}
		require.Contains(t, get.Header().Get("Content-Security-Policy"), "default-src 'none'")
		require.Contains(t, get.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
		if code == 200 {
			require.Empty(t, head.Body.String())
		}
	}
	var back status.Report
	require.NoError(t, json.Unmarshal(ask(t, h, http.MethodGet, "/status.json").Body.Bytes(), &back))
	require.Equal(t, hostile, back.NodeGroups[0].Name)
}

func TestEverythingIsEscaped(t *testing.T) {
	body := ask(t, New(report, nil), http.MethodGet, "/").Body.String()
	require.NotContains(t, body, "<img")
	require.NotContains(t, body, "<script>alert")
	require.Equal(t, 1, strings.Count(body, "<script"), "our own")
	require.Greater(t, strings.Count(body, "alert(1)"), 40, "the words are there as words")
	json := ask(t, New(report, nil), http.MethodGet, "/status.json").Body.String()
	require.NotContains(t, json, "<", "also if it is taken for HTML")
	require.Contains(t, ask(t, New(report, nil), http.MethodGet, "/?group=%3Cscript%3E").Body.String(), "&lt;script&gt;")
}

// The policy names what is in the page, to the byte, or browsers would not use it.
func TestThePolicyFitsThePage(t *testing.T) {
	w := ask(t, New(report, nil), http.MethodGet, "/")
	for _, tag := range []string{"style", "script"} {
		found := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(w.Body.String(), -1)
		require.Len(t, found, 1)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), tag+"-src "+hashOf(found[0][1]))
	}
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
	require.NotRegexp(t, `(src|href|url)=?["(]?(https?:)?//`, w.Body.String())
}

func TestOneReportServesManyReaders(t *testing.T) {
	made, clock := 0, testclock.NewFakeClock(noon)
	h := New(func() *status.Report { made++; return report() }, clock)
	for range 100 {
		ask(t, h, http.MethodGet, "/status.json")
		ask(t, h, http.MethodGet, "/")
	}
	require.Equal(t, 1, made)
	clock.Step(freshFor)
	ask(t, h, http.MethodGet, "/")
	require.Equal(t, 2, made)
	clock.Step(-time.Hour) // set back
	ask(t, h, http.MethodGet, "/")
	require.Equal(t, 3, made)
}

// stuck is a reader who takes nothing.
type stuck struct {
	http.ResponseWriter
	wrote, release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	close(s.wrote)
	<-s.release
	return len(p), nil
}

func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	h := New(report, nil)
	slow := &stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(slow, httptest.NewRequest(http.MethodGet, "/status.json", nil))
	}()
	<-slow.wrote
	require.Equal(t, http.StatusOK, ask(t, h, http.MethodGet, "/status.json").Code)
	require.Equal(t, http.StatusOK, ask(t, h, http.MethodGet, "/").Code)
	close(slow.release)
	<-done
}

func TestServeEndsWhenItIsStopped(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	stop := Serve(t.Context(), listener, New(report, nil))
	address := "http://" + listener.Addr().String()
	get := func() error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/status.json", nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
	require.NoError(t, get())
	idle, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String()) // and says nothing
	require.NoError(t, err)
	defer func() { _ = idle.Close() }()
	stop()
	require.Error(t, get())
}

func TestReportsThatCannotBeWrittenAreAnError(t *testing.T) {
	nan := report()
	zero := 0.0
	value := zero / zero
	nan.NodeGroups[0].History[0].Load = &value
	w := ask(t, New(func() *status.Report { return nan }, nil), http.MethodGet, "/status.json")
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Contains(t, w.Body.String(), "can't be shown")
	require.Equal(t, http.StatusOK, ask(t, New(func() *status.Report { return nan }, nil), http.MethodGet, "/").Code, "the page goes without")
}

func TestManyMembersArePaged(t *testing.T) {
	r := report()
	g := &r.NodeGroups[0]
	g.Name, g.Members = "crowd", nil
	for i := range 1200 {
		g.Members = append(g.Members, status.Member{State: "running", ServerName: fmt.Sprintf("m-%04d", i), Node: "n"})
	}
	g.Members[1100].State = "failed"
	h := New(func() *status.Report { return r }, nil)
	rows := func(target string) []string {
		return regexp.MustCompile(`m-\d{4}`).FindAllString(ask(t, h, http.MethodGet, target).Body.String(), -1)
	}
	require.Len(t, rows("/"), membersShown)
	require.Equal(t, "m-1100", rows("/")[0], "those with trouble first")
	seen := map[string]bool{}
	for _, from := range []int{0, 500, 1000} {
		for _, name := range rows(fmt.Sprintf("/?group=crowd&from=%d", from)) {
			seen[name] = true
		}
	}
	require.Len(t, seen, 1200)
	require.Len(t, rows("/?group=crowd&from=99999"), membersPaged, "from the start")
}
