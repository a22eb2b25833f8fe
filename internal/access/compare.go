package access

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// Compare says which needed rules the given ones don't cover, and which given ones nothing needs. A rule with a twin is covered if
// one of both is. A given rule that allows more than is needed is not unused, but wide.
func Compare(needed []Rule, given []openstack.AccessRule) (missing []Rule, unused, wide []openstack.AccessRule) {
	for _, n := range needed {
		if !slices.ContainsFunc(given, n.coveredBy) {
			missing = append(missing, n)
		}
	}
	for _, g := range given {
		uses := func(n Rule) bool { return n.coveredBy(g) }
		exact := func(n Rule) bool { return same(n.AccessRule, g) || n.Twin != nil && same(*n.Twin, g) }
		switch {
		case slices.ContainsFunc(needed, exact):
		case slices.ContainsFunc(needed, uses):
			wide = append(wide, g)
		default:
			unused = append(unused, g)
		}
	}
	return missing, unused, wide
}

func (r Rule) coveredBy(given openstack.AccessRule) bool {
	return Allows(given, r.Service, r.Method, example(r.Path)) ||
		r.Twin != nil && Allows(given, r.Service, r.Method, example(r.Twin.Path))
}

// same compares rules by what they mean: {id} is *.
func same(a, b openstack.AccessRule) bool {
	return a.Service == b.Service && a.Method == b.Method && named.ReplaceAllString(a.Path, "*") == named.ReplaceAllString(b.Path, "*")
}

// Allows says whether a rule allows a request to a service. path is without the query.
// Source: keystonemiddleware/auth_token/__init__.py, validate_allowed_request and _path_matches.
func Allows(r openstack.AccessRule, service, method, path string) bool {
	return r.Service == service && r.Method == method && pattern(r.Path).MatchString(path)
}

var (
	named = regexp.MustCompile(`\{[^}]*\}`)
	wild  = regexp.MustCompile(`\{[^}]*\}|\*\*|\*`)
)

func pattern(path string) *regexp.Regexp {
	var out strings.Builder
	at := 0
	for _, found := range wild.FindAllStringIndex(path, -1) {
		out.WriteString(regexp.QuoteMeta(path[at:found[0]]))
		if path[found[0]:found[1]] == "**" {
			out.WriteString(".*")
		} else {
			out.WriteString("[^/]+")
		}
		at = found[1]
	}
	out.WriteString(regexp.QuoteMeta(path[at:]))
	return regexp.MustCompile("^" + out.String() + "$")
}

// example is a path that only a rule at least as wide as this one allows.
func example(path string) string {
	return wild.ReplaceAllStringFunc(path, func(w string) string {
		if w == "**" {
			return "x/y/z"
		}
		return "x"
	})
}
