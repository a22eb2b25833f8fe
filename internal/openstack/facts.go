package openstack

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// Facts say who a Session is and what Keystone says of it. They hold no secret.
type Facts struct {
	// Source names the file, entry or variables that the credentials are from; AuthURL is Keystone's address.
	Source, AuthURL string
	// Method is how the token was got: password, application_credential...
	Method                                   string
	UserID, UserName, ProjectID, ProjectName string
	// Region and Interface say which of the catalog's addresses are used.
	Region, Interface string
	// Roles are the token's, by name.
	Roles []string
	// Credential is the application credential, nil if there is none.
	Credential *ApplicationCredential
	// Issued and Expires are the token's, by Keystone's clock; Asked and Answered are our clock's before and after.
	Issued, Expires, Asked, Answered time.Time
	// Insecure: TLS certificates are not verified. CAFile holds the authorities that replace the system's, empty for none.
	Insecure bool
	CAFile   string
	// Endpoints is the catalog.
	Endpoints []Endpoint
}

// ApplicationCredential is what a token says of the application credential that it was made with.
type ApplicationCredential struct {
	ID, Name string
	// Restricted: it can't make or delete application credentials and trusts.
	Restricted bool
	// Rules are its access rules. Without any it may do whatever its roles allow.
	Rules []AccessRule
}

// AccessRule allows one kind of request. In a path * is one part, ** any number of them, and {name} one part.
// Source: keystonemiddleware/auth_token/__init__.py, _path_matches.
type AccessRule struct {
	Service string `json:"service"`
	Method  string `json:"method"`
	Path    string `json:"path"`
}

// Endpoint is an entry of the catalog.
type Endpoint struct{ Type, Region, Interface, URL string }

// Facts returns what the present login has told.
func (s *Session) Facts() Facts {
	now := s.now()
	f := now.facts
	l := now.credentials.login
	f.Source, f.AuthURL, f.ProjectID, f.Region = l.source, l.authURL, now.projectID, now.region
	f.Interface = string(now.credentials.endpoints.Availability)
	f.Insecure, f.CAFile = now.credentials.tls.insecure, l.caFile
	return f
}

// tokenAnswer is a token as Keystone shows it, without the catalog.
type tokenAnswer struct {
	Methods []string  `json:"methods"`
	Issued  time.Time `json:"issued_at"`
	Expires time.Time `json:"expires_at"`
	User    struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	Project struct {
		Name string `json:"name"`
	} `json:"project"`
	Roles []struct {
		Name string `json:"name"`
	} `json:"roles"`
	Credential *struct {
		ID         string       `json:"id"`
		Name       string       `json:"name"`
		Restricted bool         `json:"restricted"`
		Rules      []AccessRule `json:"access_rules"`
	} `json:"application_credential"`
}

// learnFacts takes from a token what is not needed for working. That it can't be understood is no error for the same reason.
func (n *signedIn) learnFacts(result tokens.CreateResult, catalog *tokens.ServiceCatalog) {
	var t tokenAnswer
	if result.ExtractInto(&t) != nil {
		return
	}
	f := &n.facts
	f.Issued, f.Expires, f.UserID, f.UserName, f.ProjectName = t.Issued, t.Expires, t.User.ID, t.User.Name, t.Project.Name
	f.Method = strings.Join(t.Methods, ", ")
	for _, r := range t.Roles {
		f.Roles = append(f.Roles, r.Name)
	}
	if c := t.Credential; c != nil {
		f.Credential = &ApplicationCredential{ID: c.ID, Name: c.Name, Restricted: c.Restricted, Rules: c.Rules}
	}
	for _, entry := range catalog.Entries {
		for _, e := range entry.Endpoints {
			f.Endpoints = append(f.Endpoints, Endpoint{
				Type: entry.Type, Region: cmp.Or(e.RegionID, e.Region), Interface: e.Interface, URL: e.URL,
			})
		}
	}
}

// Service returns a client of any service in the catalog, at the address that stands there.
func (s *Session) Service(ctx context.Context, serviceType string) (*gophercloud.ServiceClient, error) {
	return s.client(ctx, serviceType)
}

// Identity returns a client of Keystone's API version 3, at the address of the credentials.
func (s *Session) Identity(ctx context.Context) (*gophercloud.ServiceClient, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := s.now()
	endpoint := gophercloud.NormalizeURL(now.credentials.login.authURL)
	if !strings.HasSuffix(endpoint, "/v3/") {
		endpoint += "v3/"
	}
	return &gophercloud.ServiceClient{ProviderClient: now.provider, Endpoint: endpoint, Type: "identity"}, nil
}

// Network returns a client of Neutron's API version 2.0.
func (s *Session) Network(ctx context.Context) (*gophercloud.ServiceClient, error) {
	client, err := s.client(ctx, "network")
	if err != nil {
		return nil, err
	}
	// As with Glance.
	if !strings.HasSuffix(client.Endpoint, "/v2.0/") {
		client.ResourceBase = client.Endpoint + "v2.0/"
	}
	return client, nil
}
