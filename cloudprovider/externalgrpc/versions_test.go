package externalgrpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/autoscaler/cluster-autoscaler/config"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// dialect is how one range of versions writes the messages that differ: field names by number, as published in
// externalgrpc.proto of that release branch. A node, a pod and the old times are bytes here, which is what they are on the wire.
type dialect struct {
	versions string
	template map[string]int32 // NodeGroupTemplateNodeInfoResponse
	options  map[string]int32 // NodeGroupAutoscalingOptions
	pod      map[string]int32 // PricingPodPriceRequest
	node     map[string]int32 // PricingNodePriceRequest
	// oldTimes: k8s.io.apimachinery's Duration and Time, newTimes: google.protobuf's.
	oldTimes, newTimes bool
}

var (
	oldTemplate = map[string]int32{"nodeInfo": 1}
	newTemplate = map[string]int32{"nodeBytes": 2}
	oldPod      = map[string]int32{"pod": 1, "startTime": 2, "endTime": 3}
	newPod      = map[string]int32{"pod_bytes": 4, "startTimestamp": 5, "endTimestamp": 6}
	nodeItself  = map[string]int32{"node": 1}
	oldNode     = map[string]int32{"startTime": 2, "endTime": 3}
	newNode     = map[string]int32{"startTimestamp": 4, "endTimestamp": 5}
	thresholds  = map[string]int32{"scaleDownUtilizationThreshold": 1, "scaleDownGpuUtilizationThreshold": 2}
	flags       = map[string]int32{"zeroOrMaxNodeScaling": 6, "ignoreDaemonSetsUtilization": 7}
	oldScale    = map[string]int32{"scaleDownUnneededTime": 3, "scaleDownUnreadyTime": 4}
	oldStart    = map[string]int32{"MaxNodeProvisionTime": 5}
	newScale    = map[string]int32{"scaleDownUnneededDuration": 8, "scaleDownUnreadyDuration": 9, "MaxNodeProvisionDuration": 10}
	newest      = map[string]int32{"maxNodeStartupDuration": 11, "allowNonAtomicScaleUpToMax": 12}
)

var dialects = []dialect{
	{"1.25-1.28", oldTemplate, union(thresholds, oldScale), oldPod, union(nodeItself, oldNode), true, false},
	{"1.29-1.32", oldTemplate, union(thresholds, oldScale, oldStart), oldPod, union(nodeItself, oldNode), true, false},
	{"1.33", oldTemplate, union(thresholds, oldScale, oldStart, flags), oldPod, union(nodeItself, oldNode), true, false},
	{"1.34", union(oldTemplate, newTemplate), union(thresholds, oldScale, oldStart, flags, newScale), union(oldPod, newPod), union(nodeItself, oldNode, newNode), true, true},
	{"1.35-1.37", newTemplate, union(thresholds, flags, newScale), newPod, union(nodeItself, newNode), false, true},
	{"main", newTemplate, union(thresholds, flags, newScale, newest), newPod, union(nodeItself, newNode), false, true},
}

func union(sets ...map[string]int32) map[string]int32 {
	all := map[string]int32{}
	for _, set := range sets {
		for name, number := range set {
			all[name] = number
		}
	}
	return all
}

// kinds are the fields that are no bytes.
var kinds = map[string]descriptorpb.FieldDescriptorProto_Type{
	"scaleDownUtilizationThreshold": descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, "scaleDownGpuUtilizationThreshold": descriptorpb.FieldDescriptorProto_TYPE_DOUBLE,
	"zeroOrMaxNodeScaling": descriptorpb.FieldDescriptorProto_TYPE_BOOL, "ignoreDaemonSetsUtilization": descriptorpb.FieldDescriptorProto_TYPE_BOOL,
	"allowNonAtomicScaleUpToMax": descriptorpb.FieldDescriptorProto_TYPE_BOOL,
}

// message returns an empty message with these fields.
func message(t *testing.T, fields map[string]int32) *dynamicpb.Message {
	t.Helper()
	m := &descriptorpb.DescriptorProto{Name: proto.String("M")}
	for name, number := range fields {
		kind, ok := kinds[name]
		if !ok {
			kind = descriptorpb.FieldDescriptorProto_TYPE_BYTES
		}
		m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		})
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("m.proto"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{m},
	}, nil)
	require.NoError(t, err)
	return dynamicpb.NewMessage(file.Messages().Get(0))
}

func set(m *dynamicpb.Message, name string, value any) {
	if f := m.Descriptor().Fields().ByName(protoreflect.Name(name)); f != nil {
		m.Set(f, protoreflect.ValueOf(value))
	}
}

// get returns a field's value, nil if the dialect has no such field or it is not set.
func get(m *dynamicpb.Message, name string) any {
	f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if f == nil || !m.Has(f) {
		return nil
	}
	return m.Get(f).Interface()
}

// oldDuration is a k8s.io.apimachinery.pkg.apis.meta.v1.Duration on the wire.
func oldDuration(t *testing.T, d time.Duration) []byte {
	t.Helper()
	bytes, err := (&metav1.Duration{Duration: d}).Marshal()
	require.NoError(t, err)
	return bytes
}

func newDuration(d time.Duration) []byte {
	whole := appendDuration(nil, 1, d)
	value, _ := bytesOf(whole, 1)
	return value
}

func TestEveryVersionReadsTheTemplate(t *testing.T) {
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "template", Labels: map[string]string{"pool": "a"}}}
	answer, err := template(node)
	require.NoError(t, err)
	bytes, err := proto.Marshal(answer)
	require.NoError(t, err)
	for _, d := range dialects {
		t.Run(d.versions, func(t *testing.T) {
			m := message(t, d.template)
			require.NoError(t, proto.Unmarshal(bytes, m))
			for name := range d.template {
				var read v1.Node
				require.NoError(t, read.Unmarshal(get(m, name).([]byte)), name)
				require.Equal(t, node, &read, name)
			}
		})
	}
}

func TestEveryVersionAsksForOptionsAndReadsThem(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.versions, func(t *testing.T) {
			asked := message(t, d.options)
			set(asked, "scaleDownUtilizationThreshold", 0.5)
			set(asked, "ignoreDaemonSetsUtilization", true)
			for name, value := range map[string]time.Duration{
				"scaleDownUnneededTime": 10 * time.Minute, "scaleDownUnreadyTime": 20 * time.Minute, "MaxNodeProvisionTime": 15 * time.Minute,
			} {
				set(asked, name, oldDuration(t, value))
			}
			for name, value := range map[string]time.Duration{
				"scaleDownUnneededDuration": 10 * time.Minute, "scaleDownUnreadyDuration": 20 * time.Minute,
				"MaxNodeProvisionDuration": 15 * time.Minute, "maxNodeStartupDuration": 15*time.Minute + 7*time.Nanosecond,
			} {
				set(asked, name, newDuration(value))
			}
			set(asked, "allowNonAtomicScaleUpToMax", true)
			bytes, err := proto.Marshal(asked)
			require.NoError(t, err)
			var request protos.NodeGroupAutoscalingOptions
			require.NoError(t, proto.Unmarshal(bytes, &request))

			read := readOptions(&request)
			want := config.NodeGroupAutoscalingOptions{
				ScaleDownUtilizationThreshold: 0.5, ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute,
			}
			if d.versions != "1.25-1.28" { // has no field for it
				want.MaxNodeProvisionTime = 15 * time.Minute
			}
			_, want.IgnoreDaemonSetsUtilization = d.options["ignoreDaemonSetsUtilization"]
			require.Equal(t, want, read)

			own := read
			own.ScaleDownUnneededTime = 90*time.Second + 5*time.Millisecond
			bytes, err = proto.Marshal(writeOptions(&own, &request))
			require.NoError(t, err)
			answer := message(t, d.options)
			require.NoError(t, proto.Unmarshal(bytes, answer))
			require.InDelta(t, 0.5, get(answer, "scaleDownUtilizationThreshold"), 0)
			if d.oldTimes {
				require.Equal(t, oldDuration(t, own.ScaleDownUnneededTime), get(answer, "scaleDownUnneededTime"))
				require.Equal(t, oldDuration(t, own.ScaleDownUnreadyTime), get(answer, "scaleDownUnreadyTime"))
			}
			if _, has := d.options["MaxNodeProvisionTime"]; has {
				require.Equal(t, oldDuration(t, own.MaxNodeProvisionTime), get(answer, "MaxNodeProvisionTime"), "1.33 ends with a panic without")
			}
			if d.newTimes {
				require.Equal(t, newDuration(own.ScaleDownUnneededTime), get(answer, "scaleDownUnneededDuration"))
				require.Equal(t, newDuration(own.ScaleDownUnreadyTime), get(answer, "scaleDownUnreadyDuration"))
				require.Equal(t, newDuration(own.MaxNodeProvisionTime), get(answer, "MaxNodeProvisionDuration"), "0 would remove idle nodes at once")
			}
			if d.versions == "main" {
				require.Equal(t, get(asked, "maxNodeStartupDuration"), get(answer, "maxNodeStartupDuration"), "what is new goes back as it came")
				require.Equal(t, true, get(answer, "allowNonAtomicScaleUpToMax"))
			}
		})
	}
}

// A client of 1.25 to 1.28 can't be told a provision time, takes 0 for it, and takes every error for a failure.
func TestClientsWithoutProvisionTimeKeepTheDefaults(t *testing.T) {
	minute := 7 * time.Minute
	r := newRig(t, nil, fake.Stack("plain", 1), fake.Stack("own", 1, func(s *nodegroups.Stack) {
		s.Config.Options = nodegroups.Options{ScaleDownUnneededTime: &minute}
	}))
	for _, d := range dialects {
		t.Run(d.versions, func(t *testing.T) {
			asked := message(t, d.options)
			set(asked, "scaleDownUtilizationThreshold", 0.5)
			for _, name := range []string{"scaleDownUnneededTime", "scaleDownUnreadyTime", "MaxNodeProvisionTime"} {
				set(asked, name, oldDuration(t, 0))
			}
			for _, name := range []string{"scaleDownUnneededDuration", "scaleDownUnreadyDuration", "MaxNodeProvisionDuration"} {
				set(asked, name, newDuration(0))
			}
			bytes, err := proto.Marshal(asked)
			require.NoError(t, err)
			defaults := &protos.NodeGroupAutoscalingOptions{}
			require.NoError(t, proto.Unmarshal(bytes, defaults))

			answer, err := r.server.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: "plain", Defaults: defaults})
			require.NoError(t, err)
			require.Zero(t, proto.Size(answer), "no options: the defaults hold")
			answer, err = r.server.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: "own", Defaults: defaults})
			require.NoError(t, err)
			require.Equal(t, d.versions == "1.25-1.28", answer.GetNodeGroupAutoscalingOptions() == nil)
		})
	}
	answer, err := r.server.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: "own"})
	require.NoError(t, err)
	require.Zero(t, proto.Size(answer), "a question without defaults")
}

// setPeriod says from when to when a price is asked for, in the old form and in the new one, as far as the dialect has them.
func setPeriod(t *testing.T, asked *dynamicpb.Message, start, end time.Time) {
	t.Helper()
	for name, value := range map[string]time.Time{"startTime": start, "endTime": end} {
		old := metav1.NewTime(value)
		bytes, err := old.Marshal()
		require.NoError(t, err)
		set(asked, name, bytes)
	}
	for name, value := range map[string]time.Time{"startTimestamp": start, "endTimestamp": end} {
		// Duration and Timestamp look the same on the wire.
		set(asked, name, newDuration(time.Duration(value.UnixNano())))
	}
}

func TestEveryVersionAsksForAPodsPrice(t *testing.T) {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	podBytes, err := pod.Marshal()
	require.NoError(t, err)
	start, end := time.Unix(1_700_000_000, 5), time.Unix(1_700_003_600, 0)
	for _, d := range dialects {
		t.Run(d.versions, func(t *testing.T) {
			asked := message(t, d.pod)
			set(asked, "pod", podBytes)
			set(asked, "pod_bytes", podBytes)
			setPeriod(t, asked, start, end)
			bytes, err := proto.Marshal(asked)
			require.NoError(t, err)
			var request protos.PricingPodPriceRequest
			require.NoError(t, proto.Unmarshal(bytes, &request))
			prices := &prices{}
			s := New(t.Context(), priced{model: prices}, Options{})
			answer, err := s.PricingPodPrice(t.Context(), &request)
			require.NoError(t, err)
			require.InDelta(t, 1.5, answer.GetPrice(), 0)
			require.Equal(t, "p", prices.pod.Name)
			require.Equal(t, start.Unix(), prices.start.Unix())
			require.Equal(t, end.Unix(), prices.end.Unix())
		})
	}
}

func TestEveryVersionAsksForANodesPrice(t *testing.T) {
	node, err := proto.Marshal(&protos.ExternalGrpcNode{Name: "n", ProviderID: "openstack:///x"}) // the same in all versions
	require.NoError(t, err)
	start, end := time.Unix(1_700_000_000, 5), time.Unix(1_700_003_600, 0)
	for _, d := range dialects {
		t.Run(d.versions, func(t *testing.T) {
			asked := message(t, d.node)
			set(asked, "node", node)
			setPeriod(t, asked, start, end)
			bytes, err := proto.Marshal(asked)
			require.NoError(t, err)
			var request protos.PricingNodePriceRequest
			require.NoError(t, proto.Unmarshal(bytes, &request))
			prices := &prices{}
			answer, err := New(t.Context(), priced{model: prices}, Options{}).PricingNodePrice(t.Context(), &request)
			require.NoError(t, err)
			require.InDelta(t, 2.5, answer.GetPrice(), 0)
			require.Equal(t, "n", prices.node.Name)
			require.Equal(t, start.Unix(), prices.start.Unix())
			require.Equal(t, end.Unix(), prices.end.Unix())
		})
	}
}
