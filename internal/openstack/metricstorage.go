package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2"
)

// MetricStorage returns a client of Aetos, which lets users of Keystone ask Prometheus. Ask for it every time, as for
// Orchestration.
func (s *Session) MetricStorage(ctx context.Context) (*gophercloud.ServiceClient, error) {
	client, err := s.client(ctx, "metric-storage")
	if err != nil {
		return nil, err
	}
	// As in gophercloud's NewMetricV1, which would ask the service for its versions; Aetos has none to tell.
	client.ResourceBase = client.Endpoint + "api/v1/"
	return client, nil
}
