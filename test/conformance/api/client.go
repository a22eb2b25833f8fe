package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Services of the catalog, by type.
const (
	Identity      = "identity"
	Orchestration = "orchestration"
	Compute       = "compute"
	Metric        = "metric"
)

// Microversion is the version of Nova's API that is asked for: the newest of OpenStack Zed.
const Microversion = "2.93"

// Credentials sign in: an application credential if its id is set, otherwise a user by password in a project. All in the
// domain Default.
type Credentials struct {
	User, Password, Project                              string
	ApplicationCredentialID, ApplicationCredentialSecret string
}

// Client is signed in to one project. It is safe for concurrent use.
type Client struct {
	// Token, ProjectID and UserID are what Keystone gave.
	Token, ProjectID, UserID string
	// Accept is the header of that name; none is sent if it is empty.
	Accept string

	endpoints map[string]string
	http      *http.Client
}

// Response is an answer, read completely.
type Response struct {
	Code   int
	Header http.Header
	Body   []byte
}

// JSON decodes the body.
func (r *Response) JSON(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fmt.Errorf("answer %d is not the JSON that was expected: %w: %.300s", r.Code, err, r.Body)
	}
	return nil
}

// Login signs in at Keystone's address, which ends in /v3.
func Login(ctx context.Context, authURL string, who Credentials) (*Client, error) {
	c := &Client{Accept: "application/json", endpoints: map[string]string{Identity: strings.TrimSuffix(authURL, "/")}, http: &http.Client{
		Timeout: 90 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
	answer, err := c.Do(ctx, http.MethodPost, Identity, "/auth/tokens", map[string]any{"auth": authentication(who)})
	if err != nil {
		return nil, err
	}
	if answer.Code != http.StatusCreated {
		return nil, fmt.Errorf("signing in as %q: %d: %.300s", who.User, answer.Code, answer.Body)
	}
	var body struct {
		Token struct {
			Project struct {
				ID string `json:"id"`
			} `json:"project"`
			User struct {
				ID string `json:"id"`
			} `json:"user"`
			Catalog []struct {
				Type      string `json:"type"`
				Endpoints []struct {
					Interface string `json:"interface"`
					URL       string `json:"url"`
				} `json:"endpoints"`
			} `json:"catalog"`
		} `json:"token"`
	}
	if err := answer.JSON(&body); err != nil {
		return nil, err
	}
	c.Token = answer.Header.Get("X-Subject-Token")
	c.ProjectID, c.UserID = body.Token.Project.ID, body.Token.User.ID
	for _, service := range body.Token.Catalog {
		for _, endpoint := range service.Endpoints {
			if endpoint.Interface == "public" && service.Type != Identity {
				c.endpoints[service.Type] = strings.TrimSuffix(endpoint.URL, "/")
			}
		}
	}
	return c, nil
}

func authentication(who Credentials) map[string]any {
	domain := map[string]any{"name": "Default"}
	if who.ApplicationCredentialID != "" {
		return map[string]any{"identity": map[string]any{
			"methods": []string{"application_credential"},
			"application_credential": map[string]any{
				"id": who.ApplicationCredentialID, "secret": who.ApplicationCredentialSecret,
			},
		}}
	}
	return map[string]any{
		"identity": map[string]any{
			"methods":  []string{"password"},
			"password": map[string]any{"user": map[string]any{"name": who.User, "password": who.Password, "domain": domain}},
		},
		"scope": map[string]any{"project": map[string]any{"name": who.Project, "domain": domain}},
	}
}

// WithToken is the same client with another token.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.Token = token
	return &other
}

// Endpoint is a service's address as the catalog has it, without a final slash; empty if it is not there.
func (c *Client) Endpoint(service string) string { return c.endpoints[service] }

// Do sends a request to a service, body as JSON unless it is nil. An error means that there was no answer; a refusal is
// an answer.
func (c *Client) Do(ctx context.Context, method, service, path string, body any) (*Response, error) {
	base, ok := c.endpoints[service]
	if !ok {
		return nil, fmt.Errorf("the catalog has no public endpoint of type %q", service)
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("request body: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, content)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.Accept != "" {
		request.Header.Set("Accept", c.Accept)
	}
	if c.Token != "" {
		request.Header.Set("X-Auth-Token", c.Token)
	}
	if service == Compute {
		request.Header.Set("X-OpenStack-Nova-API-Version", Microversion)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: answer broken off: %w", method, path, err)
	}
	return &Response{Code: answer.StatusCode, Header: answer.Header, Body: text}, nil
}
