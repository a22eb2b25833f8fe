package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// secretValue is not shown by whoever prints the context.
type secretValue struct{ text string }

// Format implements fmt.Formatter.
func (*secretValue) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

func (*secretValue) String() string { return hidden }

// WithSecret makes requests with this context hide a secret that they send, whatever part of the answer repeats it: Heat
// quotes the value of a parameter that it refuses, also of a hidden one.
func WithSecret(ctx context.Context, secret string) context.Context {
	return context.WithValue(ctx, secretKey{}, &secretValue{secret})
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
	secrets := append([]string{req.Header.Get("X-Auth-Token"), req.Header.Get("X-Subject-Token")}, t.secrets...)
	if sent, ok := req.Context().Value(secretKey{}).(*secretValue); ok {
		secrets = append(secrets, sent.text)
	}
	for _, secret := range secrets {
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
