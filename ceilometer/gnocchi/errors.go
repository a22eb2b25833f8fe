package gnocchi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// refusedFor says whether Gnocchi refused a request with these words. They are in a JSON body or, from proxies and older
// releases, in one of HTML or plain text.
func refusedFor(err error, words string) bool {
	var refusal gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &refusal) {
		return false
	}
	return (refusal.Actual == http.StatusBadRequest || refusal.Actual == http.StatusNotFound) && strings.Contains(string(refusal.Body), words)
}

// readError keeps the cause for those who ask what kind of error it is, and says only what helps. Gnocchi names every machine
// in a refusal.
type readError struct {
	text  string
	cause error
}

func (e *readError) Error() string { return e.text }
func (e *readError) Unwrap() error { return e.cause }

// explain says what could not be read, why, and what to do about it.
func (r *reading) explain(err error) error {
	what := r.meter
	name := what.metric
	if what.expression != "" && !strings.Contains(name, what.expression) {
		name = fmt.Sprintf("%s (%s)", name, what.expression)
	}
	reason := openstack.Message(err)
	switch {
	case refusedFor(err, "unknown aggregation"):
		reason = "the archive policy of the metric does not keep what is asked for; Ceilometer's own, ceilometer-low-rate for meters that count up (cpu, bytes) and ceilometer-low for others, do"
		if what.method != "" {
			reason = fmt.Sprintf("the archive policy of the metric does not keep %s; use ceilometer-low-rate, or another with mean and rate:mean, in Ceilometer's gnocchi_resources.yaml", what.method)
		}
	case refusedFor(err, "Granularities are missing"):
		reason = fmt.Sprintf("the archive policy of the metric has no granularity of %s; set one that it has (load-granularity)", r.granularity)
	case refusedFor(err, "Resource type does not exist"):
		reason = fmt.Sprintf("Gnocchi has no resource type %s; ceilometer-upgrade makes it", what.kind)
	case refusedFor(err, "No granularity match"):
		reason = "the metrics' archive policies have no granularity in common"
	case what.expression != "" && (refusedFor(err, "Invalid operations") || refusedFor(err, "operation invalid") || refusedFor(err, "Invalid input")):
		reason = "the expression is no operation of Gnocchi's dynamic aggregates: " + reason
	case openstack.IsForbidden(err):
		reason = "the user may not search resources in Gnocchi (POST /v1/aggregates, policy \"search resource\"); an application credential with access rules needs that path of service metric: " + reason
	}
	return &readError{text: fmt.Sprintf("reading %s from Gnocchi: %s", name, reason), cause: err}
}
