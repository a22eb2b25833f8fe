package heatstack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// errBadAnswer is wrapped by errors about an answer that could not be understood: half a body, HTML where JSON belongs.
var errBadAnswer = errors.New("the cloud's answer can't be understood")

func hasStatus(err error, codes ...int) bool {
	got, ok := openstack.StatusCode(err)
	return ok && slices.Contains(codes, got)
}

// isNotFound: the cloud says that there is no such thing. A service that is missing in the catalogue is not that.
func isNotFound(err error) bool { return openstack.IsNotFound(err) }

// What Nova and Heat say, each in a 404 of its own (nova/api/openstack/wsgi.py, Fault; heat/api/middleware/fault.py).
const (
	novaHasNone = `"itemNotFound"`
	heatHasNone = `"EntityNotFound"`
)

// saysNone tells a service's own 404 from that of a proxy whose backend is away, or of an endpoint with a wrong path.
func saysNone(err error, words string) bool {
	var answer gophercloud.ErrUnexpectedResponseCode
	return isNotFound(err) && errors.As(err, &answer) && answer.Actual == http.StatusNotFound && bytes.Contains(answer.Body, []byte(words))
}

// onlyIfNone makes a 404 that is not the service's own an answer that can't be understood: it must not pass for a server or stack
// that is gone.
func onlyIfNone(err error, words string) error {
	if isNotFound(err) && !saysNone(err, words) {
		return fmt.Errorf("%w: a 404 that is not the service's own: %s", errBadAnswer, openstack.Message(err))
	}
	return err
}

// isConflict: 409, from Heat's classic engine when an action is running.
func isConflict(err error) bool { return openstack.IsConflict(err) }

// isRefused: the cloud understood the request and will never do it as it is (400, 401, 403, 404, 405, 406). Nothing was changed.
func isRefused(err error) bool {
	return hasStatus(err, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusNotAcceptable)
}

// isRateLimited: nothing was done because there were too many requests; a later try may succeed.
func isRateLimited(err error) bool { return openstack.IsRateLimited(err) }

// isUnknownOutcome: after this error of a write nobody knows whether the cloud has done it: no answer, or a 5xx.
func isUnknownOutcome(err error) bool {
	if err == nil || isRateLimited(err) {
		return false
	}
	code, ok := openstack.StatusCode(err)
	return !ok || code >= http.StatusInternalServerError
}

// mayArriveLate: after this error of a write the request may still be on its way to the service, behind a gateway or in its own
// queue. Without a connection, and after a 503, it never got there.
func mayArriveLate(err error) bool {
	var connection *net.OpError
	if errors.As(err, &connection) && connection.Op == "dial" {
		return false
	}
	return isUnknownOutcome(err) && !hasStatus(err, http.StatusServiceUnavailable)
}

// wrapAnswer marks an error that comes from reading a successful answer: what the cloud sent was cut off or no JSON.
func wrapAnswer(err error) error {
	var noAnswer *url.Error
	if errors.As(err, &noAnswer) {
		return err
	}
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &wrongType) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errBadAnswer, err)
	}
	return err
}
