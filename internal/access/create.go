package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// Session is a login that may make application credentials: by password, since Keystone lets no restricted application credential
// make others. internal/openstack's Session is one.
type Session interface {
	Identity(ctx context.Context) (*gophercloud.ServiceClient, error)
	Facts() openstack.Facts
}

// Wish is the application credential that is wanted.
type Wish struct {
	// Name is unique among the user's application credentials.
	Name string
	// Expires is when it stops being good; zero for never.
	Expires time.Time
	// Roles are the names of those it has; of the user's roles the least that works if empty, see LeastRole.
	Roles []string
	Needs Needs
}

// Credential is an application credential that was made. Its secret does not show when it is printed or logged.
type Credential struct {
	ID, Name string
	Expires  time.Time
	Roles    []string
	Rules    []Rule
	login    openstack.Facts
	secret   *string
}

// String names the credential and nothing secret.
func (c *Credential) String() string {
	return fmt.Sprintf("application credential %s (%s)", c.Name, c.ID)
}

// Format implements fmt.Formatter, so that no verb shows the secret.
func (c *Credential) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// errNoRole is wrapped if the user's roles don't tell which one is the least that works.
var errNoRole = errors.New("none of the user's roles is known to be enough")

// LeastRole chooses the role of a credential: member, which Heat's policy asks for to update a stack since it knows readers
// (heat/policies/base.py, PROJECT_MEMBER). In clouds older than that its old name does.
func LeastRole(roles []string) (string, error) {
	for _, role := range []string{"member", "Member", "_member_"} {
		if slices.Contains(roles, role) {
			return role, nil
		}
	}
	return "", fmt.Errorf("%w: it has %s; name one with --role", errNoRole, strings.Join(roles, ", "))
}

// Create makes an application credential of the session's user in its project, restricted and with access rules for what the needs
// ask for. Errors say what to do and hold no secret.
func Create(ctx context.Context, session Session, wish Wish) (*Credential, error) {
	facts := session.Facts()
	roles := wish.Roles
	if len(roles) == 0 {
		role, err := LeastRole(facts.Roles)
		if err != nil {
			return nil, err
		}
		roles = []string{role}
	}
	for _, role := range roles {
		if !slices.Contains(facts.Roles, role) {
			return nil, fmt.Errorf("user %s does not have the role %q in project %s; it has %s", facts.UserName, role, facts.ProjectName,
				strings.Join(facts.Roles, ", "))
		}
	}
	rules := Rules(wish.Needs, facts)
	options := applicationcredentials.CreateOpts{
		Name: wish.Name, Description: "cluster-autoscaler-openstack: what it needs, and nothing else", Unrestricted: false,
	}
	for _, role := range roles {
		options.Roles = append(options.Roles, applicationcredentials.Role{Name: role})
	}
	for _, r := range All(rules) {
		options.AccessRules = append(options.AccessRules, applicationcredentials.AccessRule{Service: r.Service, Method: r.Method, Path: r.Path})
	}
	if !wish.Expires.IsZero() {
		options.ExpiresAt = &wish.Expires
	}
	client, err := session.Identity(ctx)
	if err != nil {
		return nil, err
	}
	made, err := applicationcredentials.Create(ctx, client, facts.UserID, options).Extract()
	if err != nil {
		return nil, explainCreate(wish.Name, facts, err)
	}
	secret := made.Secret
	return &Credential{ID: made.ID, Name: made.Name, Expires: made.ExpiresAt, Roles: roles, Rules: rules, login: facts, secret: &secret}, nil
}

func explainCreate(name string, facts openstack.Facts, err error) error {
	remedy := "see Keystone's log"
	code, _ := openstack.StatusCode(err)
	switch {
	case code == http.StatusConflict:
		remedy = "choose another --name, or delete the one of that name first"
	case (openstack.IsForbidden(err) || openstack.IsUnauthorized(err)) && facts.Credential != nil:
		remedy = "sign in with a user's name and password: an application credential can't make others"
	case openstack.IsForbidden(err):
		remedy = "ask the cloud's operator to let users make application credentials"
	case code == http.StatusBadRequest:
		remedy = "the cloud's Keystone may be older than access rules (OpenStack Train)"
	}
	return &refusal{text: fmt.Sprintf("making the application credential %q: %s; %s", name, openstack.Message(err), remedy), cause: err}
}

// refusal says an error in the cloud's words, and keeps its cause.
type refusal struct {
	text  string
	cause error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.cause }

// Delete takes back a credential that was made, where it could not be handed over.
func Delete(ctx context.Context, session Session, c *Credential) error {
	client, err := session.Identity(ctx)
	if err != nil {
		return err
	}
	if err := applicationcredentials.Delete(ctx, client, c.login.UserID, c.ID).ExtractErr(); err != nil {
		return fmt.Errorf("deleting %s: %w", c, err)
	}
	return nil
}

// Expiry asks Keystone until when the session's application credential is good. ok is false if it has no end.
func Expiry(ctx context.Context, session Session) (expires time.Time, ok bool, err error) {
	facts := session.Facts()
	if facts.Credential == nil {
		return time.Time{}, false, errors.New("the login is no application credential")
	}
	client, err := session.Identity(ctx)
	if err != nil {
		return time.Time{}, false, err
	}
	found, err := applicationcredentials.Get(ctx, client, facts.UserID, facts.Credential.ID).Extract()
	if err != nil {
		return time.Time{}, false, fmt.Errorf("reading the application credential: %w", err)
	}
	return found.ExpiresAt, !found.ExpiresAt.IsZero(), nil
}
