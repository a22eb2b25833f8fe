package heatstack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// OrchestrationClients gives an authenticated client for Heat. It is asked before every request, because another client
// may be in force after the credentials have changed. internal/openstack's Session is one.
type OrchestrationClients interface {
	Orchestration(ctx context.Context) (*gophercloud.ServiceClient, error)
}

// NewHeat returns the orchestration service behind these clients. It is safe for concurrent use.
//
// Plain requests are used where gophercloud's package stacks would cost too much or fail: its Get resolves outputs (Heat
// then visits every member: seconds), its list has no project and turns updated_time into a time, and its UpdatePatch
// wants a template.
func NewHeat(clients OrchestrationClients) Heat { return &heatClient{clients: clients} }

type heatClient struct {
	clients OrchestrationClients
}

// stackAnswer is a stack in Heat's JSON, in a list or alone.
type stackAnswer struct {
	ID         string            `json:"id"`
	Name       string            `json:"stack_name"`
	Status     string            `json:"stack_status"`
	Reason     string            `json:"stack_status_reason"`
	Updated    string            `json:"updated_time"`
	Tags       []string          `json:"tags"`
	Project    string            `json:"project"`
	Parameters map[string]string `json:"parameters"`
	Links      []link            `json:"links"`
}

type link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

func (a *stackAnswer) row() StackRow {
	row := StackRow{
		ID: a.ID, Name: a.Name, Project: a.Project, Tags: a.Tags,
		Status: a.Status, Reason: withoutUserData(a.Reason), Updated: a.Updated,
	}
	if p := a.Parameters["OS::project_id"]; p != "" {
		row.Project = p
	}
	if row.Project == "" {
		// Lists name the project only for global_tenant; it is in the address: .../v1/{project}/stacks/{name}/{id}.
		row.Project = projectOf(linkTo(a.Links, "self"))
	}
	return row
}

func linkTo(links []link, rel string) string {
	for _, l := range links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

// projectOf takes the project's id out of a stack's address.
func projectOf(href string) string {
	before, _, ok := strings.Cut(href, "/stacks/")
	if !ok {
		return ""
	}
	return before[strings.LastIndexByte(before, '/')+1:]
}

// stackOf takes name and id of the stack out of a stack's or resource's address.
func stackOf(href string) (name, id string) {
	_, path, ok := strings.Cut(href, "/stacks/")
	if !ok {
		return "", ""
	}
	parts := strings.Split(path, "/")
	if len(parts) < 2 {
		return "", ""
	}
	name, err := url.PathUnescape(parts[0])
	if err != nil {
		name = parts[0]
	}
	return name, parts[1]
}

func (h *heatClient) get(ctx context.Context, into any, query string, path ...string) error {
	client, err := h.clients.Orchestration(ctx)
	if err != nil {
		return err
	}
	//nolint:bodyclose // gophercloud closes the body when it decodes it
	_, err = client.Get(ctx, serviceURL(client, path...)+query, into, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return wrapAnswer(err)
}

// send makes a request whose answer's body does not matter: Heat answers a PATCH with an HTML page.
func (h *heatClient) send(ctx context.Context, method string, body any, path ...string) error {
	client, err := h.clients.Orchestration(ctx)
	if err != nil {
		return err
	}
	//nolint:bodyclose // gophercloud closes a body that nobody asked for
	_, err = client.Request(ctx, method, serviceURL(client, path...), &gophercloud.RequestOpts{
		JSONBody: body,
		OkCodes:  []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent},
	})
	return err
}

func serviceURL(client *gophercloud.ServiceClient, path ...string) string {
	escaped := make([]string, len(path))
	for i, p := range path {
		escaped[i] = url.PathEscape(p)
	}
	return client.ServiceURL(escaped...)
}

// ListStacks implements Heat. Heat never pages a list that was asked for without limit.
func (h *heatClient) ListStacks(ctx context.Context, tags []string) ([]StackRow, error) {
	query := ""
	if len(tags) > 0 {
		query = "?" + url.Values{"tags": {strings.Join(tags, ",")}}.Encode()
	}
	var answer struct {
		Stacks *[]stackAnswer `json:"stacks"`
	}
	if err := h.get(ctx, &answer, query, "stacks"); err != nil {
		return nil, fmt.Errorf("listing stacks: %w", err)
	}
	if answer.Stacks == nil {
		return nil, fmt.Errorf("listing stacks: no key stacks: %w", errBadAnswer)
	}
	rows := make([]StackRow, 0, len(*answer.Stacks))
	for i := range *answer.Stacks {
		rows = append(rows, (*answer.Stacks)[i].row())
	}
	return rows, nil
}

// GetStack implements Heat. Without id Heat answers with a redirect to the stack's own address, whose outputs are resolved
// then: slow, but used for nothing that repeats.
func (h *heatClient) GetStack(ctx context.Context, name, id string) (*StackDetail, error) {
	path := []string{"stacks", name}
	if id != "" {
		path = append(path, id)
	}
	var answer struct {
		Stack *stackAnswer `json:"stack"`
	}
	if err := h.get(ctx, &answer, "?resolve_outputs=False", path...); err != nil {
		return nil, fmt.Errorf("reading stack %s: %w", name, onlyIfNone(err, heatHasNone))
	}
	if answer.Stack == nil || answer.Stack.ID == "" || answer.Stack.Status == "" {
		return nil, fmt.Errorf("reading stack %s: no stack in it: %w", name, errBadAnswer)
	}
	return &StackDetail{StackRow: answer.Stack.row(), Parameters: answer.Stack.Parameters}, nil
}

// GetTemplate implements Heat.
func (h *heatClient) GetTemplate(ctx context.Context, name, id string) (map[string]any, error) {
	var template map[string]any
	if err := h.get(ctx, &template, "", "stacks", name, id, "template"); err != nil {
		return nil, fmt.Errorf("reading the template of stack %s: %w", name, err)
	}
	return template, nil
}

// GetFiles implements Heat.
func (h *heatClient) GetFiles(ctx context.Context, name, id string) (map[string]string, error) {
	var files map[string]string
	if err := h.get(ctx, &files, "", "stacks", name, id, "files"); err != nil {
		return nil, fmt.Errorf("reading the files of stack %s: %w", name, err)
	}
	return files, nil
}

// Patch implements Heat. disable_rollback goes with every PATCH, since Heat remembers what the last one said: a rollback
// would put the old parameters back behind our back.
//
// It is sent now or not at all. A size is right for the stack as it was just read: one that waits, because Heat has too many
// requests, may arrive after somebody else has raised it, and takes away what has come since.
func (h *heatClient) Patch(ctx context.Context, name, id string, parameters map[string]any) error {
	if parameters == nil {
		parameters = map[string]any{}
	}
	body := map[string]any{"parameters": parameters, "disable_rollback": true}
	if err := h.send(openstack.WithoutPatience(ctx), http.MethodPatch, body, "stacks", name, id); err != nil {
		return fmt.Errorf("updating stack %s: %w", name, err)
	}
	return nil
}

// Check implements Heat.
func (h *heatClient) Check(ctx context.Context, name, id string) error {
	if err := h.send(ctx, http.MethodPost, map[string]any{"check": nil}, "stacks", name, id, "actions"); err != nil {
		return fmt.Errorf("checking stack %s: %w", name, err)
	}
	return nil
}

// MarkUnhealthy implements Heat.
func (h *heatClient) MarkUnhealthy(ctx context.Context, member MemberRow, reason string) error {
	body := map[string]any{"mark_unhealthy": true, "resource_status_reason": reason}
	err := h.send(ctx, http.MethodPatch, body,
		"stacks", member.StackName, member.StackID, "resources", member.Resource)
	if err != nil {
		return fmt.Errorf("marking member %s of stack %s unhealthy: %w", member.Index, member.StackName, err)
	}
	return nil
}
