package openstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"
)

func refusal(code int, body string) gophercloud.ErrUnexpectedResponseCode {
	return gophercloud.ErrUnexpectedResponseCode{Actual: code, Body: []byte(body), ResponseHeader: http.Header{}}
}

func TestKindsOfErrors(t *testing.T) {
	tooLarge := refusal(413, "")
	tooLarge.ResponseHeader.Set("Retry-After", "3")
	pointer := refusal(404, "")
	network := &url.Error{Op: "Get", URL: "http://h/", Err: errors.New("connection refused")}
	kinds := map[string]func(error) bool{
		"not found": IsNotFound, "conflict": IsConflict, "unauthorized": IsUnauthorized, "forbidden": IsForbidden,
		"rate limited": IsRateLimited, "unavailable": IsUnavailable,
	}
	tests := map[string]struct {
		err  error
		kind string
	}{
		"nil":                      {nil, ""},
		"404":                      {refusal(404, ""), "not found"},
		"404 as a pointer":         {&pointer, "not found"},
		"404 wrapped":              {fmt.Errorf("reading: %w", refusal(404, "")), "not found"},
		"404 after renewal":        {&gophercloud.ErrErrorAfterReauthentication{ErrOriginal: refusal(404, "")}, "not found"},
		"404 of a renewal":         {&gophercloud.ErrUnableToReauthenticate{ErrOriginal: refusal(401, ""), ErrReauth: refusal(404, "")}, "unauthorized"},
		"403 of a renewal":         {&gophercloud.ErrUnableToReauthenticate{ErrOriginal: refusal(401, ""), ErrReauth: refusal(403, "")}, "unauthorized"},
		"429 of a renewal":         {&gophercloud.ErrUnableToReauthenticate{ErrOriginal: refusal(401, ""), ErrReauth: refusal(429, "")}, "rate limited"},
		"no answer to a renewal":   {&gophercloud.ErrUnableToReauthenticate{ErrOriginal: refusal(401, ""), ErrReauth: network}, "unavailable"},
		"409":                      {refusal(409, ""), "conflict"},
		"401":                      {refusal(401, ""), "unauthorized"},
		"403":                      {refusal(403, ""), "forbidden"},
		"429":                      {refusal(429, ""), "rate limited"},
		"413 with Retry-After":     {tooLarge, "rate limited"},
		"413":                      {refusal(413, ""), ""},
		"our own limit":            {fmt.Errorf("x: %w", errThrottled), "rate limited"},
		"503":                      {refusal(503, ""), "unavailable"},
		"502":                      {refusal(502, ""), "unavailable"},
		"504":                      {refusal(504, ""), "unavailable"},
		"500 may be anything":      {refusal(500, ""), ""},
		"400":                      {refusal(400, ""), ""},
		"no connection":            {network, "unavailable"},
		"timeout":                  {context.DeadlineExceeded, "unavailable"},
		"half an answer":           {io.ErrUnexpectedEOF, "unavailable"},
		"given up by the caller":   {context.Canceled, ""},
		"given up in a request":    {&url.Error{Op: "Get", Err: context.Canceled}, ""},
		"an error of something":    {errors.New("else"), ""},
		"sign-in refused with 404": {&signInError{cause: refusal(404, "")}, "unauthorized"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for kind, is := range kinds {
				assert.Equal(t, kind == test.kind, is(test.err), kind)
			}
		})
	}
}

func TestStatusCode(t *testing.T) {
	code, ok := StatusCode(fmt.Errorf("x: %w", refusal(418, "")))
	assert.True(t, ok)
	assert.Equal(t, 418, code)
	_, ok = StatusCode(errors.New("no answer"))
	assert.False(t, ok)
}

// The bodies are what a real OpenStack Zed answered.
func TestMessage(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"keystone":      {`{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`, "The request you have made requires authentication."},
		"heat":          {`{"code":404,"title":"Not Found","explanation":"The resource could not be found.<br /><br />\n\n\n","error":{"type":"EntityNotFound","traceback":null,"message":"The Stack (raw) could not be found."}}`, "The Stack (raw) could not be found."},
		"heat, plain":   {`{"explanation":"The server has either erred.","code":500,"error":{"message":"","type":"RemoteError"},"title":"Internal Server Error"}`, "The server has either erred."},
		"nova":          {`{"itemNotFound":{"code":404,"message":"Instance xx could not be found."}}`, "Instance xx could not be found."},
		"nova quota":    {`{"forbidden":{"code":403,"message":"Quota exceeded for instances: Requested 1, but already used 6 of 6 instances"}}`, "Quota exceeded for instances: Requested 1, but already used 6 of 6 instances"},
		"neutron":       {`{"NeutronError":{"type":"NetworkNotFound","message":"Network n could not be found.","detail":""}}`, "Network n could not be found."},
		"gnocchi":       {`{"code":404,"title":"Not Found","description":{"cause":"Metrics not found","detail":["cpu"]}}`, "cpu"},
		"glance":        {"<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  No image found with ID xx&lt;br /&gt;&lt;br /&gt;\n\n\n\n </body>\n</html>", "404 Not Found No image found with ID xx"},
		"proxy":         {"<html><head><style>p {}</style></head><body><h1>503 Service Unavailable</h1>\nNo server is available.\n</body></html>", "503 Service Unavailable No server is available."},
		"plain text":    {"  rate   limit\nexceeded ", "rate limit exceeded"},
		"nothing":       {"", "I'm a teapot"},
		"a JSON number": {"7", "I'm a teapot"},
		"an empty list": {"[]", "I'm a teapot"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, Message(fmt.Errorf("x: %w", refusal(418, test.body))))
		})
	}
	assert.Empty(t, Message(nil))
	assert.Equal(t, "no connection", Message(errors.New("no\n connection")))
}
