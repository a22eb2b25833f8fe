package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// serverList lists servers with this query, and says whether there is a link to a next page.
func (c *Case) serverList(query string) (list []Server, more bool) {
	c.t.Helper()
	var body struct {
		Servers []Server `json:"servers"`
		Links   []struct {
			Rel string `json:"rel"`
		} `json:"servers_links"`
	}
	c.Get(api.Compute, "/servers/detail?"+query, &body)
	return body.Servers, len(body.Links) == 1 && body.Links[0].Rel == "next"
}

// cloudTime is the cloud's own clock, from a Date header.
func (c *Case) cloudTime() time.Time {
	c.t.Helper()
	date := c.Do(http.MethodGet, api.Compute, "/servers?limit=1", nil).Header.Get("Date")
	if date == "" {
		return time.Now() // the lab's APIs send none, and run on this machine
	}
	now, err := http.ParseTime(date)
	require.NoError(c.t, err)
	return now
}

func changesSince(moment time.Time) string {
	return url.Values{"changes-since": {moment.UTC().Format("2006-01-02T15:04:05Z")}}.Encode()
}

func changesSinceShowsDeleted(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	members := s.Members()
	moment := c.cloudTime().Add(-time.Second)
	s.Update(Params{"node_count": 1, "nodes_to_remove": []string{"0"}})
	status := map[string]string{}
	list, _ := c.serverList(changesSince(moment))
	for _, server := range list {
		status[server.ID] = server.Status
	}
	require.Equal(t, "DELETED", status[members["0"]], "to a user without special rights")
	// A list without changes-since has no deleted ones, but for the moment between two steps of Nova's.
	c.Eventually("for the deleted server to leave the list", c.Cloud.Patience(), func() bool {
		all, _ := c.serverList("")
		return !slices.ContainsFunc(all, func(server Server) bool { return server.ID == members["0"] })
	})
}

func changesSinceIsEmptyWhenIdle(t *testing.T, c *Case) {
	// Not beside other cases: a server that waits for a host is in every list, whatever the time.
	c.OwnProject(1)
	s := c.Create("flat.yaml", Params{"node_count": 1})
	members := s.Members()
	list, _ := c.serverList(changesSince(c.cloudTime().Add(time.Hour)))
	require.Empty(t, list)
	list, _ = c.serverList(changesSince(c.cloudTime().Add(-time.Hour)))
	found := false
	for _, server := range list {
		found = found || server.ID == members["0"]
	}
	require.True(t, found)
}

// metadataFilterIsIgnored asks for a metadata value that no server has: who is no admin gets everything.
func metadataFilterIsIgnored(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	members := s.Members()
	list, _ := c.serverList(url.Values{"metadata": {`{"node_index":"no such value"}`}}.Encode())
	found := false
	for _, server := range list {
		found = found || server.ID == members["0"]
	}
	require.True(t, found)
}

func serverListPages(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 3})
	members := s.Members()
	first, more := c.serverList("name=" + s.Name + "&limit=2")
	require.Len(t, first, 2)
	require.True(t, more)
	second, more := c.serverList("name=" + s.Name + "&limit=2&marker=" + first[1].ID)
	require.Len(t, second, 1)
	require.False(t, more)
	seen := map[string]string{}
	for _, server := range append(first, second...) {
		seen[server.Metadata["node_index"]] = server.ID
	}
	require.Equal(t, members, seen)
}

func flavorsShowExtraSpecs(t *testing.T, c *Case) {
	var list struct {
		Flavors []struct {
			Name  string            `json:"name"`
			VCPUs int               `json:"vcpus"`
			RAM   int               `json:"ram"`
			Disk  int               `json:"disk"`
			Specs map[string]string `json:"extra_specs"`
		} `json:"flavors"`
	}
	c.Get(api.Compute, "/flavors/detail", &list)
	seen := map[string]bool{}
	for _, flavor := range list.Flavors {
		seen[flavor.Name] = true
		switch flavor.Name {
		case "m1.small":
			require.Equal(t, []int{1, 2048, 20}, []int{flavor.VCPUs, flavor.RAM, flavor.Disk})
			require.Empty(t, flavor.Specs)
		case "g1.small":
			require.Equal(t, "1", flavor.Specs["resources:VGPU"])
		}
	}
	require.True(t, seen["m1.small"] && seen["g1.small"], "%v", seen)
}

func applicationCredentialPatches(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 1})
	before := s.Members()
	path := "/users/" + c.Client.UserID + "/application_credentials"
	answer := c.Do(http.MethodPost, api.Identity, path, map[string]any{
		"application_credential": map[string]any{"name": s.Name},
	})
	require.Equal(t, http.StatusCreated, answer.Code, "%s", answer.Body)
	var made struct {
		Credential struct {
			ID     string `json:"id"`
			Secret string `json:"secret"`
		} `json:"application_credential"`
	}
	require.NoError(t, answer.JSON(&made))
	user := c.Client
	client, err := api.Login(c.ctx, c.Cloud.AuthURL(), api.Credentials{
		ApplicationCredentialID: made.Credential.ID, ApplicationCredentialSecret: made.Credential.Secret,
	})
	require.NoError(t, err)
	require.Equal(t, user.ProjectID, client.ProjectID)
	c.Client = client
	s.Update(Params{"node_count": 2})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	requireKept(t, before, after, "0")
	c.Client = user
	require.Equal(t, http.StatusNoContent, c.Do(http.MethodDelete, api.Identity, path+"/"+made.Credential.ID, nil).Code)
	_, err = api.Login(c.ctx, c.Cloud.AuthURL(), api.Credentials{
		ApplicationCredentialID: made.Credential.ID, ApplicationCredentialSecret: made.Credential.Secret,
	})
	require.Error(t, err)
	require.ErrorContains(t, err, "40")
}
