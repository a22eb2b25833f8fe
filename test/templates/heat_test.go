package templates_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"flag"
	"net/http"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
)

var labFolder = flag.String("lab", "", "run the tests whose names begin with TestHeat on the lab of this folder (LAB_DIR of test/lab), not on the simulated cloud")

// heat is a project of its own on a cloud, signed in.
type heat struct {
	t        *testing.T
	target   conformance.Target
	real     bool
	user     *api.Client // who launches stacks, with a password
	admin    *api.Client
	deadline time.Time
}

// patience is how long a test may take on the real cloud.
const patience = 4 * time.Minute

func newHeat(t *testing.T) *heat {
	t.Helper()
	h := &heat{t: t, deadline: time.Now().Add(patience)}
	var admin api.Credentials
	if *labFolder != "" {
		cloud, err := lab.Open(*labFolder)
		require.NoError(t, err)
		h.target, h.real, admin = cloud, true, cloud.Admin()
	} else {
		cloud := conformance.OpenSimulated(t)
		cloud.AddNetwork("public")
		h.target, admin = cloud, api.Credentials{User: "admin", Password: "secret", Project: "admin"}
	}
	name := "templates-" + strings.ToLower(rand.Text()[:8])
	who, err := h.target.NewProject(t.Context(), name)
	require.NoError(t, err)
	h.user, err = api.Login(t.Context(), h.target.AuthURL(), who)
	require.NoError(t, err)
	h.admin, err = api.Login(t.Context(), h.target.AuthURL(), admin)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		require.NoError(t, h.target.RemoveProject(ctx, name))
	})
	return h
}

// do sends a request that has to be answered with one of these codes.
func (h *heat) do(c *api.Client, method, service, path string, body, into any, codes ...int) *api.Response {
	h.t.Helper()
	answer, err := c.Do(h.t.Context(), method, service, path, body)
	require.NoError(h.t, err)
	require.Contains(h.t, codes, answer.Code, "%s %s: %.600s", method, path, answer.Body)
	if into != nil {
		require.NoError(h.t, answer.JSON(into))
	}
	return answer
}

// applicationCredential signs in as the autoscaler does.
func (h *heat) applicationCredential() *api.Client {
	h.t.Helper()
	var made struct {
		Credential struct {
			ID     string `json:"id"`
			Secret string `json:"secret"`
		} `json:"application_credential"`
	}
	for {
		answer := h.do(h.user, http.MethodPost, api.Identity, "/users/"+h.user.UserID+"/application_credentials",
			map[string]any{"application_credential": map[string]any{"name": strings.ToLower(rand.Text()[:8])}}, nil,
			http.StatusCreated, http.StatusBadRequest)
		if answer.Code == http.StatusCreated {
			require.NoError(h.t, answer.JSON(&made))
			break
		}
		// Seen on the real Keystone for a moment after a project has been made: its cache does not know the user's roles there yet.
		require.Contains(h.t, string(answer.Body), "Could not find role assignment")
		h.pause("Keystone to know the user's roles")
	}
	client, err := api.Login(h.t.Context(), h.target.AuthURL(), api.Credentials{
		ApplicationCredentialID: made.Credential.ID, ApplicationCredentialSecret: made.Credential.Secret,
	})
	require.NoError(h.t, err)
	return client
}

// heatStack is a stack made from a template of deploy/heat.
type heatStack struct {
	h        *heat
	name, id string
}

func (h *heat) launch(template string, p params) *heatStack {
	h.t.Helper()
	s := &heatStack{h: h, name: "t" + strings.ToLower(rand.Text()[:8])}
	var made struct {
		Stack struct {
			ID string `json:"id"`
		} `json:"stack"`
	}
	h.do(h.user, http.MethodPost, api.Orchestration, "/stacks", map[string]any{
		"stack_name": s.name, "template": read(h.t, template), "parameters": p, "timeout_mins": 10,
		"files": map[string]string{"node-with-port.yaml": read(h.t, "node-with-port.yaml")},
	}, &made, http.StatusCreated)
	s.id = made.Stack.ID
	h.t.Cleanup(func() { s.leave(context.WithoutCancel(h.t.Context())) })
	s.settle("CREATE_COMPLETE")
	return s
}

func (s *heatStack) path() string { return "/stacks/" + s.name + "/" + s.id }

// settle waits until nothing is under way.
func (s *heatStack) settle(status string) map[string]any {
	s.h.t.Helper()
	for {
		var view struct {
			Stack map[string]any `json:"stack"`
		}
		s.h.do(s.h.user, http.MethodGet, api.Orchestration, s.path()+"?resolve_outputs=False", nil, &view, http.StatusOK)
		is := at(view.Stack, "stack_status")
		if !strings.HasSuffix(is, "_IN_PROGRESS") {
			require.Equal(s.h.t, status, is, at(view.Stack, "stack_status_reason"))
			return view.Stack
		}
		s.h.pause("stack " + s.name + " to become " + status + ", it is " + is)
	}
}

func (h *heat) pause(awaited string) {
	h.t.Helper()
	require.True(h.t, time.Now().Before(h.deadline), "waited too long for %s", awaited)
	time.Sleep(h.target.Pace())
}

// patch changes parameters as whoever the client is signed in as.
func (s *heatStack) patch(c *api.Client, p params) map[string]any {
	s.h.t.Helper()
	s.h.do(c, http.MethodPatch, api.Orchestration, s.path(), map[string]any{"parameters": p}, nil, http.StatusAccepted)
	return s.settle("UPDATE_COMPLETE")
}

// remove deletes the stack and waits until it is gone.
func (s *heatStack) remove() {
	s.h.t.Helper()
	s.h.do(s.h.user, http.MethodDelete, api.Orchestration, s.path(), nil, nil, http.StatusNoContent)
	for {
		var view struct {
			Stack map[string]any `json:"stack"`
		}
		answer := s.h.do(s.h.user, http.MethodGet, api.Orchestration, s.path()+"?resolve_outputs=False", nil, nil, http.StatusOK, http.StatusNotFound)
		if answer.Code == http.StatusNotFound {
			return
		}
		require.NoError(s.h.t, answer.JSON(&view))
		is := at(view.Stack, "stack_status")
		if is == "DELETE_COMPLETE" {
			return
		}
		require.Equal(s.h.t, "DELETE_IN_PROGRESS", is, at(view.Stack, "stack_status_reason"))
		s.h.pause("stack " + s.name + " to go")
	}
}

// leave deletes the stack after a test that has failed; it is not waited for.
func (s *heatStack) leave(ctx context.Context) {
	_, _ = s.h.user.Do(ctx, http.MethodDelete, api.Orchestration, s.path(), nil)
}

// member is what must not change of a node that runs.
type member struct {
	ID, Created, Launched, UserData string
}

// servers are the project's servers by name, with the user_data that only administrators see.
func (h *heat) servers() map[string]member {
	h.t.Helper()
	var list struct {
		Servers []struct {
			ID       string `json:"id"`
			Name     string `json:"name"`
			Status   string `json:"status"`
			Created  string `json:"created"`
			Launched string `json:"OS-SRV-USG:launched_at"`
			UserData string `json:"OS-EXT-SRV-ATTR:user_data"`
			Project  string `json:"tenant_id"`
		} `json:"servers"`
	}
	h.do(h.admin, http.MethodGet, api.Compute, "/servers/detail?all_tenants=1&limit=1000", nil, &list, http.StatusOK)
	out := map[string]member{}
	for _, s := range list.Servers {
		if s.Project == h.user.ProjectID && s.Status != "DELETED" {
			text, err := base64.StdEncoding.DecodeString(s.UserData)
			require.NoError(h.t, err)
			out[s.Name] = member{s.ID, s.Created, s.Launched, string(text)}
		}
	}
	return out
}

// resourceTypes lists what a stack is made of.
func (s *heatStack) resourceTypes() []string {
	s.h.t.Helper()
	var list struct {
		Resources []struct {
			Type   string `json:"resource_type"`
			Status string `json:"resource_status"`
		} `json:"resources"`
	}
	s.h.do(s.h.user, http.MethodGet, api.Orchestration, s.path()+"/resources?nested_depth=5", nil, &list, http.StatusOK)
	types := map[string]bool{}
	for _, r := range list.Resources {
		require.True(s.h.t, strings.HasSuffix(r.Status, "_COMPLETE"), "%s is %s", r.Type, r.Status)
		types[r.Type] = true
	}
	out := make([]string, 0, len(types))
	for one := range types {
		out = append(out, one)
	}
	sort.Strings(out)
	return out
}

// belongings counts what the project has, of what a stack could leave behind.
func (h *heat) belongings() map[string]int {
	h.t.Helper()
	out := map[string]int{"servers": len(h.servers())}
	if !h.real {
		return out
	}
	for path, service := range map[string]string{
		"/v2.0/ports": "network", "/v2.0/networks": "network", "/v2.0/routers": "network", "/v2.0/floatingips": "network",
		"/v2.0/security-groups": "network", "/volumes": "volumev3", "/os-server-groups": api.Compute,
	} {
		var list map[string][]map[string]any
		query := "?tenant_id=" + h.user.ProjectID
		if service != "network" {
			query = ""
		}
		h.do(h.user, http.MethodGet, service, path+query, nil, &list, http.StatusOK)
		for _, rows := range list {
			out[path] = len(rows)
		}
	}
	return out
}

// subnetOf is the id of the only subnet of a network.
func (h *heat) subnetOf(network string) string {
	h.t.Helper()
	var list struct{ Networks []struct{ Subnets []string } }
	h.do(h.user, http.MethodGet, "network", "/v2.0/networks?name="+network, nil, &list, http.StatusOK)
	require.Len(h.t, list.Networks, 1)
	require.Len(h.t, list.Networks[0].Subnets, 1)
	return list.Networks[0].Subnets[0]
}

// requirePorts: on the real cloud the project has so many ports, those that Heat has made among servers.
func (h *heat) requirePorts(n int) {
	h.t.Helper()
	if h.real {
		require.Equal(h.t, n, h.belongings()["/v2.0/ports"], "ports")
	}
}
