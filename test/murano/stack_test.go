//go:build lab

package murano_test

import (
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// stack is a Heat stack as a listing shows it.
type stack struct {
	ID      string `json:"id"`
	Name    string `json:"stack_name"`
	Status  string `json:"stack_status"`
	Reason  string `json:"stack_status_reason"`
	Updated string `json:"updated_time"`
}

func (s stack) path() string { return "/stacks/" + s.Name + "/" + s.ID }

// heat sends a request to Heat and requires the code.
func (m *murano) heat(method, path string, body, into any, code int) {
	m.t.Helper()
	answer, err := m.Do(m.ctx, method, api.Orchestration, path, body)
	require.NoError(m.t, err)
	require.Equalf(m.t, code, answer.Code, "%s %s: %.500s", method, path, answer.Body)
	if into != nil {
		require.NoError(m.t, answer.JSON(into))
	}
}

// autoscaler is the same project with the credential that the autoscaler has: an application credential of the same user.
func (m *murano) autoscaler() *murano {
	m.t.Helper()
	path := "/users/" + m.UserID + "/application_credentials"
	body := map[string]any{"application_credential": map[string]any{"name": m.ProjectID}}
	answer, err := m.Do(m.ctx, http.MethodPost, api.Identity, path, body)
	require.NoError(m.t, err)
	require.Equal(m.t, http.StatusCreated, answer.Code)
	var made struct {
		Credential struct{ ID, Secret string } `json:"application_credential"`
	}
	require.NoError(m.t, answer.JSON(&made))
	m.t.Cleanup(func() {
		gone, err := m.Do(m.ctx, http.MethodDelete, api.Identity, path+"/"+made.Credential.ID, nil)
		require.NoError(m.t, err)
		require.Equal(m.t, http.StatusNoContent, gone.Code)
	})
	who := api.Credentials{ApplicationCredentialID: made.Credential.ID, ApplicationCredentialSecret: made.Credential.Secret}
	client, err := api.Login(m.ctx, m.Endpoint(api.Identity), who)
	require.NoError(m.t, err)
	return &murano{t: m.t, ctx: m.ctx, Client: client}
}

// stacks are the project's stacks whose names contain part.
func (m *murano) stacks(part string) (found []stack) {
	m.t.Helper()
	var all struct {
		Stacks []stack `json:"stacks"`
	}
	m.heat(http.MethodGet, "/stacks", nil, &all, http.StatusOK)
	for _, s := range all.Stacks {
		if strings.Contains(s.Name, part) {
			found = append(found, s)
		}
	}
	return found
}

// theStack is the only stack whose name contains part.
func (m *murano) theStack(part string) stack {
	m.t.Helper()
	found := m.stacks(part)
	require.Lenf(m.t, found, 1, "stacks with %q in their names", part)
	return found[0]
}

// parameters are a stack's parameters, as strings.
func (m *murano) parameters(s stack) map[string]string {
	m.t.Helper()
	var answer struct {
		Stack struct {
			Parameters map[string]string `json:"parameters"`
		} `json:"stack"`
	}
	m.heat(http.MethodGet, s.path()+"?resolve_outputs=False", nil, &answer, http.StatusOK)
	return answer.Stack.Parameters
}

// patch changes parameters of a stack as the autoscaler does, and waits until the stack is complete.
func (m *murano) patch(s stack, parameters map[string]any) {
	m.t.Helper()
	m.heat(http.MethodPatch, s.path(), map[string]any{"parameters": parameters}, nil, http.StatusAccepted)
	m.complete(s)
}

// complete waits until a stack is complete.
func (m *murano) complete(s stack) {
	m.t.Helper()
	m.wait(s.Name+" to be complete", func() bool {
		now := m.theStack(s.Name)
		require.NotContainsf(m.t, now.Status, "FAILED", "%s: %s", s.Name, now.Reason)
		return strings.HasSuffix(now.Status, "_COMPLETE")
	})
}

// servers are the ids of the servers of a stack, by the index in the group.
func (m *murano) servers(s stack) map[string]string {
	m.t.Helper()
	answer, err := m.Do(m.ctx, http.MethodGet, api.Compute, "/servers/detail", nil)
	require.NoError(m.t, err)
	require.Equal(m.t, http.StatusOK, answer.Code)
	var all struct {
		Servers []struct {
			ID       string            `json:"id"`
			Metadata map[string]string `json:"metadata"`
		} `json:"servers"`
	}
	require.NoError(m.t, answer.JSON(&all))
	servers := map[string]string{}
	for _, server := range all.Servers {
		if server.Metadata["metering.stack"] == s.ID {
			servers[server.Metadata["node_index"]] = server.ID
		}
	}
	return servers
}
