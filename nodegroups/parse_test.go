package nodegroups_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func pointer[T any](value T) *T { return &value }

func quantity(text string) *resource.Quantity { return pointer(resource.MustParse(text)) }

// config returns what a stack named "stack" without annotations has, changed.
func config(change func(*nodegroups.Config)) nodegroups.Config {
	c := nodegroups.Config{Name: "stack", Parameters: nodegroups.DefaultParameterNames()}
	if change != nil {
		change(&c)
	}
	return c
}

const capacity = "capacity.cluster-autoscaler.kubernetes.io/"

func TestParseConfigReadsEveryAnnotation(t *testing.T) {
	tests := map[string]struct {
		tags []string
		json string
		want func(*nodegroups.Config)
	}{
		"nothing":        {},
		"foreign tags":   {tags: []string{"cluster-autoscaler-enabled", "cluster=prod", "cluster.x-k8s.io/cluster-name=a", "a=b=c", "", "="}},
		"name":           {tags: []string{"node-group=workers"}, want: func(c *nodegroups.Config) { c.Name = "workers" }},
		"spaces":         {tags: []string{" node-group = workers "}, want: func(c *nodegroups.Config) { c.Name = "workers" }},
		"empty object":   {json: "{}"},
		"null":           {json: "null"},
		"only white":     {json: " \n"},
		"limits":         {tags: []string{"node-group-min-size=0", "node-group-max-size=10"}, want: limits(0, 10)},
		"limits in JSON": {json: `{"node-group-min-size": 1, "node-group-max-size": "10"}`, want: limits(1, 10)},
		"short aliases": {
			tags: []string{"cluster-api-autoscaler-node-group-min-size=1", "cluster-api-autoscaler-node-group-max-size=2"},
			want: limits(1, 2),
		},
		"long aliases": {
			tags: []string{"cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size=1", "cluster.x-k8s.io/node-group-max-size=2"},
			want: limits(1, 2),
		},
		"the same in both places": {
			tags: []string{"node-group-max-size=2", "autoscaling-options-scaledownunneededtime=10m"},
			json: `{"node-group-max-size": 2, "cluster.x-k8s.io/autoscaling-options-scaledownunneededtime": "600s"}`,
			want: func(c *nodegroups.Config) {
				c.MaxSize, c.MaxSet, c.Options.ScaleDownUnneededTime = 2, true, pointer(10*time.Minute)
			},
		},
		"parameters": {
			tags: []string{"size-parameter=number_of_minions", "removal-parameter=minions_to_remove", "flavor-parameter=f",
				"boot-volume-size-parameter=v", "availability-zone-parameter=z", "bootstrap-token-parameter=t"},
			want: func(c *nodegroups.Config) {
				c.Parameters = nodegroups.ParameterNames{
					Size: "number_of_minions", Removal: "minions_to_remove", Flavor: "f", BootVolumeGiB: "v", Zone: "z", Token: "t",
				}
			},
		},
		"capacity": {
			tags: []string{capacity + "cpu=3500m", capacity + "memory=16Gi", capacity + "ephemeral-disk=100G",
				capacity + "maxPods=250", capacity + "gpu-type=amd.com/gpu", capacity + "gpu-count=2", capacity + "arch=arm64"},
			want: func(c *nodegroups.Config) {
				c.Capacity = nodegroups.CapacityOverrides{
					CPU: quantity("3500m"), Memory: quantity("16Gi"), EphemeralDisk: quantity("100G"),
					MaxPods: pointer(int64(250)), GPUType: "amd.com/gpu", GPUCount: pointer(int64(2)), Arch: "arm64",
				}
			},
		},
		"labels and taints in tags": {
			tags: []string{capacity + "labels=pool=fast;example.com/disk=", capacity + "taints=b=c:NoExecute;a:NoSchedule"},
			want: labelsAndTaints,
		},
		"labels and taints in JSON text": {
			json: `{"` + capacity + `labels": "pool=fast,example.com/disk=", "` + capacity + `taints": "b=c:NoExecute, a:NoSchedule"}`,
			want: labelsAndTaints,
		},
		"labels and taints as JSON object and array": {
			json: `{"` + capacity + `labels": {"pool": "fast", "example.com/disk": ""}, "` + capacity + `taints": ["b=c:NoExecute", "a:NoSchedule"]}`,
			want: labelsAndTaints,
		},
		"reserved": {
			tags: []string{"kube-reserved=cpu=100m;memory=1Gi", "system-reserved=ephemeral-storage=1Gi;pid=1000"},
			want: func(c *nodegroups.Config) {
				c.Reserved.Kube = v1.ResourceList{"cpu": *quantity("100m"), "memory": *quantity("1Gi")}
				c.Reserved.System = v1.ResourceList{"ephemeral-storage": *quantity("1Gi"), "pid": *quantity("1k")}
			},
		},
		"reserved as JSON object": {
			json: `{"kube-reserved": {"cpu": "100m", "memory": "1Gi"}}`,
			want: func(c *nodegroups.Config) {
				c.Reserved.Kube = v1.ResourceList{"cpu": *quantity("100m"), "memory": *quantity("1Gi")}
			},
		},
		"eviction": {
			tags: []string{"eviction-hard=memory.available<500Mi;nodefs.available<5%;imagefs.available<15%"},
			want: func(c *nodegroups.Config) {
				c.Reserved.EvictionHardSet, c.Reserved.EvictionDiskPercent = true, 5
				c.Reserved.EvictionHard = v1.ResourceList{"memory": *quantity("500Mi")}
			},
		},
		"eviction the other way round": {
			json: `{"eviction-hard": {"memory.available": "5%", "nodefs.available": "1Gi"}, "kube-reserved": "cpu=1"}`,
			want: func(c *nodegroups.Config) {
				c.Reserved.EvictionHardSet, c.Reserved.EvictionMemoryPercent = true, 5
				c.Reserved.EvictionHard = v1.ResourceList{"ephemeral-storage": *quantity("1Gi")}
				c.Reserved.Kube = v1.ResourceList{"cpu": *quantity("1")}
			},
		},
		"no eviction": {
			tags: []string{"eviction-hard="},
			want: func(c *nodegroups.Config) {
				c.Reserved.EvictionHardSet, c.Reserved.EvictionHard = true, v1.ResourceList{}
			},
		},
		"options": {
			tags: []string{"autoscaling-options-scaledownutilizationthreshold=0.7", "autoscaling-options-scaledowngpuutilizationthreshold=0",
				"autoscaling-options-scaledownunneededtime=0s", "cluster.x-k8s.io/autoscaling-options-scaledownunreadytime=20m",
				"autoscaling-options-maxnodeprovisiontime=1h", "autoscaling-options-zeroormaxnodescaling=true",
				"autoscaling-options-ignoredaemonsetsutilization=false"},
			want: func(c *nodegroups.Config) {
				c.Options = nodegroups.Options{
					ScaleDownUtilizationThreshold: pointer(0.7), ScaleDownGpuUtilizationThreshold: pointer(0.0),
					ScaleDownUnneededTime: pointer(time.Duration(0)), ScaleDownUnreadyTime: pointer(20 * time.Minute),
					MaxNodeProvisionTime: pointer(time.Hour), ZeroOrMaxNodeScaling: pointer(true),
					IgnoreDaemonSetsUtilization: pointer(false),
				}
			},
		},
		"options in JSON": {
			json: `{"autoscaling-options-scaledownutilizationthreshold": 0.7, "autoscaling-options-zeroormaxnodescaling": true}`,
			want: func(c *nodegroups.Config) {
				c.Options.ScaleDownUtilizationThreshold, c.Options.ZeroOrMaxNodeScaling = pointer(0.7), pointer(true)
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, problems := nodegroups.ParseConfig("stack", test.tags, test.json)
			assert.Empty(t, problems)
			assert.Empty(t, cmp.Diff(config(test.want), got))
		})
	}
}

func limits(minSize, maxSize int) func(*nodegroups.Config) {
	return func(c *nodegroups.Config) {
		c.MinSize, c.MaxSize = minSize, maxSize
		c.MinSet, c.MaxSet = true, true
	}
}

func labelsAndTaints(c *nodegroups.Config) {
	c.Capacity.Labels = map[string]string{"pool": "fast", "example.com/disk": ""}
	c.Capacity.Taints = []v1.Taint{
		{Key: "a", Effect: v1.TaintEffectNoSchedule}, {Key: "b", Value: "c", Effect: v1.TaintEffectNoExecute},
	}
}

// Every bad value must block its stack, with a problem that names the place, and must not leave half a value behind.
func TestParseConfigReportsBadValues(t *testing.T) {
	bad := map[string][]string{
		"node-group":           {"", "-a", "a b", "a/b", "ä", "a."},
		"node-group-min-size":  {"", "-1", "one", "1.5", "1e3", "99999999999999999999"},
		"node-group-max-size":  {"", "-1", "0x10"},
		"size-parameter":       {"", "a b", "1a"},
		capacity + "cpu":       {"", "0", "-1", "four", "1m", "NaN"},
		capacity + "memory":    {"", "16", "-16Gi", "16GB", "1000Ei"},
		capacity + "maxPods":   {"", "0", "-1"},
		capacity + "gpu-type":  {"", "gpu", "nvidia.com/", "a b/c"},
		capacity + "gpu-count": {"-1", "x"},
		capacity + "labels": {"a", "a b=c", "a=b c", "=x", "a=1;a=2", "kubernetes.io/hostname=x",
			"x=0123456789012345678901234567890123456789012345678901234567890123456789"},
		capacity + "taints": {"a", "a=b", "a=b:Never", ":NoSchedule", "a=b:NoSchedule;a=c:NoSchedule"},
		capacity + "arch":   {"", "x86_64"},
		"kube-reserved":     {"cpu", "cpu=x", "cpu=-1", "gpu=1", "cpu=1;cpu=2"},
		"eviction-hard": {"memory.available", "memory.available<x", "memory.available<101%", "memory.available<NaN%", "memory.available<-1%",
			"memory.avail<1Gi", "memory.available<1Gi;memory.available<2Gi", "memory.available<-1Gi"},
		"autoscaling-options-scaledownutilizationthreshold": {"", "1.1", "-0.1", "50%", "NaN", "Inf"},
		"autoscaling-options-scaledownunneededtime":         {"", "600", "-1s", "soon"},
		"autoscaling-options-maxnodeprovisiontime":          {"0s", "-1s"},
		"autoscaling-options-zeroormaxnodescaling":          {"", "yes please"},
	}
	for key, values := range bad {
		for _, value := range values {
			for _, place := range []string{"tag", "JSON"} {
				t.Run(place+" "+key+"="+value, func(t *testing.T) {
					tags, text := []string{key + "=" + value}, ""
					if place == "JSON" {
						object, err := json.Marshal(map[string]string{key: value})
						require.NoError(t, err)
						tags, text = nil, string(object)
					}
					got, problems := nodegroups.ParseConfig("stack", tags, text)
					require.Len(t, problems, 1)
					p := problems[0]
					assert.Equal(t, nodegroups.ReasonBadAnnotation, p.Reason)
					assert.Equal(t, nodegroups.Blocking, p.Severity)
					assert.Equal(t, []string{"stack", "stack", key, value}, []string{p.Group, p.Stack, p.Key, p.Value})
					assert.NotEmpty(t, p.Message)
					assert.Contains(t, p.Remedy, "for example "+key+"=")
					assert.Empty(t, cmp.Diff(config(nil), got))
				})
			}
		}
	}
}

func TestParseConfigReportsWhatItCannotUnderstand(t *testing.T) {
	type problem struct{ Reason, Key, Value, Remedy string }
	tests := map[string]struct {
		tags []string
		json string
		want []problem
	}{
		"misspelt tags": {
			tags: []string{"nodegroup=a", "node_group_max_size=3", "Kube-Reserved=cpu=1", "node-group-maxsize=4"},
			want: []problem{
				{nodegroups.ReasonMisspeltTag, "nodegroup", "a", "write node-group, "},
				{nodegroups.ReasonMisspeltTag, "node_group_max_size", "3", "write node-group-max-size, "},
				{nodegroups.ReasonMisspeltTag, "Kube-Reserved", "cpu=1", "write kube-reserved, "},
				{nodegroups.ReasonMisspeltTag, "node-group-maxsize", "4", "write node-group-max-size, "},
			},
		},
		"our prefix, unknown rest": {
			tags: []string{capacity + "gpu=1", "autoscaling-options-scaledown=1h", "cluster.x-k8s.io/autoscaling-options-x=1"},
			want: []problem{
				{nodegroups.ReasonMisspeltTag, capacity + "gpu", "1", "write " + capacity + "cpu, "},
				{nodegroups.ReasonMisspeltTag, "autoscaling-options-scaledown", "1h", "write autoscaling-options-"},
				{nodegroups.ReasonMisspeltTag, "cluster.x-k8s.io/autoscaling-options-x", "1", "write cluster.x-k8s.io/"},
			},
		},
		"a tag without a value": {
			tags: []string{"node-group-max-size"},
			want: []problem{{nodegroups.ReasonBadAnnotation, "node-group-max-size", "", "give a whole number, for example node-group-max-size=10"}},
		},
		"unknown JSON keys": {
			json: `{"owner": "me", "node-group-maxsize": 3}`,
			want: []problem{
				{nodegroups.ReasonUnknownAnnotation, "node-group-maxsize", "3", "write node-group-max-size"},
				{nodegroups.ReasonUnknownAnnotation, "owner", "me", "remove the key"},
			},
		},
		"bad JSON kinds": {
			json: `{"node-group-max-size": null, "kube-reserved": {"cpu": ["1"]}, "` + capacity + `taints": [null]}`,
			want: []problem{
				{nodegroups.ReasonBadAnnotation, capacity + "taints", "[<nil>]", "give a list"},
				{nodegroups.ReasonBadAnnotation, "kube-reserved", "map[cpu:[1]]", "give a list"},
				{nodegroups.ReasonBadAnnotation, "node-group-max-size", "<nil>", "give a whole number"},
			},
		},
		"no JSON":           {json: `node-group`, want: []problem{{nodegroups.ReasonBadAnnotation, "node_group_annotations", "node-group", "set the stack parameter"}}},
		"no object":         {json: `[1]`, want: []problem{{nodegroups.ReasonBadAnnotation, "node_group_annotations", "[1]", "set the stack parameter"}}},
		"two objects":       {json: `{} {}`, want: []problem{{nodegroups.ReasonBadAnnotation, "node_group_annotations", "{} {}", "set the stack parameter"}}},
		"hidden":            {json: `******`, want: []problem{{nodegroups.ReasonBadAnnotation, "node_group_annotations", "******", "set the stack parameter"}}},
		"tag and JSON":      {tags: []string{"node-group-max-size=1"}, json: `{"node-group-max-size": 2}`, want: []problem{{nodegroups.ReasonBadAnnotation, "node-group-max-size", "2", "keep one"}}},
		"two tags":          {tags: []string{"node-group=a", "node-group=b"}, want: []problem{{nodegroups.ReasonBadAnnotation, "node-group", "b", "keep one"}}},
		"alias and name":    {tags: []string{"node-group-max-size=1", "cluster.x-k8s.io/node-group-max-size=2"}, want: []problem{{nodegroups.ReasonBadAnnotation, "cluster.x-k8s.io/node-group-max-size", "2", "keep one"}}},
		"min above max":     {tags: []string{"node-group-max-size=1", "node-group-min-size=2"}, want: []problem{{nodegroups.ReasonMinAboveMax, "node-group-min-size", "2", "lower node-group-min-size"}}},
		"min above max 0":   {tags: []string{"node-group-max-size=0", "node-group-min-size=2"}, want: []problem{{nodegroups.ReasonMinAboveMax, "node-group-min-size", "2", "lower node-group-min-size"}}},
		"one parameter":     {tags: []string{"removal-parameter=node_count"}, want: []problem{{nodegroups.ReasonBadAnnotation, "removal-parameter", "node_count", "name two"}}},
		"GPUs of what kind": {tags: []string{capacity + "gpu-count=1"}, want: []problem{{nodegroups.ReasonBadAnnotation, capacity + "gpu-count", "1", "add " + capacity + "gpu-type"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, problems := nodegroups.ParseConfig("stack", test.tags, test.json)
			require.Len(t, problems, len(test.want))
			for i, want := range test.want {
				p := problems[i]
				assert.Equal(t, []string{want.Reason, want.Key, want.Value}, []string{p.Reason, p.Key, p.Value})
				assert.Contains(t, p.Remedy, want.Remedy)
				assert.Equal(t, nodegroups.Blocking, p.Severity)
				assert.Equal(t, []string{got.Name, "stack"}, []string{p.Group, p.Stack})
			}
		})
	}
}

func TestParseConfigRefusesAStackNameThatIsNoGroupName(t *testing.T) {
	_, problems := nodegroups.ParseConfig("", nil, "")
	require.Len(t, problems, 1)
	assert.Equal(t, nodegroups.ReasonBadAnnotation, problems[0].Reason)
	assert.Equal(t, "add the annotation node-group", problems[0].Remedy)
}

func TestParseConfigNeverPanicsAndNeverGivesAHalfReadValue(t *testing.T) {
	keys := []string{"node-group", "x"}
	for _, doc := range nodegroups.Annotations() {
		keys = append(keys, string(doc.Key))
		keys = append(keys, doc.Aliases...)
	}
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-0-9a-zA-Z=;:,.<%/{}"\[\]]{0,40}`))
	rapid.Check(t, func(t *rapid.T) {
		tag := rapid.Custom(func(t *rapid.T) string {
			return rapid.OneOf(rapid.SampledFrom(keys), text).Draw(t, "key") + rapid.SampledFrom([]string{"=", ""}).Draw(t, "=") + text.Draw(t, "value")
		})
		object := rapid.MapOf(rapid.OneOf(rapid.SampledFrom(keys), text), text)
		param := text.Draw(t, "json")
		if rapid.Bool().Draw(t, "object") {
			b, err := json.Marshal(object.Draw(t, "entries"))
			require.NoError(t, err)
			param = string(b)
		}
		c, problems := nodegroups.ParseConfig("stack", rapid.SliceOf(tag).Draw(t, "tags"), param)
		require.NotEmpty(t, c.Name)
		require.NotEmpty(t, c.Parameters.Size)
		require.GreaterOrEqual(t, c.MinSize, 0)
		require.GreaterOrEqual(t, c.MaxSize, 0)
		for _, p := range problems {
			require.NotEmpty(t, p.Reason)
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Remedy)
		}
	})
}

func TestSetLimitsReplacesTheAnnotations(t *testing.T) {
	c, problems := nodegroups.ParseConfig("stack", []string{
		"node-group-min-size=5", "cluster.x-k8s.io/node-group-max-size=x", "node-group-max-size=1", "node-group-mix-size=2",
	}, "")
	require.Len(t, problems, 3)
	c.SetLimits(2, 3)
	assert.Empty(t, cmp.Diff(config(limits(2, 3)), c))
	left := nodegroups.WithoutLimits(problems)
	require.Len(t, left, 1)
	assert.Equal(t, nodegroups.ReasonMisspeltTag, left[0].Reason)
}
