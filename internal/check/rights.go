package check

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	manifests "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/deploy/kubernetes"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// right is one verb on one resource.
type right struct {
	group, resource, subresource, name, verb string
	// namespace is empty for the whole cluster.
	namespace string
	// why says which feature needs it, empty if all do.
	why string
}

// String is the right as kubectl auth can-i takes it.
func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.group != "" {
		text += "." + r.group
	}
	if r.subresource != "" {
		text += "/" + r.subresource
	}
	if r.name != "" {
		text += " " + r.name
	}
	if r.namespace != "" {
		text += " in " + r.namespace
	}
	return text
}

// manifestNamespace is where deploy/kubernetes puts the autoscaler.
const manifestNamespace = "kube-system"

// rights are those that this set-up needs, by the manifest in deploy/kubernetes: a test of the chart proves that each is used.
func (w *World) rights() ([]right, error) {
	var all []right
	for _, document := range strings.Split(manifests.Autoscaler, "\n---\n") {
		var role rbacv1.ClusterRole // a Role has the same fields
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			return nil, fmt.Errorf("the manifest that this program knows can't be read: %w", err)
		}
		if role.Kind != "ClusterRole" && role.Kind != "Role" {
			continue
		}
		for _, rule := range role.Rules {
			feature, needed := w.feature(rule)
			if !needed {
				continue
			}
			all = append(all, w.rightsOf(rule, role.Namespace, feature)...)
		}
	}
	return all, nil
}

func (w *World) rightsOf(rule rbacv1.PolicyRule, namespace, feature string) []right {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var all []right
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			if namespace == manifestNamespace && resource != "secrets" { // tokens are looked for in kube-system only
				namespace = w.home
			}
			resource, sub, _ := strings.Cut(resource, "/")
			for _, verb := range rule.Verbs {
				if resource == "nodes" && verb == "delete" && !w.program.Provider.Bool("delete-nodes-of-gone-servers", true) {
					continue
				}
				for _, name := range names {
					all = append(all, right{group, resource, sub, w.ownName(name), verb, namespace, feature})
				}
			}
		}
	}
	return all
}

// ownName is the name that flags give to something that has another one in the manifest.
func (w *World) ownName(name string) string {
	switch name {
	case defaultLease:
		return w.Setup.Lease
	case defaultStatus:
		return w.Setup.StatusConfigMap
	}
	return name
}

// feature says what a rule is for, and whether this set-up needs it.
func (w *World) feature(rule rbacv1.PolicyRule) (name string, needed bool) {
	ours, core := w.program.Provider, w.program.Core
	decides := ours.Bool("approve-node-certificates", true) || ours.Bool("approve-serving-certificates", true)
	has := func(resource string) bool { return slices.Contains(rule.Resources, resource) }
	switch {
	case slices.Contains(rule.APIGroups, "resource.k8s.io"):
		return "--enable-dynamic-resource-allocation", core.Bool("enable-dynamic-resource-allocation", false)
	case slices.Contains(rule.APIGroups, "certificates.k8s.io"), slices.Contains(rule.APIGroups, "authorization.k8s.io"),
		slices.Contains(rule.ResourceNames, "cluster-autoscaler-openstack-joins"):
		return "--approve-node-certificates, --approve-serving-certificates", decides
	case has("secrets"):
		return "node groups whose bootstrap tokens are minted", w.mints()
	case has("configmaps") && slices.Contains(rule.Verbs, "list"):
		return "--expander=priority, --external-metrics-address", strings.Contains(core.Last("expander"), "priority") || ours.Last("external-metrics-address") != ""
	case has("configmaps") && slices.Contains(rule.ResourceNames, "cluster-info"):
		return "node groups whose bootstrap tokens are minted", w.mints()
	}
	return "", true
}

// mints says whether a node group has its bootstrap tokens minted. Not known is yes.
func (w *World) mints() bool {
	return w.Snapshot == nil || slices.ContainsFunc(w.Snapshot.Groups(), func(g *nodegroups.Group) bool {
		return slices.ContainsFunc(g.Stacks, func(s *nodegroups.Stack) bool { return s.Config.TokenSource == nodegroups.TokenMinted })
	})
}
