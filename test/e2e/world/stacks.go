package world

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// GroupSpec says what a node group is like.
type GroupSpec struct {
	// Name is the group's name within the world; the stack's name is made of both.
	Name string
	// Flavor is the cloud's usual one if empty.
	Flavor string
	// Min and Max are the group's limits. It has no member until the autoscaler makes one: only that can let it join.
	Min, Max int
	// Labels and Taints (key=value:effect) are the nodes', besides the world's label.
	Labels map[string]string
	Taints []string
	// Annotations are added to the node group's annotations, and replace those made of the fields above.
	Annotations map[string]string
	// Tags replace the stack's tags if given.
	Tags []string
	// Parameters are further parameters of the template.
	Parameters map[string]any
	// Nested makes every member a nested stack that holds a port and a server.
	Nested bool
	// Magnum makes a stack of the shape of Magnum's, with a master beside the group. All that the autoscaler has to know of it is in tags, as
	// such a stack has no parameter for annotations.
	Magnum bool
}

// Group is a node group: a Heat stack made from deploy/heat/nodegroup.yaml.
type Group struct {
	world *World
	// ID and Name are the stack's.
	ID, Name string

	magnum bool
}

// Stack is what Heat says of a stack.
type Stack struct {
	ID         string            `json:"id"`
	Name       string            `json:"stack_name"`
	Status     string            `json:"stack_status"`
	Reason     string            `json:"stack_status_reason"`
	Parameters map[string]string `json:"parameters"`
}

// Count is the stack's size parameter, -1 if it is no number.
func (s *Stack) Count() int {
	count, err := strconv.Atoi(strings.TrimSuffix(s.Parameters["node_count"]+s.Parameters[magnumSize], ".0"))
	if err != nil {
		return -1
	}
	return count
}

// Busy says whether an action is running.
func (s *Stack) Busy() bool { return strings.HasSuffix(s.Status, "_IN_PROGRESS") }

const stackTimeout = 2 * time.Minute

// enabledTag marks the stacks that the autoscaler may touch; the world's own tag says by which autoscaler.
const enabledTag = "cluster-autoscaler-enabled"

func (w *World) clusterTag() string { return "cluster=" + w.Name }

// CreateGroup makes a node group and waits until its stack is complete.
func (w *World) CreateGroup(ctx context.Context, spec GroupSpec) (*Group, error) {
	g, err := w.createGroup(ctx, spec)
	if err != nil {
		return nil, err
	}
	return g, w.Until(ctx, stackTimeout, "stack "+g.Name+" to be made", func(ctx context.Context) error {
		stack, err := g.Stack(ctx)
		if err == nil && stack.Status != "CREATE_COMPLETE" {
			err = fmt.Errorf("it is %s: %s", stack.Status, stack.Reason)
		}
		return err
	})
}

// createGroup orders a node group's stack.
func (w *World) createGroup(ctx context.Context, spec GroupSpec) (*Group, error) {
	if spec.Magnum {
		return w.createMagnum(ctx, spec)
	}
	template, files, err := w.template(spec.Nested)
	if err != nil {
		return nil, err
	}
	if spec.Tags == nil {
		spec.Tags = []string{enabledTag, w.clusterTag()}
	}
	if spec.Flavor == "" {
		spec.Flavor = w.Cloud.Flavor
	}
	body := map[string]any{
		"stack_name": w.stackName(spec.Name), "template": template, "files": files, "tags": strings.Join(spec.Tags, ","), "timeout_mins": 10,
		"parameters": map[string]any{
			"node_count": 0, "flavor": spec.Flavor, "image": w.Cloud.Image, "network": w.Cloud.Network,
			"node_group_annotations": w.annotations(spec),
			// Where the cluster is, and a token for new machines, comes from the autoscaler with each scale-up.
			"bootstrap_token_source": "minted", "bootstrap_token": "", "api_server": "", "cluster_ca": "",
		},
	}
	if !spec.Nested {
		body["parameters"].(map[string]any)["region"] = w.Cloud.Session.Region()
	}
	maps.Copy(body["parameters"].(map[string]any), spec.Parameters)
	return w.order(ctx, spec, body)
}

// order has Heat make a stack.
func (w *World) order(ctx context.Context, spec GroupSpec, body map[string]any) (*Group, error) {
	var answer struct {
		Stack Stack `json:"stack"`
	}
	if err := w.heat(ctx, http.MethodPost, "/stacks", body, &answer); err != nil {
		return nil, fmt.Errorf("create stack %s: %w", w.stackName(spec.Name), err)
	}
	g := &Group{world: w, ID: answer.Stack.ID, Name: w.stackName(spec.Name), magnum: spec.Magnum}
	w.mu.Lock()
	w.groups = append(w.groups, g)
	w.mu.Unlock()
	return g, nil
}

// template reads the template of a node group and the files that it refers to.
func (w *World) template(nested bool) (template string, files map[string]string, err error) {
	if !nested {
		text, err := os.ReadFile(filepath.Join(w.base.Root, "deploy", "heat", "nodegroup.yaml"))
		return string(text), nil, err
	}
	dir := filepath.Join(w.base.Root, "test", "e2e", "testdata")
	group, err := os.ReadFile(filepath.Join(dir, "nested.yaml"))
	if err != nil {
		return "", nil, err
	}
	const memberFile = "member.yaml"
	member, err := os.ReadFile(filepath.Join(dir, memberFile))
	return string(group), map[string]string{memberFile: string(member)}, err
}

func (w *World) stackName(group string) string { return w.Name + "-" + group }

// annotations as the template's JSON parameter holds them.
func (w *World) annotations(spec GroupSpec) map[string]string {
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[worldLabel] = w.Name
	pairs := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	const capacity = "capacity.cluster-autoscaler.kubernetes.io/"
	annotations := map[string]string{
		"node-group-min-size": strconv.Itoa(spec.Min),
		"node-group-max-size": strconv.Itoa(spec.Max),
		capacity + "labels":   strings.Join(pairs, ","),
		// What the machines really keep back, so that the template node is right.
		"kube-reserved": "cpu=100m,memory=256Mi",
	}
	if len(spec.Taints) > 0 {
		annotations[capacity+"taints"] = strings.Join(spec.Taints, ",")
	}
	maps.Copy(annotations, spec.Annotations)
	return annotations
}

// Stack reads the group's stack.
func (g *Group) Stack(ctx context.Context) (*Stack, error) {
	var answer struct {
		Stack Stack `json:"stack"`
	}
	if err := g.world.heat(ctx, http.MethodGet, g.path()+"?resolve_outputs=False", nil, &answer); err != nil {
		return nil, fmt.Errorf("stack %s: %w", g.Name, err)
	}
	return &answer.Stack, nil
}

// Visible is all that the project's users can read of the stack through Heat, as text.
func (g *Group) Visible(ctx context.Context) (string, error) {
	var texts []string
	for _, path := range []string{"", "/events?limit=1000&nested_depth=3", "/resources?nested_depth=3&with_detail=True", "/template", "/files", "/environment"} {
		var answer json.RawMessage
		if err := g.world.heat(ctx, http.MethodGet, g.path()+path, nil, &answer); err != nil {
			return "", fmt.Errorf("stack %s%s: %w", g.Name, path, err)
		}
		texts = append(texts, string(answer))
	}
	return strings.Join(texts, "\n"), nil
}

// Patch changes parameters of the stack, as a human would.
func (g *Group) Patch(ctx context.Context, parameters map[string]any) error {
	return g.world.heat(ctx, http.MethodPatch, g.path(), map[string]any{"parameters": parameters}, nil)
}

// Annotate replaces the group's annotations by those of a spec, as a human would.
func (g *Group) Annotate(ctx context.Context, spec GroupSpec) error {
	return g.Patch(ctx, map[string]any{"node_group_annotations": g.world.annotations(spec)})
}

// Servers lists the group's servers by their index.
func (g *Group) Servers(ctx context.Context) (map[string]Server, error) {
	all, err := g.world.servers(ctx)
	if err != nil {
		return nil, err
	}
	if g.magnum {
		return g.minions(all), nil
	}
	byIndex := map[string]Server{}
	for _, server := range all {
		if server.Metadata["metering.stack"] == g.ID {
			byIndex[server.Metadata["node_index"]] = server
		}
	}
	return byIndex, nil
}

// Delete deletes the stack and waits until it is gone.
func (g *Group) Delete(ctx context.Context) error {
	if err := g.world.heat(ctx, http.MethodDelete, g.path(), nil, nil); err != nil && !openstack.IsNotFound(err) {
		return fmt.Errorf("delete stack %s: %w", g.Name, err)
	}
	return g.world.Until(ctx, stackTimeout, "stack "+g.Name+" to be gone", func(ctx context.Context) error {
		stack, err := g.Stack(ctx)
		switch {
		case openstack.IsNotFound(err):
			return nil
		case err != nil:
			return err
		case stack.Status == "DELETE_COMPLETE":
			return nil
		}
		return fmt.Errorf("it is %s: %s", stack.Status, stack.Reason)
	})
}

func (g *Group) path() string { return "/stacks/" + g.Name + "/" + g.ID }

// heat calls the orchestration service. into may be nil: a PATCH answers with HTML, a DELETE with nothing.
func (w *World) heat(ctx context.Context, method, path string, body, into any) error {
	client, err := w.Cloud.Session.Orchestration(ctx)
	if err != nil {
		return err
	}
	return call(ctx, client, method, strings.TrimSuffix(client.Endpoint, "/")+path, body, into)
}

func call(ctx context.Context, client *gophercloud.ServiceClient, method, url string, body, into any) error {
	options := &gophercloud.RequestOpts{
		OkCodes: []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}, KeepResponseBody: true,
	}
	if body != nil {
		options.JSONBody = body
	}
	response, err := client.Request(ctx, method, url, options)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
