package app

import (
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
)

// A dry run changes nothing. Three things see to it:
//   - heatstack plans every change of a stack and sends none;
//   - core's choice of nodes to remove is reported and then taken from it (autoscaler.Parts.DryRun), before it would taint nodes
//     and evict pods;
//   - whatever core writes to Kubernetes all the same, such as the removal of old taints at the start, is sent with
//     dryRun=All, which the API server checks and does not store (dryRunTransport).
//
// Written for real are Events, the status ConfigMap and the leader's Lease: they are how a dry run is seen.

// dryRunTransport sends what would change the cluster with dryRun=All, except what a dry run may write.
type dryRunTransport struct {
	next      http.RoundTripper
	namespace string
	configMap string
}

// inDryRun makes clients of config write nothing but Events, Leases and the status ConfigMap in namespace.
func inDryRun(config *rest.Config, namespace, configMap string) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &dryRunTransport{next: next, namespace: namespace, configMap: configMap}
	})
}

// RoundTrip implements http.RoundTripper.
func (t *dryRunTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.mayPass(request.Method, request.URL.Path) {
		return t.next.RoundTrip(request)
	}
	if request.Method == http.MethodDelete {
		// A DELETE says in its body whether it is one for show (DeleteOptions), so that the query has no effect.
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, fmt.Errorf("dry run: %s %s was not sent", request.Method, request.URL.Path)
	}
	request = request.Clone(request.Context())
	query := request.URL.Query()
	query.Set("dryRun", "All")
	request.URL.RawQuery = query.Encode()
	return t.next.RoundTrip(request)
}

// mayPass says whether a request changes nothing, or something that a dry run may change.
func (t *dryRunTransport) mayPass(method, path string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	at := -1
	for i, p := range parts {
		if p == "namespaces" {
			at = i
			break
		}
	}
	if at < 0 || at+2 >= len(parts) {
		return false
	}
	namespace, resource, name := parts[at+1], parts[at+2], ""
	if at+3 < len(parts) {
		name = parts[at+3]
	}
	switch resource {
	case "events":
		return true
	case "leases":
		return namespace == t.namespace
	case "configmaps":
		return namespace == t.namespace && (name == t.configMap || name == "" && method == http.MethodPost)
	}
	return false
}
