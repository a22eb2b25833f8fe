package heatstack

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

const (
	typeResourceGroup = "OS::Heat::ResourceGroup"
	typeServer        = "OS::Nova::Server"
)

// resourceAnswer is a resource in Heat's JSON.
type resourceAnswer struct {
	Name       string         `json:"resource_name"`
	Type       string         `json:"resource_type"`
	PhysicalID string         `json:"physical_resource_id"`
	Status     string         `json:"resource_status"`
	Reason     string         `json:"resource_status_reason"`
	Parent     string         `json:"parent_resource"`
	Links      []link         `json:"links"`
	Attributes map[string]any `json:"attributes"`
}

// stack is the stack that the resource is in.
func (r *resourceAnswer) stack() (name, id string) { return stackOf(linkTo(r.Links, "stack")) }

// ListMembers implements Heat.
//
// The request has nested_depth=2 and no type filter. A filter on OS::Nova::Server would make the answer a third as large and not
// faster, since Heat filters after it has walked the tree; but it would hide a member whose server is not started yet,
// because its port has failed or because a sibling failed first, and such members count in Heat's choice of names.
func (h *heatClient) ListMembers(ctx context.Context, name, id, group string) ([]MemberRow, error) {
	var answer struct {
		Resources *[]resourceAnswer `json:"resources"`
	}
	if err := h.get(ctx, &answer, "?nested_depth=2", "stacks", name, id, "resources"); err != nil {
		return nil, fmt.Errorf("listing the members of stack %s: %w", name, err)
	}
	if answer.Resources == nil {
		return nil, fmt.Errorf("listing the members of stack %s: no key resources: %w", name, errBadAnswer)
	}
	rows, err := membersIn(*answer.Resources, group)
	if err != nil {
		return nil, fmt.Errorf("listing the members of stack %s: %w", name, err)
	}
	return rows, nil
}

// membersIn finds the members of a resource group among the resources of a stack, two levels deep.
func membersIn(resources []resourceAnswer, group string) ([]MemberRow, error) {
	nested, err := groupStack(resources, group)
	if err != nil {
		return nil, err
	}
	if nested == "" {
		return []MemberRow{}, nil // the group has not been made yet
	}
	var members []*resourceAnswer
	servers := map[string]*resourceAnswer{} // by the id of the stack they are in
	for i := range resources {
		r := &resources[i]
		switch _, in := r.stack(); {
		case in == "":
			return nil, fmt.Errorf("resource %s does not say which stack it is in: %w", r.Name, errBadAnswer)
		case in == nested:
			members = append(members, r)
		case r.Type == typeServer && servers[in] == nil:
			servers[in] = r
		}
	}
	rows := make([]MemberRow, 0, len(members))
	for _, m := range members {
		if m.Type == typeServer {
			rows = append(rows, memberRow(m, m))
		} else {
			rows = append(rows, memberRow(m, servers[m.PhysicalID]))
		}
	}
	return rows, nil
}

// groupStack is the id of the nested stack that a resource group keeps its members in, empty while it has none.
func groupStack(resources []resourceAnswer, group string) (string, error) {
	var found []*resourceAnswer
	for i := range resources {
		r := &resources[i]
		if r.Parent == "" && r.Type == typeResourceGroup && (group == "" || r.Name == group) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0].PhysicalID, nil
	case 0:
		return "", fmt.Errorf("no resource group %q in it: %w", group, errBadAnswer)
	default:
		return "", fmt.Errorf("%d resource groups in it and none named: %w", len(found), errBadAnswer)
	}
}

// memberRow joins a member of the group with the server resource in it: the same one in a group of servers, nil while a
// nested member has none.
func memberRow(member, server *resourceAnswer) MemberRow {
	row := MemberRow{Index: member.Name, Status: member.Status, Reason: withoutUserData(member.Reason)}
	if server == nil {
		return row
	}
	row.StackName, row.StackID = server.stack()
	row.Resource = server.Name
	row.ServerID = server.PhysicalID
	// Deleting a member marks the member first and its server later. And a server that was never started says nothing
	// (INIT_COMPLETE) where the member tells what failed in its place.
	// A server that is deleted below a member that is not is about to be tried again.
	if isDeletion(member.Status) || isDeletion(server.Status) || (server.PhysicalID == "" && !hasFailed(server.Status)) {
		return row
	}
	row.Status, row.Reason = server.Status, withoutUserData(server.Reason)
	return row
}

func isDeletion(status string) bool { return strings.HasPrefix(status, "DELETE_") }

// eventAnswer is an event in Heat's JSON.
type eventAnswer struct {
	Resource   string `json:"resource_name"`
	PhysicalID string `json:"physical_resource_id"`
	Status     string `json:"resource_status"`
	Reason     string `json:"resource_status_reason"`
	Links      []link `json:"links"`
}

// ListFailures implements failureReader. The filters are applied by Heat's database, so the call is as cheap as one without
// nesting.
func (h *heatClient) ListFailures(ctx context.Context, name, id string) ([]serverFailure, error) {
	query := "?" + url.Values{
		"nested_depth": {"2"}, "resource_action": {"CREATE"}, "resource_status": {"FAILED"}, "resource_type": {typeServer},
		"sort_dir": {"desc"}, "limit": {"100"},
	}.Encode()
	var answer struct {
		Events *[]eventAnswer `json:"events"`
	}
	if err := h.get(ctx, &answer, query, "stacks", name, id, "events"); err != nil {
		return nil, fmt.Errorf("reading the events of stack %s: %w", name, err)
	}
	if answer.Events == nil {
		return nil, fmt.Errorf("reading the events of stack %s: no key events: %w", name, errBadAnswer)
	}
	failures := make([]serverFailure, 0, len(*answer.Events))
	for _, e := range *answer.Events {
		if e.Status == "CREATE_FAILED" {
			failures = append(failures, serverFailure{serverID: e.PhysicalID, reason: withoutUserData(e.Reason), index: e.index()})
		}
	}
	return failures, nil
}

// index is the index of the member that an event is about: the resource's name in a group of servers. In a group of stacks it is in the
// name of the member's stack, PARENT-INDEX-RANDOM (heat/engine/resource.py, physical_resource_name).
func (e *eventAnswer) index() string {
	if isCount(e.Resource) {
		return e.Resource
	}
	stack, _ := stackOf(linkTo(e.Links, "stack"))
	parts := strings.Split(stack, "-")
	if len(parts) < 3 || !isCount(parts[len(parts)-2]) {
		return ""
	}
	return parts[len(parts)-2]
}

// GetGroup implements Heat. The attributes refs, refs_map and attributes come back null: their computing fails without a key or
// is left out, which makes this call cheap (measured on Zed: 30 ms).
func (h *heatClient) GetGroup(ctx context.Context, name, id, group string) (*GroupState, error) {
	var answer struct {
		Resource *resourceAnswer `json:"resource"`
	}
	if err := h.get(ctx, &answer, "", "stacks", name, id, "resources", group); err != nil {
		return nil, fmt.Errorf("reading resource group %s of stack %s: %w", group, name, err)
	}
	if answer.Resource == nil {
		return nil, fmt.Errorf("reading resource group %s of stack %s: no resource in it: %w", group, name, errBadAnswer)
	}
	state := &GroupState{Status: answer.Resource.Status, NestedID: answer.Resource.PhysicalID}
	removed, ok := answer.Resource.Attributes["removed_rsrc_list"].([]any)
	if !ok {
		return nil, fmt.Errorf("reading resource group %s of stack %s: no removed_rsrc_list: %w", group, name, errBadAnswer)
	}
	for _, r := range removed {
		state.Removed = append(state.Removed, fmt.Sprint(r))
	}
	return state, nil
}
