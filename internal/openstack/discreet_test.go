package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A secret that one request sends is hidden in the answer to this request.
func TestASecretOfARequestIsHiddenInItsRefusal(t *testing.T) {
	const secret = "abcdef.0123456789abcdef"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		quoted, _ := json.Marshal(string(sent))
		_, _ = fmt.Fprintf(w, `{"error": {"message": %s}}`, quoted)
	}))
	defer server.Close()
	s := NewSessionFromEndpoints("t", "p", "r", map[string]string{"orchestration": server.URL}, Options{})
	send := func(ctx context.Context) error {
		client, err := s.Orchestration(t.Context())
		require.NoError(t, err)
		_, err = client.Patch(ctx, client.ServiceURL("stacks"), map[string]any{"parameters": map[string]any{"token": secret}}, nil, &gophercloud.RequestOpts{})
		return err
	}
	require.Contains(t, Message(send(t.Context())), secret, "the test's cloud quotes what it gets")

	ctx := WithSecret(t.Context(), secret)
	err := send(ctx)
	require.Error(t, err)
	for _, text := range []string{Message(err), fmt.Sprintf("%v %+v %#v", err, err, err), fmt.Sprintf("%v %+v", ctx, ctx)} {
		assert.NotContains(t, text, secret)
	}
	assert.Contains(t, Message(err), "******")
}
