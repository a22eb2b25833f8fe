package app

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// mintedTemplate is simulator.GroupTemplate for members that get a token.
var mintedTemplate = strings.NewReplacer(
	"resources:\n", `  bootstrap_token_source: {type: string, default: minted}
  bootstrap_token: {type: string, hidden: true, default: ''}
  api_server: {type: string, default: ''}
  cluster_ca: {type: string, default: ''}
resources:
`, "          networks:", `          user_data_format: RAW
          user_data_update_policy: IGNORE
          user_data: {list_join: [' ', [{get_param: bootstrap_token}, {get_param: api_server}, {get_param: cluster_ca}]]}
          networks:`).Replace(simulator.GroupTemplate)

const secretsPath = "/api/v1/namespaces/kube-system/secrets"

// dataOf is a key of a Secret's data, decoded.
func dataOf(t *testing.T, secret map[string]any, key string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(textOf(secret["data"].(map[string]any)[key]))
	require.NoError(t, err)
	return string(text)
}

func TestAScaleUpMintsATokenThatNobodySees(t *testing.T) {
	t.Parallel()
	r := startWith(t, mintedTemplate, "--v=8", "--bootstrap-api-server=https://10.0.0.10:6443")
	r.kube.put("api/v1/namespaces/kube-public/configmaps/cluster-info", map[string]any{
		"kind": "ConfigMap", "apiVersion": "v1", "metadata": map[string]any{"name": "cluster-info", "namespace": "kube-public"},
		"data": map[string]any{"kubeconfig": "apiVersion: v1\nkind: Config\nclusters: [{name: '', cluster: {server: 'https://other:6443', certificate-authority-data: Q0E=}}]"},
	})
	var server simulator.Server
	r.eventually(t, "a server", func() bool {
		if servers := r.sim.Servers(); len(servers) > 0 {
			server = servers[0]
		}
		return server.ID != ""
	})
	secrets := r.kube.under(strings.Trim(secretsPath, "/") + "/bootstrap-token-")
	require.Len(t, secrets, 1)
	secret := dataOf(t, secrets[0], "token-secret")
	token := dataOf(t, secrets[0], "token-id") + "." + secret
	require.Equal(t, token+" https://10.0.0.10:6443 Q0E=", server.UserData)
	expires, err := time.Parse(time.RFC3339, dataOf(t, secrets[0], "expiration"))
	require.NoError(t, err)
	require.InDelta(t, 20*time.Minute, time.Until(expires), float64(time.Minute))
	r.eventually(t, "it is counted", func() bool {
		body, _ := r.get(t, "/metrics")
		return strings.Contains(body, `cluster_autoscaler_openstack_bootstrap_tokens_minted_total{node_group="workers"} 1`)
	})
	require.NoError(t, r.terminate(t))
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(token))} {
		require.NotContains(t, r.log.String(), form, "even where bodies of requests are logged")
	}
}

func TestADryRunMintsNoToken(t *testing.T) {
	t.Parallel()
	r := startWith(t, mintedTemplate, "--dry-run", "--leader-elect=false", "--bootstrap-api-server=https://10.0.0.10:6443")
	r.eventually(t, "the decision is counted", func() bool {
		body, _ := r.get(t, "/metrics")
		return strings.Contains(body, `cluster_autoscaler_openstack_dry_run_decisions_total{action="grow",node_group="workers"}`)
	})
	require.NoError(t, r.terminate(t))
	require.Empty(t, r.kube.written(secretsPath))
}

func TestWithoutTokensNothingIsAskedOfTheCluster(t *testing.T) {
	t.Parallel()
	r := startWith(t, mintedTemplate, "--bootstrap-tokens=false", "--approve-node-certificates=false")
	r.eventually(t, "it is told", func() bool {
		return strings.Contains(r.log.String(), "NoBootstrapToken") && strings.Contains(r.log.String(), "--bootstrap-tokens")
	})
	require.NoError(t, r.terminate(t))
	require.Empty(t, r.sim.Servers(), "a machine without a token would never join")
	for _, request := range r.kube.asked() {
		require.NotContains(t, request, "/secrets")
		require.NotContains(t, request, "/kube-public/")
	}
}

func TestSightingsAreSuccessfulReadings(t *testing.T) {
	seen := 0
	s := &sightings{Observer: cloudprovider.NoObserver{}, seen: func() { seen++ }}
	snapshot := nodegroups.NewSnapshot(nil, nil)
	now := func() *nodegroups.Snapshot { return snapshot }
	s.Refreshed(time.Minute, errors.New("down"))
	require.True(t, s.sight(now).Read.IsZero())
	require.Zero(t, seen)
	s.Refreshed(time.Minute, nil)
	require.InDelta(t, time.Minute, time.Since(s.sight(now).Read), float64(10*time.Second), "when the reading began")
	require.Equal(t, 1, seen)
	require.Same(t, snapshot, s.sight(now).Snapshot)
}
