package nodegroups_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestAnnotationsAreDocumentedAndTheirExamplesWork(t *testing.T) {
	seen := map[string]bool{}
	for _, doc := range nodegroups.Annotations() {
		t.Run(string(doc.Key), func(t *testing.T) {
			assert.NotEmpty(t, doc.Type)
			assert.NotEmpty(t, doc.Meaning)
			assert.NotRegexp(t, `\.$`, doc.Meaning)
			for _, name := range append([]string{string(doc.Key)}, doc.Aliases...) {
				assert.False(t, seen[name], "%s is there twice", name)
				seen[name] = true
				canonical, ok := nodegroups.CanonicalKey(name)
				assert.True(t, ok)
				assert.Equal(t, doc.Key, canonical)
				tag := name + "=" + doc.Example
				assert.LessOrEqual(t, len(tag), 80+len("cluster.x-k8s.io/"), "too long for a tag")
				tags := []string{tag}
				if doc.Key == nodegroups.KeyGPUCount {
					tags = append(tags, string(nodegroups.KeyGPUType)+"=nvidia.com/gpu")
				}
				with, problems := nodegroups.ParseConfig("stack", tags, "")
				assert.Empty(t, problems)
				without, _ := nodegroups.ParseConfig("stack", tags[1:], "")
				assert.NotEqual(t, without, with, "the example has no effect")
			}
		})
	}
	assert.Len(t, seen, 31+17+3*2+7)
	_, ok := nodegroups.CanonicalKey("owner")
	assert.False(t, ok)
}

func TestNearAnnotation(t *testing.T) {
	tests := map[string]string{
		"node-group":               "", // right
		"nodegroup":                "node-group",
		"NODE-GROUP":               "node-group",
		"node-gruop":               "node-group",
		"node_group_min_size":      "node-group-min-size",
		"node-group-minimum":       "node-group-min-size",
		"size-paramater":           "size-parameter",
		"eviction_hard":            "eviction-hard",
		"owner":                    "",
		"cluster":                  "",
		"":                         "",
		"noed-gruop-x":             "",
		"cluster.x-k8s.io/cluster": "",
		"cluster-api-autoscaler-node-group-min-siz": "cluster-api-autoscaler-node-group-min-size",
	}
	for key, want := range tests {
		got, ok := nodegroups.NearAnnotation(key)
		assert.Equal(t, want != "", ok, key)
		if want != "" {
			assert.Equal(t, want, got, key)
		}
	}
}

func TestMisspelt(t *testing.T) {
	assert.True(t, nodegroups.Misspelt("cluster-autoscaler-enable", "cluster-autoscaler-enabled"))
	assert.True(t, nodegroups.Misspelt("Cluster_Autoscaler_Enabled", "cluster-autoscaler-enabled"))
	assert.False(t, nodegroups.Misspelt("cluster-autoscaler-enabled", "cluster-autoscaler-enabled"))
	assert.False(t, nodegroups.Misspelt("cluster-autoscaler", "cluster-autoscaler-enabled"))
	assert.False(t, nodegroups.Misspelt("cluster=test", "cluster=prod"))
}
