package openstack

import (
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// projectNames are the names by which people know the services, for metrics and messages. Other types keep their own name.
var projectNames = map[string]string{
	"identity":      "keystone",
	"orchestration": "heat",
	"compute":       "nova",
	"image":         "glance",
	"network":       "neutron",
	"placement":     "placement",
	"metric":        "gnocchi",
	"alarming":      "aodh",
	// gophercloud and the catalog call Prometheus behind Keystone so.
	"metric-storage": "aetos",
	"volumev3":       "cinder",
	"block-storage":  "cinder",
	"load-balancer":  "octavia",
}

// unknownService is the name of whatever is not in the catalog.
const unknownService = "other"

// services tells to which service an address belongs. The catalog is known only after signing in, by the same client.
type services struct {
	places atomic.Pointer[[]place]
}

type place struct{ prefix, service string }

func newServices(authURL string) *services {
	s := &services{}
	s.learn(authURL, nil)
	return s
}

// learn takes over a catalog.
func (s *services) learn(authURL string, catalog *tokens.ServiceCatalog) {
	var places []place
	if catalog != nil {
		for _, entry := range catalog.Entries {
			for _, endpoint := range entry.Endpoints {
				places = append(places, placesOf(endpoint.URL, projectName(entry.Type))...)
			}
		}
	}
	places = append(places, placesOf(authURL, projectName("identity"))...)
	// The longest prefix first: behind one host name every service has its own path.
	slices.SortStableFunc(places, func(a, b place) int { return len(b.prefix) - len(a.prefix) })
	s.places.Store(&places)
}

func projectName(serviceType string) string {
	if name, ok := projectNames[serviceType]; ok {
		return name
	}
	return serviceType
}

// placesOf is an endpoint's host and path, and the same without version and project.
func placesOf(endpoint, service string) []place {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil
	}
	path := strings.TrimRight(u.Path, "/")
	result := []place{{u.Host + path + "/", service}}
	var kept []string
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if len(part) > 1 && part[0] == 'v' && part[1] >= '0' && part[1] <= '9' {
			break
		}
		kept = append(kept, part)
	}
	if unversioned := u.Host + "/" + strings.Join(kept, "/"); unversioned+"/" != result[0].prefix {
		result = append(result, place{strings.TrimRight(unversioned, "/") + "/", service})
	}
	return result
}

// of returns the service's name, unknownService if the address is in no catalog.
func (s *services) of(u *url.URL) string {
	address := u.Host + strings.TrimRight(u.Path, "/") + "/"
	for _, p := range *s.places.Load() {
		if strings.HasPrefix(address, p.prefix) {
			return p.service
		}
	}
	return unknownService
}
