package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	// maxErrorBody bounds what is kept of the body of a failure. A gateway's page can be long, and it goes into logs.
	maxErrorBody = 64 << 10
	// shortestSecret is the length below which a value is not looked for: it would be found everywhere.
	shortestSecret = 4
	hidden         = "******"
)

// discreet removes credentials from the bodies of failures. gophercloud puts those bodies into its errors, and a service,
// or a proxy before it, may well repeat what it was sent.
type discreet struct {
	next    http.RoundTripper
	secrets []string
}

type secretKey struct{}

// secretValue can't be printed by whoever prints the context: only fields of a type with a String method show there.
type secretValue struct{ text string }

func (secretValue) String() string { return hidden }

// WithSecret makes requests with this context hide a secret that they send, whatever part of the answer repeats it: Heat
// quotes the value of a parameter that it refuses, also of a hidden one.
func WithSecret(ctx context.Context, secret string) context.Context {
	return context.WithValue(ctx, secretKey{}, secretValue{secret})
}

func (t *discreet) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	closeErr := resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if closeErr != nil {
		return nil, closeErr
	}
	sent, _ := req.Context().Value(secretKey{}).(secretValue)
	for _, secret := range append([]string{req.Header.Get("X-Auth-Token"), req.Header.Get("X-Subject-Token"), sent.text}, t.secrets...) {
		body = hide(body, secret)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// hide replaces a secret, as it is and as JSON, HTML and forms write it.
func hide(body []byte, secret string) []byte {
	if len(secret) < shortestSecret {
		return body
	}
	for _, form := range []string{secret, quoted(secret, false), quoted(secret, true), html.EscapeString(secret), url.QueryEscape(secret)} {
		body = bytes.ReplaceAll(body, []byte(form), []byte(hidden))
	}
	return body
}

// quoted is a text as it is inside a JSON string. Go's encoder also escapes <, > and &, most others don't.
func quoted(text string, escapeHTML bool) string {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(escapeHTML)
	if encoder.Encode(text) != nil {
		return text
	}
	return strings.TrimSuffix(buffer.String(), "\n")[1 : buffer.Len()-2]
}
