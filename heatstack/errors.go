package heatstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
)

// errBadAnswer is wrapped by errors about an answer that could not be understood: half a body, HTML where JSON belongs.
var errBadAnswer = errors.New("the cloud's answer can't be understood")

// statusCode is the HTTP status that the cloud answered with; false if err is not such an answer.
func statusCode(err error) (int, bool) {
	var answer gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &answer) {
		return answer.Actual, true
	}
	return 0, false
}

func hasStatus(err error, codes ...int) bool {
	got, ok := statusCode(err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if got == code {
			return true
		}
	}
	return false
}

// isNotFound: the cloud says that there is no such thing. A service that is missing in the catalogue is not that.
func isNotFound(err error) bool { return hasStatus(err, http.StatusNotFound) }

// isConflict: 409, from Heat's classic engine when an action is running.
func isConflict(err error) bool { return hasStatus(err, http.StatusConflict) }

// isRefused: the cloud understood the request and will never do it as it is (400, 401, 403, 404, 405, 406). Nothing was changed.
func isRefused(err error) bool {
	return hasStatus(err, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusNotAcceptable)
}

// isRateLimited: 429 or 413, nothing was done and a later try may be.
func isRateLimited(err error) bool {
	return hasStatus(err, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge)
}

// isUnknownOutcome: after this error of a write nobody knows whether the cloud has done it: no answer, or a 5xx.
func isUnknownOutcome(err error) bool {
	if err == nil {
		return false
	}
	code, ok := statusCode(err)
	return !ok || code >= http.StatusInternalServerError
}

// isTimeout: the cloud did not answer in time.
func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

// wrapAnswer marks an error that comes from reading a successful answer: what the cloud sent was cut off or no JSON.
func wrapAnswer(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &wrongType) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errBadAnswer, err)
	}
	return err
}
