package property

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// host stands for the simulated cloud in URLs. Requests do not leave the process: thousands of histories would otherwise
// spend most of their time in the kernel.
const host = "http://cloud"

// inProcess carries HTTP requests to a handler.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper. A handler that aborts is a connection that breaks.
func (t inProcess) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if e := recover(); e != nil {
			if e != http.ErrAbortHandler { //nolint:errorlint // panics carry it unwrapped
				panic(e)
			}
			response, err = nil, io.ErrUnexpectedEOF
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	response = w.Result()
	response.Request = r
	return response, nil
}

// clients are an authenticated user's.
type clients struct {
	provider *gophercloud.ProviderClient
	project  string
}

func signIn(ctx context.Context, sim *simulator.Simulator, user, password, project string) (*clients, error) {
	provider, err := openstack.NewClient(host + "/identity/v3/")
	if err != nil {
		return nil, err
	}
	provider.HTTPClient = http.Client{Transport: inProcess{sim.Handler()}}
	err = openstack.AuthenticateV3(ctx, provider, &gophercloud.AuthOptions{
		IdentityEndpoint: host + "/identity/v3/", Username: user, Password: password, DomainID: "default",
		Scope: &gophercloud.AuthScope{ProjectID: project}, AllowReauth: true,
	}, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, fmt.Errorf("signing in: %w", err)
	}
	return &clients{provider, project}, nil
}

// Orchestration implements heatstack.OrchestrationClients.
func (c *clients) Orchestration(context.Context) (*gophercloud.ServiceClient, error) {
	return &gophercloud.ServiceClient{ProviderClient: c.provider, Endpoint: host + "/orchestration/v1/" + c.project + "/", Type: "orchestration"}, nil
}

// Compute implements heatstack.ComputeClients.
func (c *clients) Compute(context.Context) (*gophercloud.ServiceClient, error) {
	return &gophercloud.ServiceClient{ProviderClient: c.provider, Endpoint: host + "/compute/v2.1/", Type: "compute"}, nil
}
