package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// wanted is a service and what it is for.
type wanted struct{ service, called, why string }

func services(needs access.Needs) []wanted {
	list := []wanted{
		{"orchestration", "Heat", "stacks are read and changed there"},
		{"compute", "Nova", "servers are read there"},
		{"image", "Glance", "Heat looks up images there"},
		{"network", "Neutron", "Heat looks up networks there"},
	}
	for _, more := range []struct {
		wanted
		needed bool
	}{
		{wanted{"volumev3", "Cinder", "a node group's stacks use volumes"}, needs.Volumes},
		{wanted{"load-balancer", "Octavia", "a node group's stacks use load balancers"}, needs.LoadBalancers},
		{wanted{"metric", "Gnocchi", "the load of node groups is read there"}, needs.Gnocchi},
		{wanted{"metric-storage", "Aetos", "the load of node groups is read there"}, needs.Aetos},
	} {
		if more.needed {
			list = append(list, more.wanted)
		}
	}
	return list
}

func checkEndpoints(ctx context.Context, w *World, f *findings) {
	facts := w.Session.Facts()
	needs, unknown := w.needs(ctx)
	unknown.skip(f)
	for _, s := range services(needs) {
		client, err := w.Session.Service(ctx, s.service)
		if err != nil {
			remedy := "check region and interface"
			if where := elsewhere(facts, s.service); where != "" {
				remedy = "set region and interface to one that the catalog has: " + where
			}
			f.fail(s.called, remedy, "the catalog has no %s endpoint of %q in region %s, and %s", facts.Interface, s.service, facts.Region, s.why)
			continue
		}
		version, code, err := askVersion(ctx, client)
		switch {
		case err != nil:
			f.fail(s.called, "see whether this machine can reach it, and whether the service runs; the autoscaler's own pod may have another way", "%s does not answer: %s",
				client.Endpoint, openstack.Message(err))
		case code >= http.StatusBadRequest && code != http.StatusUnauthorized && code != http.StatusForbidden:
			f.warn(s.called, "see the check access; if its requests fail, have the catalog's address corrected", "%s in region %s: something answers, but it has no versions to tell (HTTP %d)",
				client.Endpoint, facts.Region, code)
		default:
			f.ok(s.called, "%s in region %s, %s", client.Endpoint, facts.Region, version)
		}
	}
}

// elsewhere says where the catalog has a service.
func elsewhere(facts openstack.Facts, service string) string {
	places := map[string]bool{}
	for _, e := range facts.Endpoints {
		if e.Type == service {
			places[fmt.Sprintf("%s (%s)", e.Region, e.Interface)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(places)), ", ")
}

var versionPart = regexp.MustCompile(`/v[0-9]+(\.[0-9]+)?(/.*)?$`)

// askVersion asks a service for its versions, without a token: every service tells them to everybody. What is not understood is
// still an answer.
func askVersion(ctx context.Context, client *gophercloud.ServiceClient) (version string, code int, err error) {
	u, err := url.Parse(client.Endpoint)
	if err != nil {
		return "", 0, err
	}
	u.Path = versionPart.ReplaceAllString(u.Path, "/")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return "", 0, err
	}
	answer, err := client.ProviderClient.HTTPClient.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= http.StatusInternalServerError {
		return "", 0, fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return "", 0, err
	}
	return newest(body), answer.StatusCode, nil
}

// newest is the newest version in a list of versions.
func newest(body []byte) string {
	type row struct {
		ID, Status, Version string
		MaxMicroversion     string `json:"max_version"`
	}
	var list struct{ Versions []row }
	if json.Unmarshal(body, &list) != nil {
		return "version not told"
	}
	best := ""
	for _, v := range list.Versions {
		text := v.ID
		if v.Version != "" {
			text += ", up to " + v.Version
		}
		if best == "" || strings.EqualFold(v.Status, "CURRENT") {
			best = text
		}
	}
	if best == "" {
		return "version not told"
	}
	return "API " + best
}
