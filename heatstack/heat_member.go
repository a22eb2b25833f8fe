package heatstack

import (
	"context"
	"fmt"
	"net/url"
)

// memberFinder is a Heat that looks one member up, however many there are.
type memberFinder interface {
	// FindMember reads the member with this index of the stack's resource group called group, nil if there is none. It makes
	// one call, two for a group of nested stacks.
	FindMember(ctx context.Context, name, id, group, index string) (*MemberRow, error)
}

// FindMember implements memberFinder. The list filtered by name is used and not the resource's own address, because that
// resolves the attributes: for a server Heat then asks Nova and Neutron, once for each.
func (h *heatClient) FindMember(ctx context.Context, name, id, group, index string) (*MemberRow, error) {
	fail := func(err error) (*MemberRow, error) {
		return nil, fmt.Errorf("reading member %s of stack %s: %w", index, name, err)
	}
	rows, err := h.listResources(ctx, url.Values{"nested_depth": {"1"}, "name": {index}}, name, id)
	if err != nil {
		return fail(err)
	}
	var member *resourceAnswer
	for i := range rows {
		r := &rows[i]
		_, in := r.stack()
		switch {
		case in == "":
			return fail(fmt.Errorf("it does not say which stack it is in: %w", errBadAnswer))
		case in == id || r.Name != index || r.Parent != group:
			continue
		case member != nil && isDeletion(member.Status):
			member = r // while a member is being replaced Heat may list it twice
		case member != nil && isDeletion(r.Status):
		case member != nil:
			return fail(fmt.Errorf("there are two of it: %w", errBadAnswer))
		default:
			member = r
		}
	}
	switch {
	case member == nil:
		return nil, nil
	case member.Type == typeServer:
		row := memberRow(member, member)
		return &row, nil
	}
	server, err := h.serverIn(ctx, member)
	if err != nil {
		return fail(err)
	}
	row := memberRow(member, server)
	return &row, nil
}

// serverIn finds the server in a member that is a stack, nil while there is none. Of several it is nobody's to say which one
// the machine is, as in ListMembers.
func (h *heatClient) serverIn(ctx context.Context, member *resourceAnswer) (*resourceAnswer, error) {
	name, id := stackOf(linkTo(member.Links, "nested"))
	if id == "" || id != member.PhysicalID {
		return nil, nil // the member has not been made yet
	}
	rows, err := h.listResources(ctx, url.Values{"type": {typeServer}}, name, id)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].Type == typeServer {
			return &rows[i], nil
		}
	}
	return nil, nil
}

func (h *heatClient) listResources(ctx context.Context, query url.Values, name, id string) ([]resourceAnswer, error) {
	var answer struct {
		Resources *[]resourceAnswer `json:"resources"`
	}
	if err := h.get(ctx, &answer, "?"+query.Encode(), "stacks", name, id, "resources"); err != nil {
		return nil, err
	}
	if answer.Resources == nil {
		return nil, fmt.Errorf("no key resources: %w", errBadAnswer)
	}
	return *answer.Resources, nil
}
