package openstack

import (
	"maps"
	"slices"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// NewSessionFromEndpoints returns a session that has not signed in: it sends the token as it is, to the given endpoints by
// service type, such as "orchestration". It makes no request, and Reload does nothing. It is meant for tests.
func NewSessionFromEndpoints(token, projectID, region string, endpoints map[string]string, options Options) *Session {
	options = options.withDefaults()
	catalog := &tokens.ServiceCatalog{}
	for _, serviceType := range slices.Sorted(maps.Keys(endpoints)) {
		catalog.Entries = append(catalog.Entries, tokens.CatalogEntry{
			Type:      serviceType,
			Endpoints: []tokens.Endpoint{{Interface: "public", URL: endpoints[serviceType]}},
		})
	}
	known := newServices("")
	known.learn("", catalog)
	pace := newPace(options)
	base := newHTTPTransport(tlsFiles{})
	provider := &gophercloud.ProviderClient{TokenID: token}
	provider.UseTokenLock()
	provider.UserAgent.Prepend(options.UserAgent)
	provider.HTTPClient.Transport = newTransport(base, known, pace, nil, options)
	provider.HTTPClient.CheckRedirect = checkRedirect
	provider.EndpointLocator = func(wanted gophercloud.EndpointOpts) (string, error) {
		for _, serviceType := range wanted.Types() {
			if endpoint, ok := endpoints[serviceType]; ok {
				return gophercloud.NormalizeURL(endpoint), nil
			}
		}
		return "", gophercloud.ErrEndpointNotFound{}
	}
	return &Session{options: options, pace: pace, current: &signedIn{
		credentials: &credentials{login: &login{source: "a fixed list of endpoints"}},
		provider:    provider, region: region, projectID: projectID, close: base.CloseIdleConnections, fixed: true,
	}}
}
