package conformance

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// updateOfParentResetsNestedGroup is why a node group is never nested: an update of the parent, even one that changes nothing, sets the
// nested stack's parameters to what the parent's template says, and the nodes above that size go.
func updateOfParentResetsNestedGroup(t *testing.T, c *Case) {
	parent := c.Create("parent.yaml", Params{})
	rows := parent.Resources("")
	require.Len(t, rows, 1)
	nested := &Stack{ID: rows[0].ID, c: c}
	// A nested stack has a name of its own, which its id leads to.
	answer := c.Do(http.MethodGet, api.Orchestration, "/stacks?show_nested=true", nil)
	require.Equal(t, http.StatusOK, answer.Code, "%s", answer.Body)
	var list struct {
		Stacks []struct {
			ID   string `json:"id"`
			Name string `json:"stack_name"`
		} `json:"stacks"`
	}
	require.NoError(t, answer.JSON(&list))
	for _, row := range list.Stacks {
		if row.ID == nested.ID {
			nested.Name = row.Name
		}
	}
	require.NotEmpty(t, nested.Name)
	nested.Update(Params{"node_count": 3})
	require.Equal(t, "0,1,2", indices(nested.Members()))
	parent.Update(Params{})
	require.Equal(t, "1", nested.Get().Parameters["node_count"], "the template's default")
	require.Equal(t, "0", indices(nested.Members()))
}
