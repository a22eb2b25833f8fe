package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type listing struct {
	Servers []map[string]any `json:"servers"`
	Links   []struct {
		Href string `json:"href"`
	} `json:"servers_links"`
}

func (c *cloud) servers(token, query string) listing {
	c.t.Helper()
	url := query
	if !strings.HasPrefix(url, "http") {
		url = c.URL() + "/compute/v2.1/servers/detail" + query
	}
	r, data := c.call(http.MethodGet, url, token, "", "X-OpenStack-Nova-API-Version", "2.93")
	require.Equal(c.t, http.StatusOK, r.StatusCode, string(data))
	var l listing
	require.NoError(c.t, json.Unmarshal(data, &l))
	return l
}

func TestChangesSince(t *testing.T) {
	c := served(t)
	c.flat("g", 3)
	token, _ := c.login()
	c.clock.Step(time.Minute)
	since := "?changes-since=" + c.Now().UTC().Format(time.RFC3339)
	assert.Empty(t, c.servers(token, since).Servers)
	victim := c.Servers()[0]
	c.DeleteServer(victim.ID)
	l := c.servers(token, since)
	require.Len(t, l.Servers, 1)
	assert.Equal(t, "ACTIVE", l.Servers[0]["status"])
	assert.Equal(t, "deleting", l.Servers[0]["OS-EXT-STS:task_state"])
	c.settle()
	l = c.servers(token, since)
	require.Len(t, l.Servers, 1)
	assert.Equal(t, victim.ID, l.Servers[0]["id"])
	assert.Equal(t, "DELETED", l.Servers[0]["status"])
	assert.Empty(t, l.Servers[0]["metadata"], "a deleted server has lost its metadata")
	assert.Len(t, c.servers(token, "").Servers, 2, "without changes-since deleted ones are not listed")
	r, _ := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/"+victim.ID, token, "")
	assert.Equal(t, http.StatusNotFound, r.StatusCode)
}

func TestPagesOfServers(t *testing.T) {
	c := served(t)
	c.flat("g", 7)
	token, _ := c.login()
	var names []string
	pages := 0
	for next := "?limit=3"; next != ""; pages++ {
		l := c.servers(token, next)
		for _, s := range l.Servers {
			names = append(names, s["name"].(string))
		}
		next = ""
		if len(l.Links) > 0 {
			next = l.Links[0].Href
		}
	}
	assert.Equal(t, 3, pages)
	assert.Len(t, names, 7)
	assert.ElementsMatch(t, []string{"workers-0", "workers-1", "workers-2", "workers-3", "workers-4", "workers-5", "workers-6"}, names)
}

func TestWhatAdminsSee(t *testing.T) {
	c := served(t)
	c.flat("g", 1)
	token, _ := c.login()
	assert.Len(t, c.servers(token, `?metadata={"node_index":"5"}`).Servers, 1, "the filter is ignored for users")
	r, _ := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/detail?all_tenants=1", token, "")
	assert.Equal(t, http.StatusForbidden, r.StatusCode)
	assert.NotContains(t, c.servers(token, "").Servers[0], "OS-EXT-SRV-ATTR:user_data")

	body := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"id":"default"},"password":"secret"}}},"scope":{"project":{"name":"admin","domain":{"id":"default"}}}}}`
	r, _ = c.call(http.MethodPost, c.AuthURL()+"/auth/tokens", "", body)
	admin := r.Header.Get("X-Subject-Token")
	l := c.servers(admin, `?all_tenants=1&metadata={"node_index":"0"}`)
	require.Len(t, l.Servers, 1)
	assert.NotEmpty(t, l.Servers[0]["OS-EXT-SRV-ATTR:user_data"])
	assert.Empty(t, c.servers(admin, `?all_tenants=1&metadata={"node_index":"5"}`).Servers)

	url := c.URL() + "/compute/v2.1/servers/" + c.Servers()[0].ID + "/action"
	r, _ = c.call(http.MethodPost, url, token, `{"os-resetState":{"state":"error"}}`)
	assert.Equal(t, http.StatusForbidden, r.StatusCode)
	r, _ = c.call(http.MethodPost, url, admin, `{"os-resetState":{"state":"error"}}`)
	assert.Equal(t, http.StatusAccepted, r.StatusCode)
	assert.Equal(t, "ERROR", c.Servers()[0].Status)

	_, project := c.login()
	r, _ = c.call(http.MethodPut, c.URL()+"/compute/v2.1/os-quota-sets/"+project, token, `{"quota_set":{"instances":1}}`)
	assert.Equal(t, http.StatusForbidden, r.StatusCode)
	r, _ = c.call(http.MethodPut, c.URL()+"/compute/v2.1/os-quota-sets/"+project, admin, `{"quota_set":{"instances":1}}`)
	assert.Equal(t, http.StatusOK, r.StatusCode)
	quota, used := c.GetQuota("demo")
	assert.Equal(t, 1, quota.Instances)
	assert.Equal(t, 1, used.Instances)
}

func TestFaultOfAServerWithoutAHost(t *testing.T) {
	c := served(t)
	c.SetNoValidHost("m1.small", true)
	id, err := c.CreateStack("demo", StackSpec{Name: "g", Template: flatTemplate, Parameters: params{"node_count": 1}})
	require.NoError(t, err)
	c.settle()
	assert.Equal(t, "CREATE_FAILED", c.stack(id).Status)
	token, _ := c.login()
	l := c.servers(token, "")
	require.Len(t, l.Servers, 1)
	assert.NotContains(t, l.Servers[0], "fault", "lists do not show it")
	_, data := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/"+l.Servers[0]["id"].(string), token, "")
	assert.Contains(t, string(data), `"message":"No valid host was found. "`)
}

func TestSubscribers(t *testing.T) {
	c := newCloud(t)
	events := make(chan ServerEvent, 100)
	cancel := c.Subscribe(func(e ServerEvent) { events <- e })
	id := c.flat("g", 1)
	c.patch(id, params{"node_count": 0})
	c.settle()
	for _, want := range []ServerEventType{ServerCreated, ServerActive, ServerDeleted} {
		select {
		case e := <-events:
			assert.Equal(t, want, e.Type)
			assert.Contains(t, e.Server.UserData, "#cloud-config")
		case <-time.After(time.Minute):
			t.Fatal("no event", want)
		}
	}
	cancel()
}

func TestFiveThousandServers(t *testing.T) {
	c := served(t)
	for i := range 50 {
		_, err := c.CreateStack("demo", StackSpec{Name: "g" + string(rune('a'+i/26)) + string(rune('a'+i%26)), Template: flatTemplate, Tags: []string{"ours"}, Parameters: params{"node_count": 100}})
		require.NoError(t, err)
	}
	for !c.Settled() {
		c.clock.Step(10 * time.Second)
	}
	token, project := c.login()
	n := 0
	for next := "?limit=1000"; next != ""; {
		l := c.servers(token, next)
		n += len(l.Servers)
		next = ""
		if len(l.Links) > 0 {
			next = l.Links[0].Href
		}
	}
	assert.Equal(t, 5000, n)
	_, data := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/detail?limit=1", token, "", "X-OpenStack-Nova-API-Version", "2.93")
	assert.InDelta(t, 1600, len(data), 300)

	// Nothing under way: a poll must not cost more with many servers than with few.
	c.clock.Step(time.Minute)
	since := c.Now().UTC().Format(time.RFC3339)
	idle := testing.AllocsPerRun(20, func() {
		_, body := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/detail?changes-since="+since, token, "")
		require.JSONEq(t, `{"servers":[]}`, string(body))
	})
	assert.Less(t, idle, 1000.0)
	_, data = c.call(http.MethodGet, c.URL()+"/orchestration/v1/"+project+"/stacks?tags=ours", token, "")
	assert.Equal(t, 50, strings.Count(string(data), `"stack_status":"CREATE_COMPLETE"`))
}
