package access

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// Rule allows one kind of request, and says what for.
type Rule struct {
	openstack.AccessRule
	Why string
	// ByOthers: Heat or Nova make the request, with the token of whoever has asked them for something.
	ByOthers bool
	// Twin is the same request as a service behind another path sees it; nil if there is no doubt. Which one a service compares
	// with depends on its proxy: one that serves all of OpenStack under one name may pass the service's own part of the path on or
	// keep it.
	Twin *openstack.AccessRule
}

// All returns the rules and their twins, each once, as Keystone takes them.
func All(rules []Rule) []openstack.AccessRule {
	var out []openstack.AccessRule
	add := func(r openstack.AccessRule) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, r := range rules {
		add(r.AccessRule)
		if r.Twin != nil {
			add(*r.Twin)
		}
	}
	return out
}

// Rules returns what a set-up needs at the cloud whose catalog is in facts. A service that is not in the catalog has no rules: what
// asks for it fails anyway.
func Rules(needs Needs, facts openstack.Facts) []Rule {
	var rules []Rule
	for _, r := range requests {
		if r.when != nil && !r.when(needs) {
			continue
		}
		for _, base := range basesOf(r, facts) {
			path := strings.Replace(r.path, "USER", facts.UserID, 1)
			rule := Rule{AccessRule: openstack.AccessRule{Service: base.service, Method: r.method, Path: base.whole + path}, Why: r.why, ByOthers: r.who == others}
			if base.bare != base.whole {
				rule.Twin = &openstack.AccessRule{Service: base.service, Method: r.method, Path: base.bare + path}
			}
			if !slices.ContainsFunc(rules, func(o Rule) bool { return o.AccessRule == rule.AccessRule }) {
				rules = append(rules, rule)
			}
		}
	}
	return rules
}

// base is the beginning of the paths of a service's requests: as the catalog has it, and without what comes before the version.
// service is the type that the catalog gives it.
type base struct{ service, whole, bare string }

// otherTypes are the types that catalogs give a service besides the usual one. A rule has to name the service as it calls itself.
// Source: service-types-authority, service-types.yaml.
var otherTypes = map[string]string{"volumev3": "block-storage"}

// versions are what is put between a service's endpoint and a path if the catalog's endpoint has no version.
var versions = map[string]string{
	"identity": "/v3", "orchestration": "", "compute": "", "network": "/v2.0", "image": "/v2", "volumev3": "", "load-balancer": "",
	"metric": "/v1", "metric-storage": "/api/v1",
}

func basesOf(r kindOfRequest, facts openstack.Facts) []base {
	var found []openstack.Endpoint
	if r.service == "identity" {
		found = []openstack.Endpoint{{Type: r.service, URL: facts.AuthURL}}
	} else {
		for _, e := range facts.Endpoints {
			inRegion := e.Region == facts.Region || e.Region == "" || facts.Region == ""
			isIt := e.Type == r.service || e.Type != "" && e.Type == otherTypes[r.service]
			if isIt && inRegion && (r.who == others || e.Interface == facts.Interface) {
				found = append(found, e)
			}
		}
	}
	var bases []base
	for _, e := range found {
		b, ok := baseOf(e.URL, versions[r.service])
		if b.service = e.Type; ok && !slices.Contains(bases, b) {
			bases = append(bases, b)
		}
	}
	return bases
}

// version is a part of a path such as v3 or v2.1.
var version = regexp.MustCompile(`^v[0-9]+(\.[0-9]+)?$`)

func baseOf(address, added string) (base, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return base{}, false
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	at := slices.IndexFunc(parts, version.MatchString)
	whole := join(parts)
	if at < 0 {
		return base{whole: whole + added, bare: added}, true
	}
	return base{whole: whole, bare: join(parts[at:])}, true
}

func join(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return "/" + strings.Join(parts, "/")
}
