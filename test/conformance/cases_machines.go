package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

func byName(pattern string) string { return url.Values{"name": {pattern}, "limit": {"20"}}.Encode() }

func serverIsFoundByPatternOfItsName(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	members := s.Members()
	pattern := strings.ReplaceAll(s.Name, "-", "[-_. ]+")
	for query, found := range map[string]int{
		"^" + s.Name + "-1$": 1,
		s.Name:               2, // a pattern is found anywhere in a name
		"^" + s.Name + "$":   0,
		"^[^A-Za-z0-9]*" + pattern + "[-_. ]+1[^a-z]*$": 1,
		s.Name + "-0|" + s.Name + "-1":                  0, // alternatives are escaped
	} {
		list, _ := c.serverList(byName(query))
		require.Len(t, list, found, query)
		if found == 1 {
			require.Equal(t, members["1"], list[0].ID)
		}
	}
	answer := c.Do(http.MethodGet, api.Compute, "/servers/detail?"+byName("(unclosed"), nil)
	require.Equal(t, http.StatusBadRequest, answer.Code, "%s", answer.Body)
	require.Contains(t, string(answer.Body), "is not a 'regex'")
}

// hostNameIsMadeOfTheName makes a server by hand, as anybody in the project may.
func hostNameIsMadeOfTheName(t *testing.T, c *Case) {
	part := unique()
	var flavors struct {
		Flavors []struct{ ID, Name string } `json:"flavors"`
	}
	c.Get(api.Compute, "/flavors", &flavors)
	flavor := ""
	for _, f := range flavors.Flavors {
		if f.Name == "m1.tiny" {
			flavor = f.ID
		}
	}
	member := c.Create("flat.yaml", Params{"node_count": 1}).Servers()[0]
	answer := c.Do(http.MethodPost, api.Compute, "/servers", map[string]any{"server": map[string]any{
		"name": "Conf_A.b:c " + part + ".", "flavorRef": flavor, "imageRef": member.Image.ID, "networks": "none",
	}})
	require.Equal(t, http.StatusAccepted, answer.Code, "%s", answer.Body)
	var made struct {
		Server struct{ ID string } `json:"server"`
	}
	require.NoError(t, answer.JSON(&made))
	defer func() {
		require.Equal(t, http.StatusNoContent, c.Do(http.MethodDelete, api.Compute, "/servers/"+made.Server.ID, nil).Code)
	}()
	c.Eventually("for the server to be active", c.Cloud.Patience(), func() bool {
		list, _ := c.serverList(byName("^Conf_A.*" + part))
		require.Len(t, list, 1)
		require.Equal(t, "conf-a-bc-"+part, list[0].HostName)
		if list[0].Status == "BUILD" {
			require.Nil(t, list[0].Launched)
		}
		return list[0].Status == "ACTIVE"
	})
}

// found reads the rows that have this name in a stack and the stacks right below it.
func (s *Stack) found(name string) []Row {
	return s.Resources("?nested_depth=1&name=" + name)
}

func memberIsFoundByName(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 3})
	members := s.Members()
	rows := s.found("1")
	require.Len(t, rows, 1)
	require.Equal(t, members["1"], rows[0].ID)
	require.Equal(t, "nodes", rows[0].Parent)
	require.Equal(t, "OS::Nova::Server", rows[0].Type)
	require.Empty(t, s.found("3"))
	group := s.found("nodes")
	require.Len(t, group, 1)
	require.Empty(t, group[0].Parent)
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"1"}})
	require.Empty(t, s.found("1"))
}

func nestedMemberIsFoundByName(t *testing.T, c *Case) {
	s := c.Create("nested.yaml", Params{"node_count": 2})
	members := s.Members()
	rows := s.found("1")
	require.Len(t, rows, 1)
	require.Equal(t, "node.yaml", rows[0].Type)
	require.Equal(t, "nodes", rows[0].Parent)
	path := ""
	for _, l := range rows[0].Links {
		if l.Rel == "nested" {
			_, path, _ = strings.Cut(l.Href, "/stacks/")
		}
	}
	require.True(t, strings.HasSuffix(path, "/"+rows[0].ID), "the member's own stack: %s", path)
	var inside struct {
		Resources []Row `json:"resources"`
	}
	c.Get(api.Orchestration, "/stacks/"+path+"/resources?type=OS::Nova::Server", &inside)
	require.Len(t, inside.Resources, 1)
	require.Equal(t, members["1"], inside.Resources[0].ID)
}

func serverShowsAddresses(t *testing.T, c *Case) {
	s := c.Create("nested.yaml", Params{"node_count": 1})
	require.Len(t, s.Members(), 1)
	list, _ := c.serverList(byName("^" + s.Name + "-0$"))
	require.Len(t, list, 1)
	server := list[0]
	require.Len(t, server.Addresses["nodes"], 1)
	require.NotEmpty(t, server.Addresses["nodes"][0].Address)
	require.Equal(t, "fixed", server.Addresses["nodes"][0].Type)
	require.NotNil(t, server.Launched)
	launched, err := time.Parse("2006-01-02T15:04:05.999999", *server.Launched)
	require.NoError(t, err)
	created, err := time.Parse(time.RFC3339, server.Created)
	require.NoError(t, err)
	require.False(t, launched.Before(created), "%s and %s", launched, created)
}
