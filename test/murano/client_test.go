//go:build lab

package murano_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
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

// oneImport: murano-api does not survive two imports at the same moment that write the same category and tags. One ends in a
// deadlock of the data base, from which the API's own way of writing tags does not recover (500, "SAVEPOINT does not exist").
var oneImport sync.Mutex

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
	oneImport.Lock()
	defer oneImport.Unlock()
	text := m.send(http.MethodPost, "/catalog/packages", "", parts.FormDataContentType(), &body)
	require.NoError(m.t, json.Unmarshal(text, &made))
	m.t.Cleanup(func() {
		oneImport.Lock()
		defer oneImport.Unlock()
		m.ask(http.MethodDelete, "/catalog/packages/"+made.ID, "", nil, nil)
	})
	return made.ID
}

// wait waits until done says so, for the time that a stack may take on a busy machine.
func (m *murano) wait(what string, done func() bool) {
	m.t.Helper()
	if !lab.Until(m.ctx, patience, done) {
		require.FailNow(m.t, "waited in vain for "+what)
	}
}
