package check

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// kinds of things that a parameter may name: Heat's own word for it, as in custom_constraint (heat/engine/clients/os), the usual
// names of parameters without one, and how it is looked up.
var kindsOfReference = []struct {
	constraint, called string
	usual              []string
	look               func(ctx context.Context, w *World, name string) (problem string, err error)
}{
	{"nova.flavor", "flavor", []string{"flavor"}, lookFlavor},
	{"glance.image", "image", []string{"image"}, lookImage},
	{"neutron.network", "network", []string{"network"}, lookIn("networks", "network")},
	{"neutron.subnet", "subnet", []string{"subnet"}, lookIn("subnets", "subnet")},
	{"nova.keypair", "key pair", []string{"key_name", "ssh_key_name", "ssh_key"}, lookKeyPair},
}

// checkReferences looks whether what the stacks' parameters name is there. Heat refuses an update of a stack in which it is not:
// not even a member can be removed then.
func checkReferences(ctx context.Context, w *World, f *findings) {
	known := map[string]string{} // kind and name -> problem
	for _, g := range w.Snapshot.Groups() {
		for _, s := range g.Stacks {
			w.checkReferencesOf(ctx, s, known, f)
		}
	}
}

func (w *World) checkReferencesOf(ctx context.Context, s *nodegroups.Stack, known map[string]string, f *findings) {
	thing := "stack " + s.Name
	detail, err := w.Heat.GetStack(ctx, s.Name, s.ID)
	if err != nil {
		f.skip(thing, "", "it can't be read: %s", message(err))
		return
	}
	template, err := w.Heat.GetTemplate(ctx, s.Name, s.ID)
	if err != nil {
		f.skip(thing, "", "its template can't be read: %s", message(err))
		return
	}
	var there []string
	for _, kind := range kindsOfReference {
		for _, parameter := range parametersOf(template, detail.Parameters, kind.constraint, kind.usual) {
			name := detail.Parameters[parameter]
			key := kind.called + " " + name
			problem, asked := known[key]
			if !asked {
				if problem, err = kind.look(ctx, w, name); err != nil {
					f.skip(fmt.Sprintf("%s, %s %s", thing, kind.called, name), "", "it can't be looked up: %s", message(err))
					continue
				}
				known[key] = problem
			}
			if problem != "" {
				f.fail(fmt.Sprintf("%s, parameter %s", thing, parameter), "make it again, or give the stack another by openstack stack update --existing --parameter "+
					parameter+"=...; Heat refuses any update until then", "%s %q %s", kind.called, name, problem)
				continue
			}
			there = append(there, key)
		}
	}
	if len(there) > 0 {
		f.ok(thing, "%s", strings.Join(there, ", "))
	}
}

// parametersOf are the parameters that name something of a kind, by the template's constraints or else by their usual names.
func parametersOf(template map[string]any, values map[string]string, constraint string, usual []string) []string {
	declared, _ := template["parameters"].(map[string]any)
	var found []string
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if value := values[name]; value == "" || strings.Trim(value, "*") == "" {
			continue // not given, or hidden
		}
		properties, _ := declared[name].(map[string]any)
		constraints, _ := properties["constraints"].([]any)
		has := slices.ContainsFunc(constraints, func(c any) bool {
			one, _ := c.(map[string]any)
			return one["custom_constraint"] == constraint
		})
		if has || slices.Contains(usual, name) {
			found = append(found, name)
		}
	}
	return found
}

// lookFlavor looks as Heat does: by id, and then by name among those that the project may use.
func lookFlavor(ctx context.Context, w *World, name string) (string, error) {
	client, err := w.Session.Compute(ctx)
	if err != nil {
		return "", err
	}
	if err := exists(ctx, client, "flavors/"+url.PathEscape(name)); !openstack.IsNotFound(err) {
		return "", err
	}
	flavors, err := heatstack.NewNova(w.Session).ListFlavors(ctx)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(flavors, func(f heatstack.FlavorRow) bool { return f.Name == name }) {
		return "", nil
	}
	return absent, nil
}

const absent = "does not exist, or this project may not use it"

func lookImage(ctx context.Context, w *World, name string) (string, error) {
	client, err := w.Session.Image(ctx)
	if err != nil {
		return "", err
	}
	type image struct {
		Status string `json:"status"`
		Hidden bool   `json:"os_hidden"`
	}
	var one image
	err = read(ctx, client, "images/"+url.PathEscape(name), &one)
	if openstack.IsNotFound(err) {
		var list struct {
			Images []image `json:"images"`
		}
		if err := read(ctx, client, "images?name="+url.QueryEscape(name), &list); err != nil {
			return "", err
		}
		switch len(list.Images) {
		case 0:
			return absent, nil
		case 1:
			one, err = list.Images[0], nil
		default:
			return fmt.Sprintf("is the name of %d images; name one by its id", len(list.Images)), nil
		}
	}
	if err == nil && one.Status != "active" {
		return "is " + one.Status + ", not active", nil
	}
	return "", err
}

// lookIn looks something up in Neutron, by id and by name.
func lookIn(collection, single string) func(context.Context, *World, string) (string, error) {
	return func(ctx context.Context, w *World, name string) (string, error) {
		client, err := w.Session.Network(ctx)
		if err != nil {
			return "", err
		}
		var one map[string]any
		err = read(ctx, client, collection+"/"+url.PathEscape(name), &one)
		if !openstack.IsNotFound(err) {
			return "", err
		}
		var list map[string][]any
		if err := read(ctx, client, collection+"?name="+url.QueryEscape(name), &list); err != nil {
			return "", err
		}
		switch n := len(list[collection]); n {
		case 0:
			return absent, nil
		case 1:
			return "", nil
		default:
			return fmt.Sprintf("is the name of %d; name one %s by its id", n, single), nil
		}
	}
}

// lookKeyPair asks as the user of the credentials. Heat makes servers as the user who updated the stack last: key pairs belong to
// users, not to projects.
func lookKeyPair(ctx context.Context, w *World, name string) (string, error) {
	client, err := w.Session.Compute(ctx)
	if err != nil {
		return "", err
	}
	err = exists(ctx, client, "os-keypairs/"+url.PathEscape(name))
	if openstack.IsNotFound(err) {
		return "does not exist for the user of these credentials; key pairs belong to users", nil
	}
	return "", err
}

func exists(ctx context.Context, client *gophercloud.ServiceClient, path string) error {
	//nolint:bodyclose // gophercloud closes a body that nobody asked for
	_, err := client.Get(ctx, client.ServiceURL(path), nil, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return err
}
