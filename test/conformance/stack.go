package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Stack is a stack of the case. It is deleted when the case is over.
type Stack struct {
	Name, ID string

	c *Case
}

// View is a stack as Heat shows it.
type View struct {
	ID              string            `json:"id"`
	Name            string            `json:"stack_name"`
	Status          string            `json:"stack_status"`
	Reason          string            `json:"stack_status_reason"`
	Updated         *string           `json:"updated_time"`
	Parameters      map[string]string `json:"parameters"`
	Tags            []string          `json:"tags"`
	Outputs         []map[string]any  `json:"outputs"`
	DisableRollback bool              `json:"disable_rollback"`
}

// Row is a resource in Heat's list.
type Row struct {
	Name   string `json:"resource_name"`
	ID     string `json:"physical_resource_id"`
	Status string `json:"resource_status"`
	Reason string `json:"resource_status_reason"`
	Type   string `json:"resource_type"`
	Parent string `json:"parent_resource"`
	Links  []struct {
		Rel  string `json:"rel"`
		Href string `json:"href"`
	} `json:"links"`
}

// Index is the index of the member that the row belongs to: in a flat group the resource's name, in a group of nested
// stacks the name of its parent.
func (r Row) Index() string {
	if r.Name == "server" {
		return r.Parent
	}
	return r.Name
}

// Server is a server as Nova shows it.
type Server struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Status   string            `json:"status"`
	Task     string            `json:"OS-EXT-STS:task_state"`
	HostName string            `json:"OS-EXT-SRV-ATTR:hostname"`
	Launched *string           `json:"OS-SRV-USG:launched_at"`
	Created  string            `json:"created"`
	Metadata map[string]string `json:"metadata"`
	Flavor   map[string]any    `json:"flavor"`
	Image    struct {
		ID string `json:"id"`
	} `json:"image"`
	// Addresses by network.
	Addresses map[string][]struct {
		Address string `json:"addr"`
		Type    string `json:"OS-EXT-IPS:type"`
	} `json:"addresses"`
	Fault *struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
	} `json:"fault"`
}

// isGoing: it is being deleted, or has been, which lists show for a moment longer than Heat waits for.
func (s *Server) isGoing() bool { return s.Task == "deleting" || s.Status == "DELETED" }

const updating = "UPDATE_IN_PROGRESS"

// Start asks for a stack and returns at once.
func (c *Case) Start(file string, params Params, tags ...string) *Stack {
	c.t.Helper()
	name := "conf-" + c.Name + "-" + strings.ToLower(rand.Text()[:6])
	body := map[string]any{
		"stack_name": name, "template": template(c.t, file), "parameters": params, "timeout_mins": 30,
	}
	if strings.HasPrefix(file, "nested") {
		body["files"] = map[string]string{"node.yaml": template(c.t, "node.yaml"), "node-token.yaml": template(c.t, "node-token.yaml")}
	}
	if file == "magnum.yaml" {
		body["files"] = map[string]string{"minion.yaml": template(c.t, "minion.yaml")}
	}
	if file == "parent.yaml" {
		body["files"] = map[string]string{"flat.yaml": template(c.t, "flat.yaml")}
	}
	if len(tags) > 0 {
		body["tags"] = strings.Join(tags, ",")
	}
	answer := c.Do(http.MethodPost, api.Orchestration, "/stacks", body)
	require.Equal(c.t, http.StatusCreated, answer.Code, "%s", answer.Body)
	var created struct {
		Stack struct {
			ID string `json:"id"`
		} `json:"stack"`
	}
	require.NoError(c.t, answer.JSON(&created))
	s := &Stack{Name: name, ID: created.Stack.ID, c: c}
	c.cleanup(s.remove)
	return s
}

// Create makes a stack and waits until it is complete.
func (c *Case) Create(file string, params Params, tags ...string) *Stack {
	c.t.Helper()
	s := c.Start(file, params, tags...)
	s.Settle("CREATE_COMPLETE")
	return s
}

// remove deletes the stack and waits until it is gone.
func (s *Stack) remove(ctx context.Context) error {
	for asked := 0; ; {
		answer, err := s.c.Client.Do(ctx, http.MethodGet, api.Orchestration, s.path("?resolve_outputs=False"), nil)
		if err != nil {
			return err
		}
		if answer.Code == http.StatusNotFound {
			return nil
		}
		var view struct {
			Stack View `json:"stack"`
		}
		if answer.Code == http.StatusOK {
			if err := answer.JSON(&view); err != nil {
				return err
			}
		}
		switch status := view.Stack.Status; {
		case status == "DELETE_COMPLETE":
			return nil
		case status == "DELETE_IN_PROGRESS":
		case asked >= 3:
			return fmt.Errorf("stack %s can't be deleted: %s: %s", s.Name, status, view.Stack.Reason)
		default:
			asked++
			if _, err := s.c.Client.Do(ctx, http.MethodDelete, api.Orchestration, s.path(""), nil); err != nil {
				return err
			}
		}
		select {
		case <-time.After(s.c.Cloud.Pace()):
		case <-ctx.Done():
			return fmt.Errorf("stack %s is still there: %w", s.Name, ctx.Err())
		}
	}
}

func (s *Stack) path(rest string) string { return "/stacks/" + s.Name + "/" + s.ID + rest }

// Get reads the stack, without outputs.
func (s *Stack) Get() View {
	s.c.t.Helper()
	var view struct {
		Stack View `json:"stack"`
	}
	s.c.Get(api.Orchestration, s.path("?resolve_outputs=False"), &view)
	return view.Stack
}

// TryPatch changes parameters and returns Heat's answer. Failed members stay: rollback is disabled.
func (s *Stack) TryPatch(params Params) *api.Response {
	s.c.t.Helper()
	return s.c.Do(http.MethodPatch, api.Orchestration, s.path(""), map[string]any{"parameters": params, "disable_rollback": true})
}

// Patch changes parameters; Heat must accept it.
func (s *Stack) Patch(params Params) {
	s.c.t.Helper()
	answer := s.TryPatch(params)
	require.Equal(s.c.t, http.StatusAccepted, answer.Code, "%s", answer.Body)
}

// Settle waits until nothing is in progress, and requires this status then.
func (s *Stack) Settle(status string) View {
	s.c.t.Helper()
	return s.settle(status, s.c.Cloud.Patience())
}

// AtRest waits until nothing is in progress, whatever the outcome.
func (s *Stack) AtRest() View {
	s.c.t.Helper()
	return s.atRest("the end of the update", s.c.Cloud.Patience())
}

func (s *Stack) atRest(awaited string, patience time.Duration) View {
	s.c.t.Helper()
	var view View
	s.c.Eventually("for "+awaited+" of "+s.Name, patience, func() bool {
		view = s.Get()
		return !strings.HasSuffix(view.Status, "_IN_PROGRESS")
	})
	return view
}

func (s *Stack) settle(status string, patience time.Duration) View {
	s.c.t.Helper()
	view := s.atRest(status, patience)
	require.Equal(s.c.t, status, view.Status, "%s", view.Reason)
	return view
}

// Update changes parameters and waits until that is complete.
func (s *Stack) Update(params Params) View {
	s.c.t.Helper()
	s.Patch(params)
	return s.Settle("UPDATE_COMPLETE")
}

// Rows lists the servers of the stack as Heat knows them.
func (s *Stack) Rows() []Row {
	s.c.t.Helper()
	return s.Resources("?nested_depth=2&type=OS::Nova::Server")
}

// Resources lists resources with this query.
func (s *Stack) Resources(query string) []Row {
	s.c.t.Helper()
	var list struct {
		Resources []Row `json:"resources"`
	}
	s.c.Get(api.Orchestration, s.path("/resources"+query), &list)
	return list.Resources
}

// Row is the row of one member.
func (s *Stack) Row(index string) Row {
	s.c.t.Helper()
	rows := s.Rows()
	at := slices.IndexFunc(rows, func(r Row) bool { return r.Index() == index })
	require.GreaterOrEqual(s.c.t, at, 0, "no member %s in %v", index, rows)
	return rows[at]
}

// Listed maps the index of every member that Heat lists to its server.
func (s *Stack) Listed() map[string]string {
	s.c.t.Helper()
	members := map[string]string{}
	for _, row := range s.Rows() {
		members[row.Index()] = row.ID
	}
	return members
}

// Servers lists the stack's servers as Nova knows them, without those that go.
func (s *Stack) Servers() []Server {
	s.c.t.Helper()
	var list struct {
		Servers []Server `json:"servers"`
	}
	s.c.Get(api.Compute, "/servers/detail?name="+s.Name, &list)
	return slices.DeleteFunc(list.Servers, func(server Server) bool {
		return server.Metadata["metering.stack"] != s.ID || server.isGoing()
	})
}

// Alive maps index to server id as Nova knows them.
func (s *Stack) Alive() map[string]string {
	s.c.t.Helper()
	alive := map[string]string{}
	for _, server := range s.Servers() {
		index := server.Metadata["node_index"]
		require.NotContains(s.c.t, alive, index, "two servers with one index")
		alive[index] = server.ID
	}
	return alive
}

// Members maps index to server id, and requires that Heat and Nova agree.
func (s *Stack) Members() map[string]string {
	s.c.t.Helper()
	listed, alive := s.Listed(), s.Alive()
	require.True(s.c.t, maps.Equal(listed, alive), "Heat lists %v, Nova has %v", listed, alive)
	return listed
}

// DeleteServer deletes a server in Nova, behind Heat's back, and waits until it is gone.
func (s *Stack) DeleteServer(id string) {
	s.c.t.Helper()
	answer := s.c.Do(http.MethodDelete, api.Compute, "/servers/"+id, nil)
	require.Equal(s.c.t, http.StatusNoContent, answer.Code, "%s", answer.Body)
	s.c.Eventually("for server "+id+" to go", s.c.Cloud.Patience(), func() bool {
		return s.c.Do(http.MethodGet, api.Compute, "/servers/"+id, nil).Code == http.StatusNotFound
	})
}

// Check runs Heat's check action.
func (s *Stack) Check() *api.Response {
	s.c.t.Helper()
	return s.c.Do(http.MethodPost, api.Orchestration, s.path("/actions"), map[string]any{"check": nil})
}

// MarkUnhealthy tells Heat what to think of a member's server resource.
func (s *Stack) MarkUnhealthy(index string, unhealthy bool) {
	s.c.t.Helper()
	row := s.Row(index)
	href := ""
	for _, link := range row.Links {
		if link.Rel == "stack" {
			_, href, _ = strings.Cut(link.Href, "/stacks/")
		}
	}
	require.NotEmpty(s.c.t, href, "the row of member %s has no link to its stack", index)
	answer := s.c.Do(http.MethodPatch, api.Orchestration, "/stacks/"+href+"/resources/"+row.Name,
		map[string]any{"mark_unhealthy": unhealthy, "resource_status_reason": "conformance"})
	require.Equal(s.c.t, http.StatusOK, answer.Code, "%s", answer.Body)
}
