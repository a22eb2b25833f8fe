package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// How long before something expires it is a warning, and a failure.
const (
	expiryWarn = 30 * 24 * time.Hour
	expiryFail = 3 * 24 * time.Hour
)

const makeCredential = "make one with what is needed and nothing else: kubectl openstack-nodegroups credential"

func checkCredentials(ctx context.Context, w *World, f *findings) {
	if w.Session == nil {
		remedy := "see what is said; docs/how-to/least-privilege.md"
		var login *openstack.LoginError
		if errors.As(w.SessionErr, &login) && login.Remedy != "" {
			remedy = login.Remedy
		}
		f.fail("sign-in", remedy, "%s", text(w.SessionErr, "no credentials were given"))
		return
	}
	facts := w.Session.Facts()
	f.ok("sign-in", "from %s, by %s, as user %s in project %s", facts.Source, facts.Method, facts.UserName, facts.ProjectName)
	w.checkApplicationCredential(ctx, facts, f)
	switch {
	case slices.Contains(facts.Roles, "admin"):
		f.warn("roles", makeCredential, "%s: an administrator's credentials are far more than is needed", strings.Join(facts.Roles, ", "))
	default:
		f.ok("roles", "%s", strings.Join(facts.Roles, ", "))
	}
	w.checkTLS(ctx, facts, f)
}

func (w *World) checkApplicationCredential(ctx context.Context, facts openstack.Facts, f *findings) {
	c := facts.Credential
	if c == nil {
		f.warn("application credential", makeCredential, "none: whoever gets hold of these credentials can do whatever the user can, in all of the user's projects")
		return
	}
	thing := "application credential " + c.Name
	if !c.Restricted {
		f.warn(thing, makeCredential, "unrestricted: it can make other application credentials, which stay when this one is deleted")
	} else {
		f.ok(thing, "restricted: it can make no other credentials")
	}
	expires, ends, err := access.Expiry(ctx, w.Session)
	switch {
	case err != nil:
		f.skip(thing+", expiry", "", "Keystone does not tell these credentials how long they are good for: %s", openstack.Message(err))
	case !ends:
		f.warn(thing+", expiry", "make one that ends: kubectl openstack-nodegroups credential --lifetime=2160h", "never: one that has leaked stays good")
	default:
		f.expiry(thing+", expiry", expires, w.now(), "make the next one in time: docs/how-to/least-privilege.md")
	}
}

// expiry judges the end of something.
func (f *findings) expiry(thing string, end, now time.Time, remedy string) {
	left := end.Sub(now)
	found := fmt.Sprintf("%s, in %s", end.UTC().Format(time.RFC3339), days(left))
	switch {
	case left <= 0:
		f.fail(thing, remedy, "%s: it is over", end.UTC().Format(time.RFC3339))
	case left < expiryFail:
		f.fail(thing, remedy, "%s", found)
	case left < expiryWarn:
		f.warn(thing, remedy, "%s", found)
	default:
		f.ok(thing, "%s", found)
	}
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}

func (w *World) checkTLS(ctx context.Context, facts openstack.Facts, f *findings) {
	switch {
	case strings.HasPrefix(facts.AuthURL, "http://"):
		f.warn("TLS", "use Keystone's https address", "%s is not encrypted: whoever is on the way reads the credentials", facts.AuthURL)
	case facts.Insecure:
		f.warn("TLS", "give the authority's certificate as ca-file (cacert, OS_CACERT) in place of the insecure setting", "certificates are not verified")
	case facts.CAFile != "":
		w.checkAuthorities(ctx, facts.CAFile, f)
	default:
		f.ok("TLS", "certificates are verified by the system's authorities")
	}
}
