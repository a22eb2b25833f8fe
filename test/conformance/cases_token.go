package conformance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// A token that is passed on to nested members may change without their servers being made anew, too.
func tokenRotationKeepsNestedServers(t *testing.T, c *Case) {
	s := c.Create("nested-token.yaml", Params{"node_count": 1})
	before := s.Members()
	s.Update(Params{"node_count": 2, "bootstrap_token": "second"})
	after := s.Members()
	require.Equal(t, "0,1", indices(after))
	requireKept(t, before, after, "0")
}

// A nested template hides what it declares to be hidden; that the outer one hides it is not enough.
func hiddenParameterOfNestedStackIsMasked(t *testing.T, c *Case) {
	s := c.Create("nested-token.yaml", Params{"node_count": 1, "bootstrap_token": "secret"})
	path := ""
	for _, link := range s.Row("0").Links {
		if link.Rel == "stack" {
			_, path, _ = strings.Cut(link.Href, "/stacks/")
		}
	}
	require.NotEmpty(t, path)
	var member struct {
		Stack View `json:"stack"`
	}
	c.Get(api.Orchestration, "/stacks/"+path+"?resolve_outputs=False", &member)
	require.Equal(t, "******", member.Stack.Parameters["bootstrap_token"])
	require.Equal(t, "0", member.Stack.Parameters["index"])
}

func filesAreReadable(t *testing.T, c *Case) {
	s := c.Create("nested-token.yaml", Params{"node_count": 0})
	var files map[string]string
	c.Get(api.Orchestration, s.path("/files"), &files)
	require.Equal(t, template(t, "node-token.yaml"), files["node-token.yaml"])

	flat := c.Create("flat.yaml", Params{"node_count": 0})
	var none map[string]string
	c.Get(api.Orchestration, flat.path("/files"), &none)
	require.Empty(t, none)
}
