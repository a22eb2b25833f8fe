package check

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

func checkAccess(ctx context.Context, w *World, f *findings) {
	needs, unknown := w.needs(ctx)
	w.checkRules(needs, unknown, f)
	w.probe(ctx, needs, f)
}

// checkRules compares the access rules that the credentials have with those that are needed. What is missing is missing, whatever
// else is not known; that all is well can be said only if everything is.
func (w *World) checkRules(needs access.Needs, unknown unknownNeeds, f *findings) {
	facts := w.Session.Facts()
	switch {
	case facts.Credential == nil:
		f.skip("access rules", "", "the login is no application credential")
		return
	case len(facts.Credential.Rules) == 0:
		f.warn("access rules", makeCredential, "none: it allows whatever its roles allow, such as to delete every server of the project")
		return
	}
	unknown.skip(f)
	needed := access.Rules(needs, facts)
	missing, unused, wide := access.Compare(needed, facts.Credential.Rules)
	// What a feature needs that may come later, or that is not known to be used, is no excess.
	extra := access.Rules(access.Needs{Volumes: true, LoadBalancers: true, Shutdown: true, Gnocchi: true, Aetos: true}, facts)
	_, unused, _ = access.Compare(extra, unused)
	for _, r := range missing {
		f.fail("access rule "+ruleText(r.AccessRule), "make a new credential: rules can't be added to one", "it is missing, and needed for this: %s", r.Why)
	}
	for _, r := range unused {
		f.warn("access rule "+ruleText(r), makeCredential, "nothing needs it")
	}
	for _, r := range wide {
		f.warn("access rule "+ruleText(r), makeCredential, "it allows more than is needed")
	}
	if len(missing)+len(unused)+len(wide)+len(unknown) == 0 {
		f.ok("access rules", "%d, each of them needed, and none is missing", len(facts.Credential.Rules))
	}
}

func ruleText(r openstack.AccessRule) string {
	return fmt.Sprintf("%s %s %s", r.Service, r.Method, r.Path)
}

// aProbe is a request that changes nothing. Services look whether somebody may do a thing before they look whether it is there, so that
// what changes things is asked of what does not exist.
type aProbe struct {
	thing, service, method, path string
	body                         any
	// madeUp: it is about a stack or server whose id was made up a moment ago, so that "not found" means that it is allowed. Of a list
	// the same answer means that the service is not where the catalog says.
	madeUp bool
	// wanted says when the right is needed; always if nil.
	wanted func(access.Needs) bool
}

func probes() []aProbe {
	id := string(uuid.NewUUID())
	stack := "stacks/cluster-autoscaler-openstack-check/" + id
	return []aProbe{
		{"list stacks", "orchestration", http.MethodGet, "stacks?limit=1", nil, false, nil},
		{"update a stack", "orchestration", http.MethodPatch, stack, map[string]any{"parameters": map[string]any{}}, true, nil},
		{"mark a member as unhealthy", "orchestration", http.MethodPatch, stack + "/resources/none", map[string]any{"mark_unhealthy": false}, true, nil},
		{"have Heat check a stack", "orchestration", http.MethodPost, stack + "/actions", map[string]any{"check": nil}, true, nil},
		{"list servers", "compute", http.MethodGet, "servers/detail?limit=1", nil, false, nil},
		{"see who stopped a server", "compute", http.MethodGet, "servers/" + id + "/os-instance-actions", nil, true, nil},
		{"list flavors", "compute", http.MethodGet, "flavors/detail?limit=1", nil, false, nil},
		{"shut a server down", "compute", http.MethodPost, "servers/" + id + "/action", map[string]any{"os-stop": nil}, true, func(n access.Needs) bool { return n.Shutdown }},
	}
}

// probe tries what the autoscaler does.
func (w *World) probe(ctx context.Context, needs access.Needs, f *findings) {
	var allowed []string
	astray := map[string]bool{} // services that are not where the catalog says
	for _, p := range probes() {
		if p.wanted != nil && !p.wanted(needs) {
			continue
		}
		client, err := w.Session.Service(ctx, p.service)
		if err != nil {
			f.skip(p.thing, "", "%s", message(err))
			continue
		}
		err = send(ctx, client, p)
		switch {
		case err == nil:
			allowed = append(allowed, p.thing)
		case openstack.IsNotFound(err) && !p.madeUp:
			astray[p.service] = true
			f.fail(p.thing, "have the catalog's address corrected, or check region and interface", "not found (404) at %s, which the catalog has for %q: %s", client.Endpoint, p.service, message(err))
		case openstack.IsNotFound(err) && astray[p.service]:
			f.skip(p.thing, "", "%q is not where the catalog says", p.service)
		case openstack.IsNotFound(err):
			allowed = append(allowed, p.thing)
		case openstack.IsUnauthorized(err):
			f.fail(p.thing, "make a new credential with all access rules: kubectl openstack-nodegroups credential", "refused (401): an access rule for %s %s is missing", p.method, firstPart(p.path))
		case openstack.IsForbidden(err):
			f.fail(p.thing, "give the user the role that the cloud's policy wants (member in most), or ask the cloud's operator", "refused (403): %s", message(err))
		default:
			f.fail(p.thing, "see the service's log", "%s", message(err))
		}
	}
	if len(allowed) > 0 {
		f.ok("requests", "allowed: %s", strings.Join(allowed, ", "))
	}
}

func firstPart(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

func send(ctx context.Context, client *gophercloud.ServiceClient, p aProbe) error {
	//nolint:bodyclose // gophercloud closes a body that nobody asked for
	_, err := client.Request(ctx, p.method, client.ServiceURL(p.path), &gophercloud.RequestOpts{
		JSONBody: p.body, OkCodes: []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent},
	})
	return err
}
