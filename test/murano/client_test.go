package murano_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// applicationCatalog is Murano's type in Keystone's catalog.
const applicationCatalog = "application-catalog"

// client gives up before a wait does.
var client = &http.Client{Timeout: 90 * time.Second}

// murano speaks Murano's API, as https://docs.openstack.org/murano/latest/reference/rest-api describes it, in one project.
type murano struct {
	t   *testing.T
	ctx context.Context
	*api.Client
}

// in is the same for a subtest.
func (m *murano) in(t *testing.T) *murano { return &murano{t: t, ctx: m.ctx, Client: m.Client} }

// send sends a request and returns the answer's body. Every code but 200 fails the test. session may be empty.
func (m *murano) send(method, path, session, contentType string, body io.Reader) []byte {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.ctx, method, m.Endpoint(applicationCatalog)+"/v1"+path, body)
	require.NoError(m.t, err)
	request.Header.Set("X-Auth-Token", m.Token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if session != "" {
		request.Header.Set("X-Configuration-Session", session)
	}
	answer, err := client.Do(request)
	require.NoError(m.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(m.t, err)
	require.Equalf(m.t, http.StatusOK, answer.StatusCode, "%s %s: %.500s", method, path, text)
	return text
}

// ask sends JSON and reads JSON, both unless nil.
func (m *murano) ask(method, path, session string, body, into any) {
	m.t.Helper()
	var content io.Reader
	contentType := ""
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(m.t, err)
		content, contentType = bytes.NewReader(text), "application/json"
	}
	text := m.send(method, path, session, contentType, content)
	if into != nil {
		require.NoErrorf(m.t, json.Unmarshal(text, into), "%s %s: %.300s", method, path, text)
	}
}

// importPackage uploads a package for this project only, and has it deleted when the test ends. It returns its id.
func (m *murano) importPackage(archive []byte) string {
	m.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, part := range []struct {
		name, kind string
		content    []byte
	}{
		{"about", "application/json", []byte(`{"is_public": false, "categories": ["Application Servers"], "tags": []}`)},
		{"package.zip", "application/zip", archive},
	} {
		w, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, part.name, part.name)},
			"Content-Type":        {part.kind},
		})
		require.NoError(m.t, err)
		_, err = w.Write(part.content)
		require.NoError(m.t, err)
	}
	require.NoError(m.t, parts.Close())
	var made struct {
		ID string `json:"id"`
	}
	text := m.send(http.MethodPost, "/catalog/packages", "", parts.FormDataContentType(), &body)
	require.NoError(m.t, json.Unmarshal(text, &made))
	m.t.Cleanup(func() { m.ask(http.MethodDelete, "/catalog/packages/"+made.ID, "", nil, nil) })
	return made.ID
}

// environment is a Murano environment with one application.
type environment struct {
	*murano
	id string
	// session is the first one, in which the application was added; empty after the first deployment.
	session string
}

// application is an object of Murano's object model.
type application map[string]any

// parameters are the application's parameters that everybody may see.
func (a application) parameters() map[string]any { return a.part("templateParameters") }

// hidden are those that nobody may.
func (a application) hidden() map[string]any { return a.part("hiddenParameters") }

func (a application) part(name string) map[string]any {
	part, ok := a[name].(map[string]any)
	if !ok {
		part = map[string]any{}
		a[name] = part
	}
	return part
}

// newApplication is an application of a class, not deployed yet. Without hidden parameters it has none of that property either.
func newApplication(class, name string, parameters, hidden map[string]any) application {
	app := application{
		"?": map[string]any{
			"type": class, "package": class, "classVersion": "1.0.0", "id": fmt.Sprintf("%032x", time.Now().UnixNano()),
		},
		"name": name, "templateParameters": maps.Clone(parameters),
	}
	if hidden != nil {
		app["hiddenParameters"] = maps.Clone(hidden)
	}
	return app
}

// newEnvironment makes an environment with an application in it, not deployed yet.
func (m *murano) newEnvironment(name string, app application) *environment {
	m.t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	m.ask(http.MethodPost, "/environments", "", map[string]any{"name": name}, &made)
	e := &environment{murano: m, id: made.ID}
	e.session = e.configure()
	m.ask(http.MethodPost, "/environments/"+e.id+"/services", e.session, app, nil)
	return e
}

// configure opens a session for changes, which the next deploy ends.
func (e *environment) configure() (session string) {
	e.t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	e.ask(http.MethodPost, "/environments/"+e.id+"/configure", "", nil, &made)
	return made.ID
}

// deploy deploys the environment, after a change unless that is nil, and returns the status that it has in the end.
func (e *environment) deploy(change func(application)) (status string) {
	e.t.Helper()
	session := e.session
	if e.session = ""; session == "" {
		session = e.configure()
	}
	if change != nil {
		apps := e.applications()
		require.Len(e.t, apps, 1)
		change(apps[0])
		e.ask(http.MethodPut, "/environments/"+e.id+"/services", session, apps, nil)
	}
	e.ask(http.MethodPost, "/environments/"+e.id+"/sessions/"+session+"/deploy", "", nil, nil)
	e.wait("the deployment to end", func() bool {
		var state struct {
			Status string `json:"status"`
		}
		e.ask(http.MethodGet, "/environments/"+e.id, "", nil, &state)
		status = state.Status
		return status != "deploying" && status != "pending"
	})
	return status
}

// applications are the environment's applications as they were deployed last.
func (e *environment) applications() (apps []application) {
	e.t.Helper()
	e.ask(http.MethodGet, "/environments/"+e.id+"/services", "", nil, &apps)
	return apps
}

// reasons are what the deployments said when they failed, for messages.
func (e *environment) reasons() string {
	e.t.Helper()
	var answer struct {
		Deployments []struct {
			Result struct {
				Result struct {
					Message string `json:"message"`
				} `json:"result"`
			} `json:"result"`
		} `json:"deployments"`
	}
	e.ask(http.MethodGet, "/environments/"+e.id+"/deployments", "", nil, &answer)
	var messages []string
	for _, deployment := range answer.Deployments {
		if message := deployment.Result.Result.Message; message != "" {
			messages = append(messages, message)
		}
	}
	return strings.Join(messages, "; ")
}

// delete deletes the environment and waits until it is gone.
func (e *environment) delete() {
	e.t.Helper()
	e.ask(http.MethodDelete, "/environments/"+e.id, "", nil, nil)
	e.wait("the environment to go", func() bool {
		var all struct {
			Environments []struct {
				ID string `json:"id"`
			} `json:"environments"`
		}
		e.ask(http.MethodGet, "/environments", "", nil, &all)
		for _, other := range all.Environments {
			if other.ID == e.id {
				return false
			}
		}
		return true
	})
}

// wait waits until done says so, for the time that a stack may take on a busy machine.
func (m *murano) wait(what string, done func() bool) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.FailNow(m.t, "waited in vain for "+what)
		}
	}
}
