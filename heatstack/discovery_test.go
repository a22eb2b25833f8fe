package heatstack

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestParseDiscovery(t *testing.T) {
	d, err := ParseDiscovery("heat:tag=cluster-autoscaler-enabled,tag=cluster=prod, tag=cluster=prod")
	require.NoError(t, err)
	assert.Equal(t, Discovery{Tags: []string{"cluster-autoscaler-enabled", "cluster=prod"}}, d)
	for _, bad := range []string{"", "heat", "heat:", "magnum:tag=a", "heat:a", "heat:tag=", "heat:tag=a,", "heat:tags=a"} {
		_, err := ParseDiscovery(bad)
		assert.ErrorContains(t, err, bad)
	}
}

func TestParseNamed(t *testing.T) {
	n, err := ParseNamed("1:10:workers:blue")
	require.NoError(t, err)
	assert.Equal(t, NamedStack{Name: "workers:blue", MinSize: 1, MaxSize: 10}, n)
	for _, bad := range []string{"", "1:2", "1:2:", "-1:2:a", "x:2:a", "0:0:a", "0:x:a", "3:2:a"} {
		_, err := ParseNamed(bad)
		assert.ErrorContains(t, err, bad)
	}
}

func TestMisspelt(t *testing.T) {
	d := Discovery{Tags: []string{"cluster-autoscaler-enabled", "cluster=prod"}}
	tests := map[string]struct {
		tags []string
		key  string // "" for no problem
	}{
		"a slip":                       {[]string{"cluster-autoscaler-enable", "cluster=prod"}, "cluster-autoscaler-enable"},
		"a slip in a key":              {[]string{"cluster-autoscaler-enabled", "clutser=prod"}, "clutser"},
		"two slips":                    {[]string{"cluster_autoscaler_enabled", "Cluster=prod"}, "Cluster"},
		"another cluster":              {[]string{"cluster-autoscaler-enabled", "cluster=prod2"}, ""},
		"another cluster, annotations": {[]string{"cluster-autoscaler-enabled", "cluster=dev", "node-group-max-size=3"}, ""},
		"not ours":                     {[]string{"web", "tier=front"}, ""},
		"forgotten tags":               {[]string{"node-group-max-size=3"}, "node-group-max-size"},
		"forgotten tags, and a slip":   {[]string{"node-group-max-sise=3"}, "node-group-max-sise"},
		"no tags":                      {nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			problem := d.misspelt(&StackRow{Name: "workers", Tags: test.tags})
			if test.key == "" {
				assert.Nil(t, problem)
				return
			}
			require.NotNil(t, problem)
			assert.Equal(t, nodegroups.ReasonMisspeltTag, problem.Reason)
			assert.Equal(t, "workers", problem.Stack)
			assert.Equal(t, test.key, problem.Key)
			assert.NotEmpty(t, problem.Remedy)
		})
	}
}

func TestMisspeltTagsAreLookedForNowAndThen(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	slip := f.stack("b", 1)
	slip.detail.Tags = []string{"autoscaledd"}
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	_, problems := c.List()
	require.Equal(t, []string{nodegroups.ReasonMisspeltTag}, reasons(problems))
	assert.Equal(t, "stack-b", problems[0].Stack)

	slip.detail.Tags = []string{"autoscaled", "node-group-max-size=2"}
	f.clock.Step(misspeltInterval)
	f.fail["ListStacks []"] = answered(500)
	refresh(t, f, c)
	_, problems = c.List()
	assert.Equal(t, []string{nodegroups.ReasonMisspeltTag}, reasons(problems), "the look failed")
	delete(f.fail, "ListStacks []")
	f.clock.Step(misspeltInterval + time.Minute)
	refresh(t, f, c)
	_, problems = c.List()
	assert.Empty(t, problems)
	assert.True(t, shown(t, c, "b").Known)
}
