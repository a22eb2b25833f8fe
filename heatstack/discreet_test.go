package heatstack

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuotedUserDataAreHidden(t *testing.T) {
	quoted := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("#cloud-config token: abcdef.0123456789abcdef\n", 40)))
	reason := "Resource CREATE failed: BadRequest: resources.nodes.resources[0]: Invalid input for field/attribute user_data. Value: " + quoted +
		". '" + quoted + "' is too long (HTTP 400) (Request-ID: req-1b671a64-40d5-491e-99b0-da01ff1f3341)"
	want := "Resource CREATE failed: BadRequest: resources.nodes.resources[0]: Invalid input for field/attribute user_data. Value: ******" +
		". '******' is too long (HTTP 400) (Request-ID: req-1b671a64-40d5-491e-99b0-da01ff1f3341)"
	assert.Equal(t, want, withoutUserData(reason))
	assert.Equal(t, "state changed", withoutUserData("state changed"))

	f := newServiceFake(t)
	f.answers["GET /stacks/s/id?resolve_outputs=False"] = `{"stack": {"id": "id", "stack_name": "s", "stack_status": "UPDATE_FAILED", "stack_status_reason": "` + reason + `"}}`
	detail, err := NewHeat(f).GetStack(t.Context(), "s", "id")
	require.NoError(t, err)
	assert.Equal(t, want, detail.Reason)

	row := memberAnswerReason(t, f, reason)
	assert.Equal(t, want, row)
}

// memberAnswerReason reads a member with this reason.
func memberAnswerReason(t *testing.T, f *serviceFake, reason string) string {
	t.Helper()
	f.answers["GET /stacks/s/id/resources?nested_depth=2"] = `{"resources": [
		{"resource_name": "nodes", "resource_type": "OS::Heat::ResourceGroup", "physical_resource_id": "group", "resource_status": "UPDATE_FAILED",
		 "links": [{"rel": "stack", "href": "http://heat/v1/p/stacks/s/id"}]},
		{"resource_name": "0", "resource_type": "OS::Nova::Server", "parent_resource": "nodes", "resource_status": "CREATE_FAILED", "resource_status_reason": "` + reason + `",
		 "links": [{"rel": "stack", "href": "http://heat/v1/p/stacks/s-nodes/group"}]}]}`
	rows, err := NewHeat(f).ListMembers(t.Context(), "s", "id", "nodes")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	return rows[0].Reason
}
