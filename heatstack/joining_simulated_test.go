package heatstack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// minter hands out the tokens that it is given, one after the other.
type minter struct {
	mu     sync.Mutex
	tokens []string
}

func (m *minter) Token(context.Context, string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	token := m.tokens[0]
	m.tokens = m.tokens[1:]
	return token, nil
}

func (m *minter) APIServer(context.Context) (string, error) { return "https://10.0.0.10:6443", nil }
func (m *minter) ClusterCA(context.Context) (string, error) { return "Q0E=", nil }

const mintedTemplate = `heat_template_version: 2018-08-31
parameters:
  node_count: {type: number, default: 0}
  nodes_to_remove: {type: comma_delimited_list, default: []}
  bootstrap_token_source: {type: string, default: minted}
  bootstrap_token: {type: string, hidden: true, default: '', constraints: [{allowed_pattern: '([a-z]{6}\.[a-z]{16})?'}]}
  api_server: {type: string, default: ''}
  cluster_ca: {type: string, default: ''}
resources:
  nodes:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: node_count}
      removal_policies: [{resource_list: {get_param: nodes_to_remove}}]
      resource_def: MEMBER
`

const (
	userData = `user_data_format: RAW, user_data_update_policy: IGNORE, user_data: {str_replace: {template: 'TOKEN SERVER CA', params: ` +
		`{TOKEN: {get_param: bootstrap_token}, SERVER: {get_param: api_server}, CA: {get_param: cluster_ca}}}}`
	mintedServer = `{type: OS::Nova::Server, properties: {name: 'w-%index%', image: node-image, flavor: m1.small, networks: [{network: nodes}], ` +
		`metadata: {metering.stack: {get_param: 'OS::stack_id'}, node_index: '%index%'}, ` + userData + `}}`
	mintedNested = `{type: member.yaml, properties: {index: '%index%', stack_id: {get_param: 'OS::stack_id'}, ` +
		`bootstrap_token: {get_param: bootstrap_token}, api_server: {get_param: api_server}, cluster_ca: {get_param: cluster_ca}}}`
	mintedMember = `heat_template_version: 2018-08-31
parameters:
  index: {type: string}
  stack_id: {type: string}
  bootstrap_token: {type: string, hidden: true}
  api_server: {type: string}
  cluster_ca: {type: string}
resources:
  server:
    type: OS::Nova::Server
    properties: {name: {get_param: index}, image: node-image, flavor: m1.small, networks: [{network: nodes}],
      metadata: {metering.stack: {get_param: stack_id}, node_index: {get_param: index}}, ` + userData + `}
`
)

// mintedScene is a Cloud that writes to a fast simulated one.
type mintedScene struct {
	*testing.T
	sim     *simulator.Simulator
	session *openstack.Session
	cloud   *heatstack.Cloud
	stack   string
	mu      sync.Mutex
	reports []nodegroups.Problem
}

func newMintedScene(t *testing.T, member string, tokens ...string) *mintedScene {
	t.Helper()
	s := &mintedScene{T: t, sim: simulator.New(simulator.Options{Speed: 200})}
	require.NoError(t, s.sim.Start("127.0.0.1:0"))
	t.Cleanup(s.sim.Close)
	var err error
	s.stack, err = s.sim.CreateStack("demo", simulator.StackSpec{
		Name: "workers", Template: strings.ReplaceAll(mintedTemplate, "MEMBER", member), Files: map[string]string{"member.yaml": mintedMember},
		Tags: []string{"autoscaled", "node-group-max-size=9"},
	})
	require.NoError(t, err)
	clouds := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(clouds, []byte(s.sim.CloudsYAML("demo", "demo")), 0o600))
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	session, err := openstack.NewSession(t.Context(), openstack.Options{Cloud: "simulator", Rate: -1})
	require.NoError(t, err)
	s.start(session, tokens...)
	s.settle()
	return s
}

// start begins with a new Cloud, which remembers nothing.
func (s *mintedScene) start(session *openstack.Session, tokens ...string) {
	s.Helper()
	s.session = session
	s.cloud = heatstack.New(heatstack.NewHeat(session), heatstack.NewNova(session), heatstack.Options{
		Discovery: []heatstack.Discovery{{Tags: []string{"autoscaled"}}}, Gather: time.Millisecond, Joining: &minter{tokens: tokens},
		Reporter: nodegroups.ReporterFunc(func(p nodegroups.Problem) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reports = append(s.reports, p)
		}),
	})
	s.Cleanup(s.cloud.Close)
}

// settle waits until the cloud is at rest, and refreshes.
func (s *mintedScene) settle() {
	s.Helper()
	require.Eventually(s, s.sim.Settled, time.Minute, 5*time.Millisecond)
	require.NoError(s, s.cloud.Refresh(s.Context()))
}

// userData are the user data of all servers by id.
func (s *mintedScene) userData() map[string]string {
	data := map[string]string{}
	for _, server := range s.sim.Servers() {
		data[server.ID] = server.UserData
	}
	return data
}

// Two scale-ups with two tokens: the new servers have the new one, those that run stay as they are.
func TestSimulatedTokensLeaveRunningServersAlone(t *testing.T) {
	const first, second = "firsta.aaaaaaaaaaaaaaaa", "second.bbbbbbbbbbbbbbbb"
	for kind, member := range map[string]string{"servers": mintedServer, "stacks": mintedNested} {
		t.Run(kind, func(t *testing.T) {
			s := newMintedScene(t, member, first, second)
			require.NoError(t, s.cloud.Grow(t.Context(), s.stack, 2))
			s.settle()
			before := s.userData()
			require.Len(t, before, 2)
			for _, data := range before {
				assert.Equal(t, first+" https://10.0.0.10:6443 Q0E=", data)
			}
			require.NoError(t, s.cloud.Grow(t.Context(), s.stack, 1))
			s.settle()
			after := s.userData()
			require.Len(t, after, 3)
			for id, data := range before {
				assert.Equal(t, data, after[id], "a running server was touched")
				delete(after, id)
			}
			for _, data := range after {
				assert.Equal(t, second+" https://10.0.0.10:6443 Q0E=", data)
			}
			assert.Empty(t, s.sim.Deaths())

			list, problems := s.cloud.List()
			require.Len(t, list, 1)
			assert.Empty(t, problems)
			require.NoError(t, s.cloud.Remove(t.Context(), s.stack, list[0].Members[:1]))
			s.settle()
			assert.Len(t, s.userData(), 2)
			updates := s.sim.Updates()
			require.Len(t, updates, 3)
			assert.NotContains(t, updates[2].Parameters, "bootstrap_token")
			for _, text := range []string{fmt.Sprint(list[0]), fmt.Sprint(problems), fmt.Sprint(s.reports)} {
				assert.NotContains(t, text, "aaaaaaaaaaaaaaaa")
				assert.NotContains(t, text, "bbbbbbbbbbbbbbbb")
			}
		})
	}
}

// Heat quotes what it refuses.
func TestSimulatedRefusalDoesNotShowTheToken(t *testing.T) {
	const token = "refused.0123456789abcdef" // does not fit the pattern
	s := newMintedScene(t, mintedServer, token)
	err := s.cloud.Grow(t.Context(), s.stack, 1)
	require.ErrorContains(t, err, "bootstrap_token")
	require.ErrorContains(t, err, "******")
	for _, text := range []string{err.Error(), openstack.Message(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprint(s.reports)} {
		assert.NotContains(t, text, token)
		assert.NotContains(t, text, "0123456789abcdef")
	}
}
