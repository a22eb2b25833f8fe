package openstack

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"k8s.io/klog/v2"
)

// Session is one user's access to one project of a cloud. All clients that it hands out share one token, which is renewed
// once when a service answers 401. It is safe for concurrent use.
type Session struct {
	options Options
	pace    *pace

	// reloading is held while files are read and a new login is tried, so that only one is at a time.
	reloading sync.Mutex
	rejected  rejection

	mu      sync.RWMutex
	current *signedIn
}

// signedIn is a login that worked.
type signedIn struct {
	credentials *credentials
	provider    *gophercloud.ProviderClient
	region      string
	projectID   string
	regions     []string
	facts       Facts
	close       func()
	// fixed: there are no files to read again.
	fixed bool
}

// NewSession reads the credentials and signs in. An error that satisfies IsUnavailable or IsRateLimited may go away by
// itself; every other one is for the operator: a *LoginError, or a refusal by Keystone that names source and remedy.
func NewSession(ctx context.Context, options Options) (*Session, error) {
	options = options.withDefaults()
	s := &Session{options: options, pace: newPace(options)}
	credentials, _, err := load(options)
	if err != nil {
		return nil, err
	}
	if s.current, err = s.signIn(ctx, credentials); err != nil {
		return nil, err
	}
	s.current.log(ctx, "Signed in to OpenStack")
	return s, nil
}

// Orchestration returns a client of Heat. Ask for it every time: after a reload it is another one. The client is the
// caller's own and may be changed.
func (s *Session) Orchestration(ctx context.Context) (*gophercloud.ServiceClient, error) {
	return s.client(ctx, "orchestration")
}

// Compute returns a client of Nova, without a microversion: that is the caller's to set.
func (s *Session) Compute(ctx context.Context) (*gophercloud.ServiceClient, error) {
	return s.client(ctx, "compute")
}

// Image returns a client of Glance's API version 2.
func (s *Session) Image(ctx context.Context) (*gophercloud.ServiceClient, error) {
	client, err := s.client(ctx, "image")
	if err != nil {
		return nil, err
	}
	// The catalog's address of Glance has no version by convention, but some clouds add it.
	if !strings.HasSuffix(client.Endpoint, "/v2/") {
		client.ResourceBase = client.Endpoint + "v2/"
	}
	return client, nil
}

// Metric returns a client of Gnocchi.
func (s *Session) Metric(ctx context.Context) (*gophercloud.ServiceClient, error) {
	return s.client(ctx, "metric")
}

// Region is the region that the session works in, empty if neither the credentials nor the catalog name one.
func (s *Session) Region() string { return s.now().region }

// ProjectID is the id of the project that the token is for.
func (s *Session) ProjectID() string { return s.now().projectID }

func (s *Session) now() *signedIn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current
}

// client finds a service in the catalog. It asks no service for its versions, which gophercloud's own constructors do:
// the versions that we need are older than any cloud in use.
func (s *Session) client(ctx context.Context, serviceType string) (*gophercloud.ServiceClient, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := s.now()
	wanted := now.credentials.endpoints
	wanted.ApplyDefaults(serviceType)
	endpoint, err := now.provider.EndpointLocator(wanted)
	if err != nil {
		return nil, now.noEndpoint(serviceType, err)
	}
	return &gophercloud.ServiceClient{ProviderClient: now.provider, Endpoint: endpoint, Type: serviceType}, nil
}

// noEndpoint says why a service was not found.
func (n *signedIn) noEndpoint(serviceType string, err error) error {
	return &LoginError{
		Source: n.credentials.login.source,
		Problem: fmt.Sprintf("the catalog has no %s endpoint of service %q (%s) in region %q",
			n.credentials.endpoints.Availability, serviceType, projectName(serviceType), n.region),
		Remedy: fmt.Sprintf("check region and interface; the catalog has the regions %s", list(n.regions)),
		Cause:  err,
	}
}

// signIn gets a token. Errors name the credentials' source and what to do.
func (s *Session) signIn(ctx context.Context, c *credentials) (*signedIn, error) {
	provider, err := openstack.NewClient(c.auth.IdentityEndpoint)
	if err != nil {
		return nil, c.login.wrong("auth-url is no address", "write it like https://cloud.example.org:5000/v3")
	}
	if c.tls.insecure {
		klog.FromContext(ctx).Info("WARNING: OpenStack's TLS certificates are not verified: anybody on the way can read the credentials; give the authority's certificate as ca-file (cacert, OS_CACERT) in place of the insecure setting",
			"credentials", c.login.source)
	}
	services := newServices(c.auth.IdentityEndpoint)
	base := newHTTPTransport(c.tls)
	provider.UserAgent.Prepend(s.options.UserAgent)
	provider.HTTPClient = http.Client{
		Transport:     newTransport(base, services, s.pace, c.login.secrets(), s.options),
		CheckRedirect: checkRedirect,
	}
	auth := c.auth
	asked := s.options.Clock.Now()
	// Version 3 is named so that no request is spent on asking for versions.
	if err := openstack.AuthenticateV3(ctx, provider, &auth, gophercloud.EndpointOpts{}); err != nil {
		base.CloseIdleConnections()
		return nil, explainSignIn(c.login, err)
	}
	n := &signedIn{credentials: c, provider: provider, region: c.login.region, close: base.CloseIdleConnections}
	n.facts.Asked, n.facts.Answered = asked, s.options.Clock.Now()
	if err := n.readToken(services); err != nil {
		base.CloseIdleConnections()
		return nil, err
	}
	return n, nil
}

// readToken takes project and catalog out of the answer to signing in.
func (n *signedIn) readToken(services *services) error {
	l := n.credentials.login
	result, ok := n.provider.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return l.wrong("Keystone's answer holds no token", "check auth-url")
	}
	catalog, err := result.ExtractServiceCatalog()
	if err != nil {
		return fmt.Errorf("reading Keystone's catalog: %w", err)
	}
	project, err := result.ExtractProject()
	if err != nil {
		return fmt.Errorf("reading the token's project: %w", err)
	}
	if project == nil || project.ID == "" {
		return l.wrong("the token is for no project", "name the project that owns the stacks")
	}
	n.projectID = project.ID
	n.learnFacts(result, catalog)
	services.learn(n.credentials.auth.IdentityEndpoint, catalog)

	n.regions = regionsOf(catalog)
	switch {
	case n.region == "" && len(n.regions) == 1:
		n.region = n.regions[0]
	case n.region == "" && len(n.regions) > 1:
		return l.wrong("no region is given, and the catalog has several", "set region (region_name, OS_REGION_NAME) to one of "+list(n.regions))
	case n.region != "" && len(n.regions) > 0 && !slices.Contains(n.regions, n.region):
		return l.wrong(fmt.Sprintf("region %q is not in the catalog", n.region), "set region (region_name, OS_REGION_NAME) to one of "+list(n.regions))
	}
	return nil
}

func regionsOf(catalog *tokens.ServiceCatalog) []string {
	regions := map[string]bool{}
	for _, entry := range catalog.Entries {
		for _, endpoint := range entry.Endpoints {
			if region := cmp.Or(endpoint.RegionID, endpoint.Region); region != "" {
				regions[region] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(regions))
}

func list(words []string) string {
	if len(words) == 0 {
		return "(none)"
	}
	return strings.Join(words, ", ")
}

func (n *signedIn) log(ctx context.Context, message string) {
	l := n.credentials.login
	klog.FromContext(ctx).Info(message, "credentials", l.source, "authURL", l.authURL, "user", l.user(),
		"applicationCredential", l.usesApplicationCredential(), "project", n.projectID, "region", n.region)
}
