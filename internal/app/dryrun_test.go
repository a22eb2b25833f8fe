package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
)

func TestADryRunStoresNothingButWhatShowsIt(t *testing.T) {
	const stored, forShow, unsent = "stored", "for show", "not sent"
	for request, want := range map[string]string{
		"GET /api/v1/nodes": stored,
		"GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x":     stored,
		"PUT /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x":     stored,
		"POST /apis/coordination.k8s.io/v1/namespaces/kube-system/leases":      stored,
		"PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n": forShow,
		"POST /api/v1/namespaces/default/events":                               stored,
		"PATCH /apis/events.k8s.io/v1/namespaces/default/events/e":             stored,
		"POST /api/v1/namespaces/kube-system/configmaps":                       stored,
		"PUT /api/v1/namespaces/kube-system/configmaps/the-status":             stored,
		"DELETE /api/v1/namespaces/kube-system/configmaps/the-status":          stored,
		"PUT /api/v1/namespaces/kube-system/configmaps/other":                  forShow,
		"POST /api/v1/namespaces/default/configmaps":                           forShow,
		"PUT /api/v1/nodes/n":                             forShow,
		"PATCH /api/v1/nodes/n":                           forShow,
		"PUT /api/v1/nodes/events":                        forShow,
		"POST /api/v1/namespaces/default/pods/p/eviction": forShow,
		"DELETE /api/v1/nodes/n":                          unsent,
		"DELETE /api/v1/namespaces/default/pods/p":        unsent,
	} {
		t.Run(request, func(t *testing.T) {
			got := unsent
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = stored
				if r.URL.Query().Get("dryRun") == "All" {
					got = forShow
				}
				require.Equal(t, "7", r.URL.Query().Get("keep"), "the rest of the request is as it was")
			}))
			defer server.Close()
			config := &rest.Config{Host: server.URL}
			inDryRun(config, "kube-system", "the-status")
			client, err := rest.HTTPClientFor(config)
			require.NoError(t, err)
			method, path, _ := strings.Cut(request, " ")
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path+"?keep=7", strings.NewReader("{}"))
			require.NoError(t, err)
			answer, err := client.Do(r)
			if want == unsent {
				require.ErrorContains(t, err, "dry run")
			} else {
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
			}
			require.Equal(t, want, got)
			require.NotContains(t, r.URL.RawQuery, "dryRun", "the caller's request is not changed")
		})
	}
}
