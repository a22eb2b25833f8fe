package heatstack

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var template map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &template))
	return template
}

// withMember is a template whose group has this resource_def, and further resources and parameters.
func withMember(member, more string) string {
	return `
parameters:
  node_count: {type: number}
  nodes_to_remove: {type: comma_delimited_list}
  bootstrap_token: {type: string, hidden: true, default: ''}
  api_server: {type: string, default: ''}
resources:
  nodes:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: node_count}
      removal_policies: [{resource_list: {get_param: nodes_to_remove}}]
      resource_def: ` + member + "\n" + more
}

const (
	safeServer   = `{type: OS::Nova::Server, properties: {user_data_update_policy: IGNORE, user_data: {get_param: bootstrap_token}}}`
	nestedMember = `{type: node.yaml, properties: {token: {get_param: bootstrap_token}, index: '%index%'}}`
	safeNested   = `
parameters: {token: {type: string, hidden: true}, index: {type: string}}
resources:
  port: {type: OS::Neutron::Port, properties: {network: nodes}}
  config: {type: OS::Heat::CloudConfig, properties: {cloud_config: {token: {get_param: token}}}}
  server: {type: OS::Nova::Server, properties: {user_data_update_policy: IGNORE, user_data: {get_resource: config}}}
`
)

func TestTemplatesThatMayGetTokens(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		files    map[string]string
	}{
		"servers": {withMember(safeServer, ""), nil},
		"another server that the token does not reach": {withMember(safeServer,
			"  bastion: {type: OS::Nova::Server, properties: {user_data: hello}}"), nil},
		"servers put together": {withMember(`{type: OS::Nova::Server, properties: {map_merge: [
        {user_data_update_policy: IGNORE, user_data: {get_param: bootstrap_token}}, {if: [big, {image: a}, {block_device_mapping_v2: []}]}]}}`, ""), nil},
		"stacks":      {withMember(nestedMember, ""), map[string]string{"node.yaml": safeNested}},
		"two levels":  {withMember(nestedMember, ""), map[string]string{"node.yaml": "parameters: {token: {hidden: 'True'}, index: {}}\nresources: {inner: {type: inner.yaml, properties: {token: {get_param: token}}}}", "inner.yaml": safeNested}},
		"other files": {withMember(`{type: "file:///x/node.yaml", properties: {token: {get_param: bootstrap_token}}}`, ""), map[string]string{"file:///x/node.yaml": safeNested}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Nil(t, inspectJoining(parsed(t, test.template), test.files, "nodes", nodegroups.DefaultParameterNames()))
		})
	}
}

// The templates that are shipped may.
func TestShippedTemplatesMayGetTokens(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../deploy/heat/" + name)
		require.NoError(t, err)
		return string(text)
	}
	files := map[string]string{"node-with-port.yaml": read("node-with-port.yaml")}
	for _, name := range []string{"nodegroup.yaml", "nodegroup-with-ports.yaml", "cluster.yaml"} {
		template := parsed(t, read(name))
		facts, problem := inspectTemplate(template, nodegroups.DefaultParameterNames())
		require.Nil(t, problem, name)
		assert.Equal(t, "nodes", facts.Group, name)
		assert.Nil(t, inspectJoining(template, files, facts.Group, nodegroups.DefaultParameterNames()), name)
	}
}

func TestTemplatesThatMustNotGetTokens(t *testing.T) {
	deep := map[string]string{}
	for _, n := range []string{"", "1", "2", "3", "4", "5", "6"} {
		deep["node"+n+".yaml"] = "parameters: {token: {hidden: true}}\nresources: {inner: {type: node" + n + "x.yaml}}"
		deep["node"+n+"x.yaml"] = "resources: {inner: {type: node" + n + ".yaml}}"
	}
	for name, test := range map[string]struct {
		template string
		files    map[string]string
		says     string
		remedy   string
	}{
		"no parameter": {"parameters: {node_count: {}}\nresources: {}", nil, "no parameter bootstrap_token", "bootstrap-token-parameter"},
		"a visible parameter": {"parameters: {bootstrap_token: {type: string}}\nresources: {}", nil,
			"would show the bootstrap token", "hidden: true"},
		"hidden is false": {"parameters: {bootstrap_token: {type: string, hidden: false}}\nresources: {}", nil, "would show", "hidden: true"},
		"Heat's default policy": {withMember(`{type: OS::Nova::Server, properties: {user_data: {get_param: bootstrap_token}}}`, ""), nil,
			"rebuild every running server", "IGNORE"},
		"REPLACE": {withMember(`{type: OS::Nova::Server, properties: {user_data_update_policy: REPLACE}}`, ""), nil, "a member of nodes", "IGNORE"},
		"a policy that may change": {withMember(`{type: OS::Nova::Server, properties: {user_data_update_policy: {get_param: policy}}}`, ""), nil,
			"rebuild", "IGNORE"},
		"put together without a policy": {withMember(`{type: OS::Nova::Server, properties: {map_merge: [{image: a}]}}`, ""), nil, "rebuild", "IGNORE"},
		"put together with another policy": {withMember(`{type: OS::Nova::Server, properties: {map_merge: [
        {user_data_update_policy: IGNORE}, {if: [old, {user_data_update_policy: REPLACE}, {}]}]}}`, ""), nil, "rebuild", "IGNORE"},
		"another server that the token reaches": {withMember(safeServer,
			"  bastion: {type: OS::Nova::Server, properties: {user_data: {list_join: ['', [{get_param: bootstrap_token}]]}}}"), nil, "bastion", "IGNORE"},
		"another server by way of a configuration": {withMember(safeServer,
			"  config: {type: OS::Heat::SoftwareConfig, properties: {config: {get_param: [bootstrap_token]}}}\n"+
				"  bastion: {type: OS::Nova::Server, properties: {user_data: {get_attr: [config, config]}}}"), nil, "bastion", "IGNORE"},
		"another server that the address reaches": {withMember(safeServer,
			"  bastion: {type: OS::Nova::Server, properties: {user_data: {get_param: api_server}}}"), nil, "bastion", "IGNORE"},
		"an output":         {withMember(safeServer, "outputs: {token: {value: {get_param: bootstrap_token}}}"), nil, "an output", "outputs"},
		"a template unseen": {withMember(nestedMember, ""), nil, "node.yaml, is not among the stack's files", "file"},
		"an alias":          {withMember(`{type: My::Node, properties: {}}`, ""), map[string]string{"node.yaml": safeNested}, "My::Node", "file"},
		"a template unread": {withMember(nestedMember, ""), map[string]string{"node.yaml": "a: [b"}, "node.yaml can't be understood", "mend"},
		"too many levels":   {withMember(nestedMember, ""), deep, "nested too deeply", "fewer"},
		"a visible parameter of the nested template": {withMember(nestedMember, ""),
			map[string]string{"node.yaml": "parameters: {token: {type: string}}\nresources: {}"}, "the parameter token would show", "hidden"},
		"a nested server": {withMember(nestedMember, ""),
			map[string]string{"node.yaml": "parameters: {token: {hidden: true}}\nresources: {server: {type: OS::Nova::Server}}"}, "server does not say", "IGNORE"},
	} {
		t.Run(name, func(t *testing.T) {
			p := inspectJoining(parsed(t, test.template), test.files, "nodes", nodegroups.DefaultParameterNames())
			require.NotNil(t, p)
			assert.Equal(t, nodegroups.ReasonUnsafeBootstrap, p.Reason)
			assert.Equal(t, nodegroups.Blocking, p.Severity)
			assert.Equal(t, "bootstrap_token", p.Key)
			assert.Contains(t, p.Message, test.says)
			assert.Contains(t, p.Remedy, test.remedy)
			assert.Contains(t, p.Remedy, "bootstrap-token-source=own")
		})
	}
}

// mintedStack adds a stack that has its tokens minted, by its parameter.
func (f *cloudFake) mintedStack(t *testing.T, id string, n int, template string) *stackFake {
	t.Helper()
	st := f.stack(id, n)
	st.template = parsed(t, template)
	st.detail.Parameters["bootstrap_token_source"] = "minted"
	st.detail.Parameters["bootstrap_token"] = "******"
	return st
}

func TestAnUnsafeStackShrinksAndDoesNotGrow(t *testing.T) {
	f := newCloudFake()
	st := f.mintedStack(t, "a", 2, withMember(`{type: OS::Nova::Server}`, ""))
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	a := shown(t, c, "a")
	require.NotNil(t, a.GrowthBlocked)
	assert.Nil(t, a.Blocked)
	assert.Equal(t, nodegroups.ReasonUnsafeBootstrap, a.GrowthBlocked.Reason)
	assert.Equal(t, "stack-a", a.GrowthBlocked.Stack)
	_, problems := c.List()
	assert.Equal(t, []nodegroups.Problem{*a.GrowthBlocked}, problems)

	var p nodegroups.Problem
	require.ErrorAs(t, c.Grow(t.Context(), "a", 1), &p)
	assert.Equal(t, *a.GrowthBlocked, p)
	require.NoError(t, c.Remove(t.Context(), "a", a.Members[:1]))
	assert.Equal(t, []string{"remove 1 a"}, w.orders)

	// The template is mended, then the stack joins by its own means.
	f.move(st, "UPDATE_IN_PROGRESS", nil)
	f.move(st, "UPDATE_COMPLETE", nil)
	st.template = parsed(t, withMember(safeServer, ""))
	refresh(t, f, c)
	assert.Nil(t, shown(t, c, "a").GrowthBlocked)
	st.template = parsed(t, withMember(`{type: OS::Nova::Server}`, ""))
	st.detail.Tags = append(st.detail.Tags, "bootstrap-token-source=own")
	refresh(t, f, c)
	assert.Nil(t, shown(t, c, "a").GrowthBlocked)
}

func TestTheFilesAreReadOnceAndOnlyWhereTheyMatter(t *testing.T) {
	f := newCloudFake()
	minted := f.mintedStack(t, "a", 1, withMember(nestedMember, ""))
	minted.files = map[string]string{"node.yaml": safeNested}
	own := f.stack("b", 1)
	own.template = parsed(t, withMember(nestedMember, ""))
	f.mintedStack(t, "c", 1, withMember(safeServer, ""))
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Contains(t, f.takeCalls(), "GetFiles a")
	assert.Nil(t, shown(t, c, "a").GrowthBlocked)
	facts, err := w.hooks.template(t.Context(), stackRef{ID: "a"})
	require.NoError(t, err)
	assert.False(t, facts.Outdated)
	refresh(t, f, c)
	assert.Equal(t, []string{"ListServers changed", "ListStacks [autoscaled]"}, f.takeCalls())

	// Somebody updates the stack, and its files can't be read.
	f.fail["GetFiles a"] = answered(500)
	f.move(minted, "UPDATE_IN_PROGRESS", nil)
	refresh(t, f, c)
	facts, err = w.hooks.template(t.Context(), stackRef{ID: "a"})
	require.NoError(t, err)
	assert.True(t, facts.Outdated, "the facts are of the older template")
	delete(f.fail, "GetFiles a")
	facts, err = w.hooks.template(t.Context(), stackRef{ID: "a"})
	require.NoError(t, err)
	assert.False(t, facts.Outdated)
}

func TestASourceThatIsNoneBlocksTheStack(t *testing.T) {
	f := newCloudFake()
	f.mintedStack(t, "a", 1, withMember(safeServer, "")).detail.Parameters["bootstrap_token_source"] = "mint"
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	a := shown(t, c, "a")
	require.NotNil(t, a.Blocked)
	assert.Equal(t, "bootstrap_token_source", a.Blocked.Key)
}
