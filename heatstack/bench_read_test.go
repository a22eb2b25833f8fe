package heatstack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/require"
)

// bigCloud serves stacks of one project over HTTP, all in good order, with servers as large in JSON as Nova's are.
func bigCloud(tb testing.TB, stacks, members int) *serviceFake {
	tb.Helper()
	detail := func(i int) map[string]any {
		return map[string]any{
			"id": fmt.Sprintf("stack-%d", i), "stack_name": fmt.Sprintf("workers-%d", i), "stack_status": "UPDATE_COMPLETE",
			"stack_status_reason": "Stack UPDATE completed successfully", "updated_time": "2026-11-23T03:36:45Z",
			"creation_time": "2026-11-23T03:24:28Z", "description": "one node group", "parent": nil,
			"tags":       []string{"autoscaled", "node-group-max-size=200"},
			"links":      []any{map[string]any{"rel": "self", "href": fmt.Sprintf("http://heat/v1/p/stacks/workers-%d/stack-%d", i, i)}},
			"parameters": map[string]any{"node_count": fmt.Sprint(members), "nodes_to_remove": "", "flavor": "m1.small"},
		}
	}
	encode := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(tb, err)
		return string(text)
	}
	var list []any
	answers := map[string]string{}
	for i := range stacks {
		row := detail(i)
		answers[fmt.Sprintf("/stacks/workers-%d/stack-%d", i, i)] = encode(map[string]any{"stack": row})
		answers[fmt.Sprintf("/stacks/workers-%d/stack-%d/template", i, i)] = encode(groupTemplate(nil))
		row = detail(i)
		delete(row, "parameters")
		list = append(list, row)
	}
	answers["/stacks"] = encode(map[string]any{"stacks": list})
	answers["/flavors/detail"] = `{"flavors": [{"id": "1", "name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 20, "extra_specs": {}}]}`
	padding := strings.Repeat("x", 700) // addresses, image, links and the like
	var servers []any
	for i := range stacks * members {
		servers = append(servers, map[string]any{
			"id": fmt.Sprintf("00000000-0000-4000-8000-%012d", i), "name": fmt.Sprintf("workers-%d-node-%d", i/members, i%members),
			"status": "ACTIVE", "created": "2026-11-23T03:21:59Z", "updated": "2026-11-23T03:22:04Z",
			"OS-SRV-USG:launched_at": "2026-11-23T03:22:01.000000", "OS-EXT-AZ:availability_zone": "nova", "addresses": padding,
			"flavor": map[string]any{"vcpus": 1, "ram": 2048, "disk": 20, "original_name": "m1.small", "extra_specs": map[string]any{"hw:mem_page_size": "large"}},
			"metadata": map[string]any{
				"metering.server_group": "workers", "cluster": "k8s",
				metadataStack: fmt.Sprintf("stack-%d", i/members), metadataIndex: fmt.Sprint(i % members),
			},
		})
	}
	const page = 1000
	for at := 0; at < len(servers); at += page {
		answer := map[string]any{"servers": servers[at:min(at+page, len(servers))]}
		if at+page < len(servers) {
			answer["servers_links"] = []any{map[string]any{"rel": "next", "href": fmt.Sprintf("http://nova/servers/detail?marker=%d", at+page)}}
		}
		key := "/servers/detail"
		if at > 0 {
			key += fmt.Sprintf("?marker=%d", at)
		}
		answers[key] = encode(answer)
	}
	f := &serviceFake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.URL.Path
		if q := r.URL.Query(); q.Has("marker") {
			key += "?marker=" + q.Get("marker")
		}
		answer := answers[key]
		if r.URL.Query().Has("changes-since") {
			answer = `{"servers": []}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	tb.Cleanup(f.Close)
	f.client = gophercloud.ServiceClient{
		ProviderClient: &gophercloud.ProviderClient{TokenID: "token"}, Endpoint: f.URL + "/", Type: "compute",
	}
	return f
}

func bigTestCloud(tb testing.TB, f *serviceFake) *Cloud {
	tb.Helper()
	c := New(NewHeat(f), NewNova(f), Options{Discovery: []Discovery{{Tags: []string{"autoscaled"}}}})
	tb.Cleanup(c.Close)
	require.NoError(tb, c.Refresh(tb.Context()))
	list, problems := c.List()
	require.Empty(tb, problems)
	require.Len(tb, list, 50)
	require.Len(tb, list[0].Members, 100)
	return c
}

// BenchmarkIdleRefresh is a refresh of 5,000 members in 50 stacks of which none moved, JSON and HTTP of both sides included.
func BenchmarkIdleRefresh(b *testing.B) {
	c := bigTestCloud(b, bigCloud(b, 50, 100))
	for b.Loop() {
		if err := c.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstRefresh reads everything.
func BenchmarkFirstRefresh(b *testing.B) {
	f := bigCloud(b, 50, 100)
	for b.Loop() {
		bigTestCloud(b, f)
	}
}

// TestMemoryOfManyServers bounds what 5,000 members in 50 stacks keep: about 10 MB, of which a third is two lists of them.
func TestMemoryOfManyServers(t *testing.T) {
	f := bigCloud(t, 50, 100)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c := bigTestCloud(t, f)
	used := float64(heap()-before) / 1e6
	runtime.KeepAlive(c)
	t.Logf("%.1f MB", used)
	require.Less(t, used, 25.0)
}
