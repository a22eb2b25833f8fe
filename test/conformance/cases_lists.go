package conformance

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// stackRows lists stacks with this query.
func (c *Case) stackRows(query string) []map[string]any {
	c.t.Helper()
	var list struct {
		Stacks []map[string]any `json:"stacks"`
	}
	c.Get(api.Orchestration, "/stacks?"+query, &list)
	return list.Stacks
}

func names(rows []map[string]any) []string {
	list := make([]string, 0, len(rows))
	for _, row := range rows {
		list = append(list, row["stack_name"].(string))
	}
	slices.Sort(list)
	return list
}

// unique makes a tag that no other case uses.
func unique() string { return "t" + strings.ToLower(rand.Text()[:10]) }

func stackListByTags(t *testing.T, c *Case) {
	red, blue := unique(), "colour="+unique()
	both := c.Create("flat.yaml", Params{"node_count": 0}, red, blue)
	one := c.Create("flat.yaml", Params{"node_count": 0}, red)
	query := func(key, value string) []string { return names(c.stackRows(url.Values{key: {value}}.Encode())) }
	sorted := []string{both.Name, one.Name}
	slices.Sort(sorted)
	require.Equal(t, sorted, query("tags", red))
	require.Equal(t, []string{both.Name}, query("tags", red+","+blue), "all of them")
	require.Equal(t, sorted, query("tags_any", red+","+blue), "any of them")
	require.Empty(t, query("tags", red+","+unique()))
	require.Equal(t, []string{red, blue}, both.Get().Tags)
}

func stackListRows(t *testing.T, c *Case) {
	tag := unique()
	s := c.Create("flat.yaml", Params{"node_count": 0}, tag)
	rows := c.stackRows("tags=" + tag)
	require.Len(t, rows, 1)
	row := rows[0]
	require.Equal(t, s.ID, row["id"])
	require.Equal(t, s.Name, row["stack_name"])
	require.Equal(t, "CREATE_COMPLETE", row["stack_status"])
	require.Equal(t, "Stack CREATE completed successfully", row["stack_status_reason"])
	require.Equal(t, []any{tag}, row["tags"])
	require.NotContains(t, row, "project", "the project is in the links alone")
	require.Contains(t, fmt.Sprint(row["links"]), "/v1/"+c.Client.ProjectID+"/stacks/"+s.Name+"/"+s.ID)
	require.Contains(t, row, "updated_time")
	require.Nil(t, row["updated_time"])
	require.NotContains(t, row, "parameters")
	require.NotContains(t, row, "outputs")
	view := s.Update(Params{"comment": "other"})
	row = c.stackRows("tags=" + tag)[0]
	require.Equal(t, "UPDATE_COMPLETE", row["stack_status"])
	require.Equal(t, *view.Updated, row["updated_time"])
}

func stackListByStatus(t *testing.T, c *Case) {
	// Not together with tags: Heat answers that with 500.
	c.OwnProject(1)
	s := c.Create("flat.yaml", Params{"node_count": 0})
	require.Equal(t, []string{s.Name}, names(c.stackRows("status=COMPLETE")))
	require.Equal(t, []string{s.Name}, names(c.stackRows("status=CREATE_COMPLETE")))
	require.Empty(t, c.stackRows("status=FAILED"))
	require.Empty(t, c.stackRows("status=IN_PROGRESS"))
}

func stackListPages(t *testing.T, c *Case) {
	tag := unique()
	created := []string{
		c.Create("flat.yaml", Params{"node_count": 0}, tag).Name,
		c.Create("flat.yaml", Params{"node_count": 0}, tag).Name,
		c.Create("flat.yaml", Params{"node_count": 0}, tag).Name,
	}
	slices.Sort(created)
	first := c.stackRows("tags=" + tag + "&limit=2")
	require.Len(t, first, 2)
	second := c.stackRows("tags=" + tag + "&limit=2&marker=" + first[1]["id"].(string))
	require.Len(t, second, 1)
	require.Equal(t, created, names(append(first, second...)))
}

func stacksOfOtherProjectsAreHidden(t *testing.T, c *Case) {
	tag := unique()
	s := c.Create("flat.yaml", Params{"node_count": 0}, tag)
	mine := c.Client
	c.OwnProject(1)
	other := c.Client
	require.NotEqual(t, mine.ProjectID, other.ProjectID)
	require.Empty(t, c.stackRows("tags="+tag))
	require.Equal(t, http.StatusNotFound, c.Do(http.MethodGet, api.Orchestration, s.path(""), nil).Code)
	require.Equal(t, http.StatusNotFound, s.TryPatch(Params{"node_count": 1}).Code)
	c.Client = mine
	require.Len(t, c.stackRows("tags="+tag), 1)
}

func outputsAreResolvedOnDemand(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	require.Empty(t, s.Get().Outputs)
	var view struct {
		Stack View `json:"stack"`
	}
	c.Get(api.Orchestration, s.path(""), &view)
	require.Len(t, view.Stack.Outputs, 1)
	require.Equal(t, "refs_map", view.Stack.Outputs[0]["output_key"])
	require.Equal(t, map[string]any{"0": s.Members()["0"]}, view.Stack.Outputs[0]["output_value"])
}

func resourceListOfFlatGroup(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	top := s.Resources("")
	require.Len(t, top, 1)
	require.Equal(t, "nodes", top[0].Name)
	require.Equal(t, "OS::Heat::ResourceGroup", top[0].Type)
	require.NotEmpty(t, top[0].ID, "the id of the group's own stack")
	require.Len(t, s.Resources("?nested_depth=1"), 3, "the group and its members")
	rows := s.Resources("?nested_depth=1&type=OS::Nova::Server")
	require.Len(t, rows, 2)
	alive := s.Alive()
	for _, row := range rows {
		require.Equal(t, alive[row.Name], row.ID, "the row's name is the index, its id the server's")
		require.Equal(t, "nodes", row.Parent)
		require.Equal(t, "CREATE_COMPLETE", row.Status)
		require.Equal(t, "OS::Nova::Server", row.Type)
	}
	// The group's own stack can be asked as well.
	var list struct {
		Resources []Row `json:"resources"`
	}
	answer := c.Do(http.MethodGet, api.Orchestration, "/stacks/"+top[0].ID+"/resources", nil)
	require.Equal(t, http.StatusFound, answer.Code)
	_, path, _ := strings.Cut(answer.Header.Get("Location"), "/stacks/")
	c.Get(api.Orchestration, "/stacks/"+path, &list)
	require.Len(t, list.Resources, 2)
}

func resourceListOfNestedGroup(t *testing.T, c *Case) {
	s := c.Create("nested.yaml", Params{"node_count": 2})
	members := s.Resources("?nested_depth=1")
	require.Len(t, members, 3, "the group and one nested stack for each member")
	require.Len(t, s.Resources("?nested_depth=2"), 7, "with the port and the server of each")
	alive := s.Alive()
	rows := s.Rows()
	require.Len(t, rows, 2)
	for _, row := range rows {
		require.Equal(t, "server", row.Name)
		require.Equal(t, alive[row.Parent], row.ID, "the parent's name is the index")
	}
}

func serverFields(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	servers := s.Servers()
	require.Len(t, servers, 1)
	server := servers[0]
	require.Equal(t, "ACTIVE", server.Status)
	require.Equal(t, s.Name+"-0", server.Name)
	require.Equal(t, map[string]string{"metering.stack": s.ID, "node_index": "0"}, server.Metadata)
	require.Equal(t, "m1.tiny", server.Flavor["original_name"])
	require.EqualValues(t, 1, server.Flavor["vcpus"])
	require.EqualValues(t, 512, server.Flavor["ram"])
	require.EqualValues(t, 1, server.Flavor["disk"])
	require.NotContains(t, server.Flavor, "id", "this microversion embeds the flavor instead of naming it")
	require.Nil(t, server.Fault)
}
