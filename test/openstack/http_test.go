package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/orchestration/v1/stacks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// served is a cloud with its HTTP door open.
func served(t *testing.T, options ...func(*Options)) *cloud {
	t.Helper()
	c := newCloud(t, options...)
	require.NoError(t, c.Start("127.0.0.1:0"))
	return c
}

// login gets a token and the project's id by plain HTTP.
func (c *cloud) login() (token, project string) {
	c.t.Helper()
	body := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"demo","domain":{"id":"default"},"password":"secret"}}},"scope":{"project":{"name":"demo","domain":{"id":"default"}}}}}`
	r, data := c.call(http.MethodPost, c.AuthURL()+"/auth/tokens", "", body)
	require.Equal(c.t, http.StatusCreated, r.StatusCode)
	var out struct {
		Token struct {
			Project struct {
				ID string `json:"id"`
			} `json:"project"`
		} `json:"token"`
	}
	require.NoError(c.t, json.Unmarshal(data, &out))
	return r.Header.Get("X-Subject-Token"), out.Token.Project.ID
}

// answer is a response whose body has been read.
type answer struct {
	StatusCode int
	Header     http.Header
}

func (c *cloud) call(method, url, token, body string, header ...string) (answer, []byte) {
	c.t.Helper()
	r, data, err := c.try(method, url, token, body, header...)
	require.NoError(c.t, err)
	return r, data
}

func (c *cloud) try(method, url, token, body string, header ...string) (answer, []byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, nil, err
	}
	request.Header.Set("X-Auth-Token", token)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	// A fresh connection each time: net/http repeats a GET whose kept-alive connection was dropped.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Do(request)
	if err != nil {
		return answer{}, nil, err
	}
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Header}, data, err
}

func TestGophercloudIsAtHome(t *testing.T) {
	c := served(t)
	ctx := context.Background()
	id, secret := c.AddApplicationCredential("demo", "demo", "autoscaler")
	for name, auth := range map[string]gophercloud.AuthOptions{
		"password":               {IdentityEndpoint: c.AuthURL(), Username: "demo", Password: "secret", DomainName: "Default", TenantName: "demo", AllowReauth: true},
		"application credential": {IdentityEndpoint: c.AuthURL(), ApplicationCredentialID: id, ApplicationCredentialSecret: secret, AllowReauth: true},
	} {
		t.Run(name, func(t *testing.T) {
			provider, err := openstack.AuthenticatedClient(ctx, auth)
			require.NoError(t, err)
			where := gophercloud.EndpointOpts{Region: "RegionOne"}
			heatClient, err := openstack.NewOrchestrationV1(provider, where)
			require.NoError(t, err)
			novaClient, err := openstack.NewComputeV2(provider, where)
			require.NoError(t, err)
			glanceClient, err := openstack.NewImageV2(provider, where)
			require.NoError(t, err)

			stackID := c.flat("g-"+name[:4], 2, "ours", "cluster=x", name)
			page, err := stacks.List(heatClient, stacks.ListOpts{Tags: "ours,cluster=x," + name}).AllPages(ctx)
			require.NoError(t, err)
			listed, err := stacks.ExtractStacks(page)
			require.NoError(t, err)
			require.Len(t, listed, 1)
			assert.Equal(t, stackID, listed[0].ID)

			got, err := stacks.Get(ctx, heatClient, listed[0].Name, stackID).Extract()
			require.NoError(t, err)
			assert.Equal(t, "2", got.Parameters["node_count"])
			assert.Equal(t, "******", got.Parameters["bootstrap_token"])

			c.ExpireTokens()
			err = stacks.UpdatePatch(ctx, heatClient, got.Name, stackID, stacks.UpdateOpts{Parameters: map[string]any{"node_count": 3}}).ExtractErr()
			require.NoError(t, err, "a new token is fetched")
			c.settle()

			all, err := servers.List(novaClient, servers.ListOpts{}).AllPages(ctx)
			require.NoError(t, err)
			list, err := servers.ExtractServers(all)
			require.NoError(t, err)
			ours := 0
			for _, s := range list {
				if s.Metadata["metering.stack"] == stackID {
					ours++
				}
			}
			assert.Equal(t, 3, ours)
			flavorPages, err := flavors.ListDetail(novaClient, nil).AllPages(ctx)
			require.NoError(t, err)
			kinds, err := flavors.ExtractFlavors(flavorPages)
			require.NoError(t, err)
			assert.Len(t, kinds, 6)
			imagePages, err := images.List(glanceClient, images.ListOpts{Name: "node-image"}).AllPages(ctx)
			require.NoError(t, err)
			found, err := images.ExtractImages(imagePages)
			require.NoError(t, err)
			assert.Len(t, found, 1)
		})
	}
}

func TestAnswersThatAreNotJSON(t *testing.T) {
	c := served(t)
	id := c.flat("g", 1)
	token, project := c.login()
	base := c.URL() + "/orchestration/v1/" + project + "/stacks/g"
	r, data := c.call(http.MethodPatch, base+"/"+id, token, `{"parameters":{"node_count":2}}`)
	assert.Equal(t, http.StatusAccepted, r.StatusCode)
	assert.Equal(t, "text/plain; charset=UTF-8", r.Header.Get("Content-Type"), "what Heat sends to a client without an Accept header")
	assert.True(t, strings.HasPrefix(string(data), "202 Accepted"), "%s", data)
	assert.Equal(t, "UPDATE_IN_PROGRESS", c.stack(id).Status, "when the 202 arrives the update is under way")

	r, _ = c.call(http.MethodGet, base+"?resolve_outputs=False", token, "")
	assert.Equal(t, http.StatusFound, r.StatusCode)
	assert.Equal(t, base+"/"+id+"?resolve_outputs=False", r.Header.Get("Location"))
	r, _ = c.call(http.MethodPatch, base, token, `{"parameters":{}}`)
	assert.Equal(t, http.StatusFound, r.StatusCode)

	r, data = c.call(http.MethodPatch, base+"/"+id, token, `{"parameters":{"node_count":"abc"}}`)
	assert.Equal(t, http.StatusBadRequest, r.StatusCode)
	assert.JSONEq(t, `{"code":400,"title":"Bad Request","explanation":"The server could not comply with the request since it is either malformed or otherwise incorrect.",
		"error":{"type":"StackValidationFailed","traceback":null,"message":"Parameter 'node_count' is invalid: could not convert string to float: 'abc'"}}`, string(data))
	r, _ = c.call(http.MethodGet, base+"/"+id, "no token", "")
	assert.Equal(t, http.StatusUnauthorized, r.StatusCode)
	r, _ = c.call(http.MethodGet, c.URL()+"/orchestration/v1/deadbeef/stacks", token, "")
	assert.Equal(t, http.StatusForbidden, r.StatusCode)
}

func TestApplicationCredentialsLiveOnTheTrustOfTheirUser(t *testing.T) {
	c := served(t)
	c.AddUser("other", "secret", false, "demo")
	id := c.flat("g", 1)
	key, secret := c.AddApplicationCredential("demo", "demo", "autoscaler")
	tokenOf := func(identity string) string {
		r, _ := c.call(http.MethodPost, c.AuthURL()+"/auth/tokens", "", `{"auth":{"identity":`+identity+`,"scope":{"project":{"name":"demo","domain":{"id":"default"}}}}}`)
		require.Equal(t, http.StatusCreated, r.StatusCode)
		return r.Header.Get("X-Subject-Token")
	}
	r, _ := c.call(http.MethodPost, c.AuthURL()+"/auth/tokens", "", `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"`+key+`","secret":"`+secret+`"}}}}`)
	credential := r.Header.Get("X-Subject-Token")
	demo, project := c.login()
	other := tokenOf(`{"methods":["password"],"password":{"user":{"name":"other","domain":{"id":"default"},"password":"secret"}}}`)
	stacks := c.URL() + "/orchestration/v1/" + project + "/stacks"
	for _, step := range []struct {
		method, url, token string
		want               int
	}{
		{http.MethodPost, stacks, credential, 500},
		{http.MethodPatch, stacks + "/g/" + id, credential, 202},
		{http.MethodPatch, stacks + "/g/" + id, other, 202},
		{http.MethodPatch, stacks + "/g/" + id, credential, 500},
		{http.MethodPatch, stacks + "/g/" + id, demo, 202},
		{http.MethodPatch, stacks + "/g/" + id, credential, 202},
	} {
		r, _ := c.call(step.method, step.url, step.token, `{"parameters":{}}`)
		assert.Equal(t, step.want, r.StatusCode)
		c.settle()
	}
}

func TestTokensExpire(t *testing.T) {
	c := served(t, func(o *Options) { o.TokenLife = time.Hour })
	token, _ := c.login()
	r, _ := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers", token, "")
	assert.Equal(t, http.StatusOK, r.StatusCode)
	c.clock.Step(time.Hour)
	r, _ = c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers", token, "")
	assert.Equal(t, http.StatusUnauthorized, r.StatusCode)
}

func TestOfTwoPatchesAtTheSameMomentOneIsLost(t *testing.T) {
	c := served(t)
	id := c.flat("g", 8)
	token, project := c.login()
	url := c.URL() + "/orchestration/v1/" + project + "/stacks/g/" + id
	c.DuringNextPatch(id, func() { assert.NoError(t, c.PatchStack(id, params{"node_count": 7, "nodes_to_remove": []string{"6"}})) })
	r, _ := c.call(http.MethodPatch, url, token, `{"parameters":{"node_count":6,"nodes_to_remove":["7"]}}`)
	assert.Equal(t, http.StatusAccepted, r.StatusCode)
	assert.Equal(t, "7", c.stack(id).Parameters["node_count"])
	assert.Equal(t, "6", c.stack(id).Parameters["nodes_to_remove"])
	updates := c.Updates()
	require.Len(t, updates, 2)
	assert.False(t, updates[0].Lost)
	assert.True(t, updates[1].Lost)

	c.LoseUpdates(id, 1)
	r, _ = c.call(http.MethodPatch, url, token, `{"parameters":{"node_count":3}}`)
	assert.Equal(t, http.StatusAccepted, r.StatusCode)
	assert.Equal(t, "7", c.stack(id).Parameters["node_count"])
}

func TestConcurrentPatchesInRealTime(t *testing.T) {
	sim := New(Options{PatchTime: time.Millisecond})
	defer sim.Close()
	require.NoError(t, sim.Start("127.0.0.1:0"))
	c := &cloud{Simulator: sim, t: t}
	id, err := sim.CreateStack("demo", StackSpec{Name: "g", Template: flatTemplate})
	require.NoError(t, err)
	token, project := c.login()
	var group, met sync.WaitGroup
	met.Add(2)
	for i := range 2 {
		// Each is in the middle of it when the other one is, whoever comes first.
		sim.DuringNextPatch(id, func() { met.Done(); met.Wait() })
		group.Add(1)
		go func() {
			defer group.Done()
			r, _, err := c.try(http.MethodPatch, c.URL()+"/orchestration/v1/"+project+"/stacks/g/"+id, token, fmt.Sprintf(`{"parameters":{"node_count":%d}}`, 5+i))
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusAccepted, r.StatusCode)
			}
		}()
	}
	group.Wait()
	lost := 0
	for _, u := range sim.Updates() {
		if u.Lost {
			lost++
		}
	}
	assert.Equal(t, 1, lost)
}

func TestFaults(t *testing.T) {
	c := served(t)
	token, project := c.login()
	list := c.URL() + "/orchestration/v1/" + project + "/stacks"

	cancel := c.Inject(Fault{Service: Heat, Method: http.MethodGet, Path: `/stacks`, Status: 429, RetryAfter: 7, Body: "slow down", Skip: 1, Times: 1})
	for i, want := range []int{200, 429, 200} {
		r, _ := c.call(http.MethodGet, list, token, "")
		assert.Equal(t, want, r.StatusCode, i)
		if want == 429 {
			assert.Equal(t, "7", r.Header.Get("Retry-After"))
		}
	}
	cancel()

	c.Inject(Fault{Service: Heat, Drop: true, Times: 1})
	_, _, err := c.try(http.MethodGet, list, token, "")
	require.Error(t, err)
	c.Inject(Fault{Service: Heat, Truncate: 5, Times: 1})
	_, data, err := c.try(http.MethodGet, list, token, "")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, data, 5)

	id := c.flat("g", 1)
	c.Inject(Fault{Method: http.MethodPatch, Status: 504, Done: true, Times: 1})
	r, _ := c.call(http.MethodPatch, list+"/g/"+id, token, `{"parameters":{"node_count":2}}`)
	assert.Equal(t, 504, r.StatusCode)
	assert.Equal(t, "2", c.stack(id).Parameters["node_count"], "only the answer was lost")

	c.Inject(Fault{Service: Nova, Latency: time.Minute, Times: 1})
	done := make(chan int, 1)
	go func() {
		r, _, err := c.try(http.MethodGet, c.URL()+"/compute/v2.1/servers", token, "")
		if assert.NoError(t, err) {
			done <- r.StatusCode
		}
	}()
	require.Eventually(t, func() bool {
		select {
		case status := <-done:
			return assert.Equal(t, http.StatusOK, status)
		default:
			c.clock.Step(time.Minute)
			return false
		}
	}, time.Minute, 20*time.Millisecond)
}

func TestCallsAreCounted(t *testing.T) {
	c := served(t)
	id := c.flat("g", 1)
	token, project := c.login()
	c.ResetCalls()
	base := c.URL() + "/orchestration/v1/" + project + "/stacks"
	c.call(http.MethodGet, base+"?tags=a", token, "")
	c.call(http.MethodGet, base+"/g/"+id+"?resolve_outputs=False", token, "")
	c.call(http.MethodGet, base+"/g/"+id+"/resources/nodes", token, "")
	c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/detail?changes-since=2026-01-01T00:00:00Z", token, "")
	c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/"+c.Servers()[0].ID, token, "")
	assert.Equal(t, map[Call]int{
		{Heat, http.MethodGet, "/stacks"}:                                  1,
		{Heat, http.MethodGet, "/stacks/{name}/{id}"}:                      1,
		{Heat, http.MethodGet, "/stacks/{name}/{id}/resources/{resource}"}: 1,
		{Nova, http.MethodGet, "/servers/detail"}:                          1,
		{Nova, http.MethodGet, "/servers/{id}"}:                            1,
	}, c.Calls())
	assert.Equal(t, 5, c.CountCalls("", http.MethodGet))
}
