package openstack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cloud is a Keystone that knows one user and one application credential, and a Heat whose answers a test writes.
type cloud struct {
	*httptest.Server
	// heat answers what is below /heat; the token has been checked.
	heat http.HandlerFunc

	mu       sync.Mutex
	password string
	secret   string
	token    string // the only one that is valid; "" refuses all
	logins   int
	keystone http.HandlerFunc // answers logins if set
	bodies   []string         // of logins
	regions  []string
}

func newCloud(t *testing.T, start func(http.Handler) *httptest.Server) *cloud {
	t.Helper()
	c := &cloud{password: "pa55word-of-demo", secret: "s3cret-of-credential", regions: []string{"RegionOne"}}
	c.heat = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"stacks":[]}`) }
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/auth/tokens", c.login)
	mux.HandleFunc("/heat/", c.checked(func(w http.ResponseWriter, r *http.Request) { c.heat(w, r) }))
	c.Server = start(mux)
	t.Cleanup(c.Close)
	return c
}

func plainCloud(t *testing.T) *cloud { return newCloud(t, httptest.NewServer) }

func (c *cloud) login(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins++
	body, _ := io.ReadAll(r.Body)
	c.bodies = append(c.bodies, string(body))
	if c.keystone != nil {
		c.keystone(w, r)
		return
	}
	var request struct {
		Auth struct {
			Identity struct {
				Password struct {
					User struct{ Password string }
				}
				ApplicationCredential struct{ ID, Secret string } `json:"application_credential"`
			}
		}
	}
	_ = json.Unmarshal(body, &request)
	identity := request.Auth.Identity
	switch {
	case identity.ApplicationCredential.ID == "deleted":
		answer(w, 404, `{"error":{"code":404,"message":"Could not find Application Credential: deleted.","title":"Not Found"}}`)
		return
	case identity.Password.User.Password != c.password && identity.ApplicationCredential.Secret != c.secret:
		answer(w, 401, `{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`)
		return
	}
	c.token = fmt.Sprintf("token-number-%d", c.logins)
	w.Header().Set("X-Subject-Token", c.token)
	var endpoints []map[string]string
	for _, region := range c.regions {
		for _, side := range []string{"public", "internal"} {
			endpoints = append(endpoints, map[string]string{"interface": side, "region": region, "region_id": region, "url": c.URL + "/heat/" + side + "/v1/project-1"})
		}
	}
	document, _ := json.Marshal(map[string]any{"token": map[string]any{
		"expires_at": "2099-01-01T00:00:00Z", "project": map[string]any{"id": "project-1", "name": "demo", "domain": map[string]string{"id": "default"}},
		"catalog": []map[string]any{{"type": "orchestration", "name": "heat", "endpoints": endpoints}},
	}})
	answer(w, 201, string(document))
}

// checked refuses every token but the valid one.
func (c *cloud) checked(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		valid := c.token != "" && r.Header.Get("X-Auth-Token") == c.token
		c.mu.Unlock()
		if !valid {
			answer(w, 401, `{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`)
			return
		}
		next(w, r)
	}
}

// expire makes the present token invalid.
func (c *cloud) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = ""
}

func (c *cloud) loginCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logins
}

func (c *cloud) set(change func(*cloud)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// conf writes a cloud.conf for the cloud, with more lines in [Global].
func (c *cloud) conf(t *testing.T, password string, more ...string) string {
	t.Helper()
	text := "[Global]\nauth-url=\"" + c.URL + "/v3\"\nusername=demo\nuser-domain-name=Default\ntenant-name=demo\npassword=" + password + "\n"
	for _, line := range more {
		text += line + "\n"
	}
	return file(t, filepath.Join(t.TempDir(), "cloud.conf"), text)
}

func file(t *testing.T, path, content string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// call is one request that an observer saw.
type call struct {
	service, method string
	code            int
}

type calls struct {
	mu   sync.Mutex
	seen []call
}

func (c *calls) Observe(service, method string, code int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if took < 0 {
		service = "negative duration"
	}
	c.seen = append(c.seen, call{service, method, code})
}

func (c *calls) take() []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

// clean unsets the OS_* variables of whoever runs the tests.
func clean(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_AUTH_URL", "OS_USERNAME", "OS_USER_ID", "OS_USERID", "OS_PASSWORD", "OS_PROJECT_ID", "OS_PROJECT_NAME",
		"OS_TENANT_ID", "OS_TENANT_NAME", "OS_USER_DOMAIN_ID", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID", "OS_PROJECT_DOMAIN_NAME",
		"OS_DOMAIN_ID", "OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN", "OS_DEFAULT_DOMAIN_ID", "OS_TRUST_ID", "OS_APPLICATION_CREDENTIAL_ID",
		"OS_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_REGION_NAME", "OS_INTERFACE", "OS_ENDPOINT_TYPE",
		"OS_CACERT", "OS_CERT", "OS_KEY", "OS_INSECURE",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
}
