package heatstack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// serviceFake answers HTTP requests as it is told and notes them.
type serviceFake struct {
	*httptest.Server
	client   gophercloud.ServiceClient
	answers  map[string]string // by method and path with query
	codes    map[string]int
	header   http.Header
	requests []string
	bodies   []string
	headers  []http.Header
	noClient error
}

func newServiceFake(t *testing.T) *serviceFake {
	t.Helper()
	f := &serviceFake{answers: map[string]string{}, codes: map[string]int{}, header: http.Header{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	f.client = gophercloud.ServiceClient{
		ProviderClient: &gophercloud.ProviderClient{TokenID: "token"}, Endpoint: f.URL + "/", Type: "compute",
	}
	return f
}

func (f *serviceFake) serve(w http.ResponseWriter, r *http.Request) {
	request := r.Method + " " + r.URL.RequestURI()
	body, _ := io.ReadAll(r.Body)
	f.requests, f.bodies, f.headers = append(f.requests, request), append(f.bodies, string(body)), append(f.headers, r.Header)
	w.Header()["Date"] = nil
	for k, v := range f.header {
		w.Header()[k] = v
	}
	answer, ok := f.answers[request]
	code := f.codes[request]
	if v := r.Header.Get("X-OpenStack-Nova-API-Version"); f.codes[v] != 0 {
		code = f.codes[v]
	}
	switch {
	case code != 0:
		w.WriteHeader(code)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = io.WriteString(w, answer)
}

func (f *serviceFake) Orchestration(context.Context) (*gophercloud.ServiceClient, error) {
	return &f.client, f.noClient
}

func (f *serviceFake) Compute(context.Context) (*gophercloud.ServiceClient, error) {
	return &f.client, f.noClient
}

// The answers are Heat's (Zed), shortened.
const stackJSON = `{"stack_name": "workers", "id": "413a", "links": [{"href": "http://heat:8004/v1/07e8/stacks/workers/413a", "rel": "self"}],
 "updated_time": null, "tags": ["autoscaled", "node-group-max-size=5"], "stack_status": "CREATE_COMPLETE",
 "stack_status_reason": "Stack CREATE completed successfully"`

func TestListStacks(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /stacks?tags=autoscaled%2Ccluster%3Dprod"] = `{"stacks": [` + stackJSON + `}]}`
	f.answers["GET /stacks"] = `{"stacks": []}`
	heat := NewHeat(f)
	rows, err := heat.ListStacks(t.Context(), []string{"autoscaled", "cluster=prod"})
	require.NoError(t, err)
	assert.Equal(t, []StackRow{{
		ID: "413a", Name: "workers", Project: "07e8", Tags: []string{"autoscaled", "node-group-max-size=5"},
		Status: "CREATE_COMPLETE", Reason: "Stack CREATE completed successfully",
	}}, rows)
	rows, err = heat.ListStacks(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, rows)
	assert.Equal(t, "token", f.headers[0].Get("X-Auth-Token"))
}

func TestHalfAnAnswerIsNoAnswer(t *testing.T) {
	f := newServiceFake(t)
	heat, nova := NewHeat(f), NewNova(f)
	reads := map[string]func() error{
		"GET /stacks":                              func() error { _, err := heat.ListStacks(t.Context(), nil); return err },
		"GET /stacks/w/1?resolve_outputs=False":    func() error { _, err := heat.GetStack(t.Context(), "w", "1"); return err },
		"GET /stacks/w/1/resources?nested_depth=2": func() error { _, err := heat.ListMembers(t.Context(), "w", "1", ""); return err },
		"GET /stacks/w/1/resources/nodes":          func() error { _, err := heat.GetGroup(t.Context(), "w", "1", "nodes"); return err },
		"GET /stacks/w/1/events?limit=100&nested_depth=2&resource_action=CREATE&resource_status=FAILED&resource_type=OS%3A%3ANova%3A%3AServer&sort_dir=desc": func() error {
			_, err := heat.(failureReader).ListFailures(t.Context(), "w", "1")
			return err
		},
		"GET /servers/detail":                func() error { _, _, err := nova.ListServers(t.Context(), noTime); return err },
		"GET /servers/1":                     func() error { _, err := nova.GetServer(t.Context(), "1"); return err },
		"GET /flavors/detail?is_public=None": func() error { _, err := nova.ListFlavors(t.Context()); return err },
	}
	for request, read := range reads {
		for _, answer := range []string{"", "{}", `{"stacks": [{"id": "1", "sta`, "<html>busy</html>", `{"stack": {}, "resource": {}, "server": {}}`} {
			f.answers[request] = answer
			assert.ErrorIs(t, read(), errBadAnswer, "%s: %q", request, answer)
		}
		f.codes[request] = http.StatusNotFound
		f.answers[request] = `{"itemNotFound": {"code": 404}, "error": {"type": "EntityNotFound"}}`
		assert.True(t, isNotFound(read()), request)
	}
	f.noClient = errors.New("not signed in")
	for request, read := range reads {
		assert.ErrorIs(t, read(), f.noClient, request)
	}
	assert.ErrorIs(t, heat.Check(t.Context(), "w", "1"), f.noClient)
}

func TestGetStack(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /stacks/workers/413a?resolve_outputs=False"] = `{"stack": ` + stackJSON +
		`, "parameters": {"OS::project_id": "07e8", "node_count": "2", "nodes_to_remove": "", "token": "******"}}}`
	heat := NewHeat(f)
	detail, err := heat.GetStack(t.Context(), "workers", "413a")
	require.NoError(t, err)
	assert.Equal(t, "07e8", detail.Project)
	assert.Empty(t, detail.Updated)
	assert.Equal(t, "2", detail.Parameters["node_count"])
	assert.Equal(t, "******", detail.Parameters["token"])

	// By name alone: Heat redirects.
	f.codes["GET /stacks/workers?resolve_outputs=False"] = http.StatusFound
	f.header.Set("Location", f.URL+"/stacks/workers/413a?resolve_outputs=False")
	detail, err = heat.GetStack(t.Context(), "workers", "")
	require.NoError(t, err)
	assert.Equal(t, "413a", detail.ID)
}

// A proxy whose backend is away says 404 of everything. No server may pass for dead and no stack for deleted because of that.
func TestAProxysNotFoundIsNoWordOfTheCloud(t *testing.T) {
	f := newServiceFake(t)
	for _, answer := range []string{"", "<html>404 page not found</html>", `{"error": {"code": 404, "title": "Not Found"}}`} {
		f.answers["GET /servers/1"], f.answers["GET /stacks/w/1?resolve_outputs=False"] = answer, answer
		f.codes["GET /servers/1"], f.codes["GET /stacks/w/1?resolve_outputs=False"] = http.StatusNotFound, http.StatusNotFound
		_, err := NewNova(f).GetServer(t.Context(), "1")
		require.ErrorIs(t, err, errBadAnswer)
		assert.False(t, isNotFound(err) || isRefused(err), "%v", err)
		_, err = NewHeat(f).GetStack(t.Context(), "w", "1")
		require.ErrorIs(t, err, errBadAnswer)
		assert.False(t, isNotFound(err) || isRefused(err), "%v", err)
	}
}

func TestGetTemplate(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /stacks/w/1/template"] = `{"resources": {"nodes": {"type": "OS::Heat::ResourceGroup"}}}`
	template, err := NewHeat(f).GetTemplate(t.Context(), "w", "1")
	require.NoError(t, err)
	assert.Equal(t, typeResourceGroup, object(object(template["resources"])["nodes"])["type"])
	_, err = NewHeat(f).GetTemplate(t.Context(), "w", "2")
	assert.True(t, isNotFound(err))
}

func TestWrites(t *testing.T) {
	f := newServiceFake(t)
	heat := NewHeat(f)
	html := "<html><head><title>202 Accepted</title></head></html>"
	f.answers["PATCH /stacks/w/1"], f.codes["PATCH /stacks/w/1"] = html, http.StatusAccepted
	f.answers["POST /stacks/w/1/actions"] = "null"
	f.answers["PATCH /stacks/w-nodes-3/9/resources/server"] = "null"

	require.NoError(t, heat.Patch(t.Context(), "w", "1", map[string]any{"node_count": 4, "nodes_to_remove": []string{"2"}}))
	require.NoError(t, heat.Patch(t.Context(), "w", "1", nil))
	require.NoError(t, heat.Check(t.Context(), "w", "1"))
	require.NoError(t, heat.MarkUnhealthy(t.Context(), MemberRow{Index: "3", StackName: "w-nodes-3", StackID: "9", Resource: "server"}, "gone"))
	want := []string{
		`{"disable_rollback": true, "parameters": {"node_count": 4, "nodes_to_remove": ["2"]}}`,
		`{"disable_rollback": true, "parameters": {}}`,
		`{"check": null}`,
		`{"mark_unhealthy": true, "resource_status_reason": "gone"}`,
	}
	require.Len(t, f.bodies, len(want))
	for i := range want {
		assert.JSONEq(t, want[i], f.bodies[i])
	}

	f.answers["PATCH /stacks/w/1"] = `{"code": 409, "error": {"type": "ActionInProgress"}}`
	f.codes["PATCH /stacks/w/1"] = http.StatusConflict
	assert.True(t, isConflict(heat.Patch(t.Context(), "w", "1", nil)))
	assert.True(t, isNotFound(heat.Check(t.Context(), "w", "2")))
	assert.True(t, isNotFound(heat.MarkUnhealthy(t.Context(), MemberRow{StackName: "x", StackID: "y", Resource: "z"}, "")))
}

// An update that Heat has no time for is not sent again by the transport: until then the stack may have another size.
func TestAnUpdateIsSentNowOrNotAtAll(t *testing.T) {
	const update = "PATCH /heat/stacks/workers/413a"
	f := newServiceFake(t)
	session := openstack.NewSessionFromEndpoints("token", "07e8", "", map[string]string{"orchestration": f.URL + "/heat"}, openstack.Options{})
	heat := NewHeat(session)
	f.codes[update], f.header = http.StatusTooManyRequests, http.Header{"Retry-After": {"2"}}
	for range 2 {
		err := heat.Patch(t.Context(), "workers", "413a", map[string]any{"node_count": 3})
		require.True(t, isRateLimited(err), "%v", err)
		assert.Equal(t, []string{update}, f.requests)
	}
}

func TestGetGroup(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /stacks/w/1/resources/nodes"] = `{"resource": {"resource_name": "nodes", "physical_resource_id": "0e13",
		"resource_status": "UPDATE_COMPLETE", "attributes": {"attributes": null, "removed_rsrc_list": ["1", "4"], "refs": null}}}`
	group, err := NewHeat(f).GetGroup(t.Context(), "w", "1", "nodes")
	require.NoError(t, err)
	assert.Equal(t, &GroupState{Removed: []string{"1", "4"}, Status: "UPDATE_COMPLETE", NestedID: "0e13"}, group)
}

// resource is a row of Heat's resource list: name, type, physical id, status, parent, and the stack it is in.
func resource(name, kind, id, status, parent, stackName, stackID string) map[string]any {
	row := map[string]any{
		"resource_name": name, "resource_type": kind, "physical_resource_id": id, "resource_status": status,
		"resource_status_reason": "reason of " + name + " in " + stackName,
		"links":                  []any{map[string]any{"rel": "stack", "href": "http://heat:8004/v1/07e8/stacks/" + stackName + "/" + stackID}},
	}
	if parent != "" {
		row["parent_resource"] = parent
	}
	return row
}

func listMembers(t *testing.T, group string, rows ...map[string]any) ([]MemberRow, error) {
	t.Helper()
	f := newServiceFake(t)
	answer, err := json.Marshal(map[string]any{"resources": rows})
	require.NoError(t, err)
	f.answers["GET /stacks/w/1/resources?nested_depth=2"] = string(answer)
	return NewHeat(f).ListMembers(t.Context(), "w", "1", group)
}

func TestListMembersOfAGroupOfServers(t *testing.T) {
	rows, err := listMembers(t, "",
		resource("nodes", typeResourceGroup, "g", "UPDATE_COMPLETE", "", "w", "1"),
		resource("bastion", typeServer, "b", "CREATE_COMPLETE", "", "w", "1"),
		resource("10", typeServer, "s10", "CREATE_COMPLETE", "nodes", "w-nodes", "g"),
		resource("2", typeServer, "", "CREATE_FAILED", "nodes", "w-nodes", "g"),
	)
	require.NoError(t, err)
	assert.Equal(t, []MemberRow{
		{Index: "10", ServerID: "s10", Status: "CREATE_COMPLETE", Reason: "reason of 10 in w-nodes", StackName: "w-nodes", StackID: "g", Resource: "10"},
		{Index: "2", Status: "CREATE_FAILED", Reason: "reason of 2 in w-nodes", StackName: "w-nodes", StackID: "g", Resource: "2"},
	}, rows)
}

// The rows are those that Heat listed after a port was refused for quota.
func TestListMembersOfAGroupOfStacks(t *testing.T) {
	rows, err := listMembers(t, "nodes",
		resource("nodes", typeResourceGroup, "g", "UPDATE_FAILED", "", "w", "1"),
		resource("masters", typeResourceGroup, "h", "CREATE_COMPLETE", "", "w", "1"),
		resource("0", "node.yaml", "h0", "CREATE_COMPLETE", "masters", "w-masters", "h"),
		resource("server", typeServer, "m0", "CREATE_COMPLETE", "0", "w-masters-0", "h0"),
		resource("0", "node.yaml", "n0", "UPDATE_COMPLETE", "nodes", "w-nodes", "g"),
		resource("1", "node.yaml", "n1", "DELETE_IN_PROGRESS", "nodes", "w-nodes", "g"),
		resource("3", "node.yaml", "", "INIT_COMPLETE", "nodes", "w-nodes", "g"),
		resource("4", "node.yaml", "n4", "CREATE_FAILED", "nodes", "w-nodes", "g"),
		resource("5", "node.yaml", "n5", "CREATE_FAILED", "nodes", "w-nodes", "g"),
		resource("6", "node.yaml", "n6", "CREATE_IN_PROGRESS", "nodes", "w-nodes", "g"),
		resource("server", typeServer, "s6", "DELETE_IN_PROGRESS", "6", "w-nodes-6", "n6"),
		resource("server", typeServer, "s0", "CHECK_COMPLETE", "0", "w-nodes-0", "n0"),
		resource("port", "OS::Neutron::Port", "p0", "CREATE_COMPLETE", "0", "w-nodes-0", "n0"),
		resource("server", typeServer, "s1", "CREATE_COMPLETE", "1", "w-nodes-1", "n1"),
		resource("server", typeServer, "", "INIT_COMPLETE", "4", "w-nodes-4", "n4"),
		resource("port", "OS::Neutron::Port", "", "CREATE_FAILED", "4", "w-nodes-4", "n4"),
		resource("server", typeServer, "", "CREATE_FAILED", "5", "w-nodes-5", "n5"),
	)
	require.NoError(t, err)
	assert.Equal(t, []MemberRow{
		{Index: "0", ServerID: "s0", Status: "CHECK_COMPLETE", Reason: "reason of server in w-nodes-0", StackName: "w-nodes-0", StackID: "n0", Resource: "server"},
		{Index: "1", ServerID: "s1", Status: "DELETE_IN_PROGRESS", Reason: "reason of 1 in w-nodes", StackName: "w-nodes-1", StackID: "n1", Resource: "server"},
		{Index: "3", Status: "INIT_COMPLETE", Reason: "reason of 3 in w-nodes"},
		{Index: "4", Status: "CREATE_FAILED", Reason: "reason of 4 in w-nodes", StackName: "w-nodes-4", StackID: "n4", Resource: "server"},
		{Index: "5", Status: "CREATE_FAILED", Reason: "reason of server in w-nodes-5", StackName: "w-nodes-5", StackID: "n5", Resource: "server"},
		{Index: "6", ServerID: "s6", Status: "CREATE_IN_PROGRESS", Reason: "reason of 6 in w-nodes", StackName: "w-nodes-6", StackID: "n6", Resource: "server"},
	}, rows)
}

func TestListMembersIsSureOrFails(t *testing.T) {
	group := resource("nodes", typeResourceGroup, "g", "CREATE_COMPLETE", "", "w", "1")
	_, err := listMembers(t, "", group, resource("more", typeResourceGroup, "h", "CREATE_COMPLETE", "", "w", "1"))
	assert.ErrorIs(t, err, errBadAnswer, "two groups, none named")
	_, err = listMembers(t, "workers", group)
	assert.ErrorIs(t, err, errBadAnswer, "another group")
	stray := resource("0", typeServer, "s0", "CREATE_COMPLETE", "nodes", "w-nodes", "g")
	delete(stray, "links")
	_, err = listMembers(t, "", group, stray)
	assert.ErrorIs(t, err, errBadAnswer, "a resource without a stack")

	rows, err := listMembers(t, "", resource("nodes", typeResourceGroup, "", "CREATE_IN_PROGRESS", "", "w", "1"))
	require.NoError(t, err)
	assert.Empty(t, rows, "the group is not made yet")
}

func TestListFailures(t *testing.T) {
	f := newServiceFake(t)
	request := "GET /stacks/w/1/events?limit=100&nested_depth=2&resource_action=CREATE&resource_status=FAILED&resource_type=OS%3A%3ANova%3A%3AServer&sort_dir=desc"
	f.answers[request] = `{"events": [
		{"resource_name": "3", "physical_resource_id": "93a3", "resource_status": "CREATE_FAILED", "resource_status_reason": "ResourceInError: Went to status ERROR"},
		{"resource_name": "server", "physical_resource_id": "ed5b", "resource_status": "CREATE_IN_PROGRESS"},
		{"resource_name": "server", "physical_resource_id": "ed5b", "resource_status": "CREATE_FAILED",
		 "links": [{"rel": "stack", "href": "http://heat/v1/p/stacks/w-nodes-kidmoiflixpl-14-pc3tcacqhzuw/ea65"}]},
		{"resource_name": "server", "physical_resource_id": "0000", "resource_status": "CREATE_FAILED", "links": []}]}`
	failures, err := NewHeat(f).(failureReader).ListFailures(t.Context(), "w", "1")
	require.NoError(t, err)
	assert.Equal(t, []serverFailure{
		{serverID: "93a3", reason: "ResourceInError: Went to status ERROR", index: "3"},
		{serverID: "ed5b", index: "14"}, {serverID: "0000"},
	}, failures)
}

func TestAddresses(t *testing.T) {
	name, id := stackOf("http://heat/v1/07e8/stacks/a%20b/413a/resources/nodes")
	assert.Equal(t, "a b 413a", name+" "+id)
	for _, bad := range []string{"", "http://heat/v1/07e8", "http://heat/v1/07e8/stacks/a"} {
		_, id := stackOf(bad)
		assert.Empty(t, id)
	}
	name, _ = stackOf("http://heat/stacks/a%2/1")
	assert.Equal(t, "a%2", name)
	assert.Empty(t, projectOf("http://heat"))
	assert.True(t, strings.HasSuffix(serviceURL(&gophercloud.ServiceClient{Endpoint: "http://h/"}, "stacks", "a b"), "/stacks/a%20b"))
}
