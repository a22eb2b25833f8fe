package openstack

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
)

// StatusCode returns the HTTP status of an answer that was refused; ok is false if err is not about an answer.
//
// A refusal to sign in, or to renew a token, is 401 whatever Keystone says: it answers 404 for an application credential
// that was deleted, and nobody may take that for a stack or server that is gone.
func StatusCode(err error) (code int, ok bool) {
	refusal, ok := response(err)
	return refusal.Actual, ok
}

// response finds the refused answer inside an error.
func response(err error) (gophercloud.ErrUnexpectedResponseCode, bool) {
	var signIn *signInError
	if errors.As(err, &signIn) {
		return loginResponse(signIn.cause)
	}
	// gophercloud's error about a renewal does not unwrap, because it holds two errors.
	var renewal *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &renewal) {
		return loginResponse(renewal.ErrReauth)
	}
	var value gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &value) {
		return value, true
	}
	var pointer *gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &pointer) {
		return *pointer, true
	}
	return value, false
}

// loginResponse is Keystone's refusal with the status that it should have.
func loginResponse(err error) (gophercloud.ErrUnexpectedResponseCode, bool) {
	refusal, ok := response(err)
	switch refusal.Actual {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusConflict:
		refusal.Actual = http.StatusUnauthorized
	}
	return refusal, ok
}

func hasCode(err error, codes ...int) bool {
	actual, ok := StatusCode(err)
	return ok && slices.Contains(codes, actual)
}

// IsNotFound tells that the thing asked for is not there.
func IsNotFound(err error) bool { return hasCode(err, http.StatusNotFound, http.StatusGone) }

// IsConflict tells that the thing is in a state that does not allow the request now.
func IsConflict(err error) bool { return hasCode(err, http.StatusConflict) }

// IsUnauthorized tells that the token, or the credentials when it was to be renewed, were refused. Keystone's middleware
// also answers so to an application credential whose access rules don't cover the request.
func IsUnauthorized(err error) bool { return hasCode(err, http.StatusUnauthorized) }

// IsForbidden tells that the user may not do this. Nova says so of an exceeded quota too.
func IsForbidden(err error) bool { return hasCode(err, http.StatusForbidden) }

// IsRateLimited tells that the request was not carried out because there were too many.
func IsRateLimited(err error) bool {
	if errors.Is(err, errThrottled) {
		return true
	}
	refusal, ok := response(err)
	if !ok {
		return false
	}
	return refusal.Actual == http.StatusTooManyRequests ||
		refusal.Actual == http.StatusRequestEntityTooLarge && refusal.ResponseHeader.Get("Retry-After") != ""
}

// IsUnavailable tells that the service did not answer, or not completely, or that a gateway answered for it. Whether a
// request that changes something was carried out is not known then. A certificate that is not trusted is not meant: that
// does not pass by itself.
func IsUnavailable(err error) bool {
	if err == nil || errors.Is(err, errThrottled) || errors.Is(err, context.Canceled) {
		return false
	}
	var renewal *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &renewal) {
		return IsUnavailable(renewal.ErrReauth)
	}
	if _, ok := StatusCode(err); ok {
		return hasCode(err, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	}
	var file *fs.PathError // a missing credentials file; its syscall.Errno looks like a net.Error
	if untrusted(err) || errors.As(err, &file) {
		return false
	}
	var network net.Error // *url.Error is one
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func untrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// explainSignIn says who could not sign in where, and what to do about it.
func explainSignIn(l *login, err error) error {
	problem := fmt.Sprintf("user %q cannot sign in at %s", l.user(), l.authURL)
	if l.usesApplicationCredential() {
		problem = fmt.Sprintf("application credential %q cannot sign in at %s", l.user(), l.authURL)
	}
	remedy := "check that the address is right and can be reached from here"
	switch {
	case IsRateLimited(err):
		remedy = "the identity service has too much to do, or this user signs in too often"
	case untrusted(err):
		remedy = "give the certificate of the cloud's authority as ca-file (cacert, OS_CACERT)"
	case l.usesApplicationCredential() && hasCode(err, http.StatusUnauthorized, http.StatusNotFound):
		// Keystone says 404 when there is no such application credential.
		remedy = "check its id and secret, and that it has not expired or been deleted"
	case IsUnauthorized(err):
		remedy = "check user, password, domain and project"
	case IsNotFound(err):
		remedy = "check auth-url: there is no identity API version 3 at this address"
	}
	said := strings.TrimSuffix(Message(err), ".")
	return &signInError{text: fmt.Sprintf("OpenStack credentials from %s: %s: %s; %s", l.source, problem, said, remedy), cause: err}
}

// signInError keeps the cause for the functions above, but says it in the cloud's words only.
type signInError struct {
	text  string
	cause error
}

func (e *signInError) Error() string { return e.text }
func (e *signInError) Unwrap() error { return e.cause }
