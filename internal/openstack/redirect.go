package openstack

import (
	"fmt"
	"net/http"
)

const maxRedirects = 3

// checkRedirect follows a GET on the host that was asked, and nothing else.
//
// Heat answers 302 to GET /stacks/{name}, with the address that holds the id. Go would send the token along to any host,
// and would turn a redirected PATCH into a GET; both are refused, and the caller sees the 3xx.
func checkRedirect(req *http.Request, via []*http.Request) error {
	original := via[0]
	if original.Method != http.MethodGet && original.Method != http.MethodHead {
		return http.ErrUseLastResponse
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if req.URL.Hostname() != original.URL.Hostname() {
		return http.ErrUseLastResponse
	}
	// Behind a proxy that ends TLS a service often knows neither the scheme nor the port by which it is reached.
	req.URL.Scheme, req.URL.Host = original.URL.Scheme, original.URL.Host
	return nil
}
