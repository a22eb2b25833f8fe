package gnocchi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
)

// query is the body of a request to /v1/aggregates.
type query struct {
	Operations string `json:"operations"`
	Search     any    `json:"search"`
	Type       string `json:"resource_type"`
}

// in is a search for resources with one of these values in an attribute.
func in(attribute string, values []string) any {
	return map[string]any{"in": map[string]any{attribute: values}}
}

// ask reads the metric of all machines. Machines that Gnocchi does not know are missing in the answer, and it is empty if it knows none.
func (s *Source) ask(ctx context.Context, r *reading) (*answer, error) {
	operations, err := r.operations()
	if err != nil {
		return nil, err
	}
	body := query{Operations: operations, Search: in(r.meter.machine, r.ids), Type: r.meter.kind}
	parameters := url.Values{}
	if r.meter.machine != "id" {
		// The resources come with the answer, which only so says to which server a disk or port belongs.
		parameters.Set("details", "true")
	}
	out := &answer{}
	err = s.post(ctx, r, parameters, body, out)
	return out, err
}

// post sends a request. Nothing that is found is an empty answer.
func (s *Source) post(ctx context.Context, r *reading, parameters url.Values, body query, into any) error {
	parameters.Set("start", moment(r.start()))
	parameters.Set("granularity", seconds(r.granularity))
	err := s.send(ctx, parameters, body, into)
	if r.Granularity == 0 && refusedFor(err, "Granularities are missing") {
		if found, ok := s.findGranularity(ctx, r, body); ok && found != r.granularity {
			r.granularity = found
			parameters.Set("start", moment(r.start()))
			parameters.Set("granularity", seconds(r.granularity))
			err = s.send(ctx, parameters, body, into)
		}
	}
	if err == nil || refusedFor(err, "Metrics not found") {
		return nil
	}
	return r.explain(err)
}

// send is the one request that this package makes. It is a plain one: gophercloud's utils know Gnocchi's metrics, measures and resources,
// but not its aggregates.
func (s *Source) send(ctx context.Context, parameters url.Values, body query, into any) error {
	client, err := s.clients.Metric(ctx)
	if err != nil {
		return err
	}
	base := client.ResourceBaseURL()
	if !strings.HasSuffix(base, "/v1/") {
		base += "v1/" // the catalog's address of Gnocchi has no version by convention, but some clouds add it
	}
	//nolint:bodyclose // gophercloud closes the body when it decodes it
	_, err = client.Post(ctx, base+"aggregates?"+parameters.Encode(), body, into, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return err
}

// findGranularity finds the finest granularity of at least a minute that the machines' metrics have in common, the finest one if all
// are finer. It is one more call, for one machine, and its result is kept.
func (s *Source) findGranularity(ctx context.Context, r *reading, body query) (time.Duration, bool) {
	best := time.Duration(0)
	for _, id := range r.ids[:min(len(r.ids), 3)] {
		body.Search = in(r.meter.machine, []string{id})
		out := &answer{}
		if s.send(ctx, url.Values{"start": {moment(r.Now.Add(-time.Hour).Truncate(time.Hour))}}, body, out) != nil {
			continue
		}
		for width := range out.widths() {
			switch {
			case best == 0, width >= time.Minute && (best < time.Minute || width < best), best < time.Minute && width < best:
				best = width
			}
		}
		if best > 0 {
			break
		}
	}
	if best == 0 {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granularities[r.meter.name] = best
	return best, true
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
