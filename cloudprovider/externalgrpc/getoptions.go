package externalgrpc

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/autoscaler/cluster-autoscaler/config"
)

// NodeGroupGetOptions answers for groups that have options of their own. All others are told to take the defaults, by
// Unimplemented: an answer that repeats the defaults would set to 0 whatever the protocol lacks.
func (s *Server) NodeGroupGetOptions(_ context.Context, request *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	defaults := request.GetDefaults()
	if defaults == nil {
		return nil, status.Error(codes.Unimplemented, "the question has no defaults to start from")
	}
	own, err := g.GetOptions(readOptions(defaults))
	switch {
	case err != nil:
		return nil, asStatus(err)
	case own == nil:
		return nil, status.Error(codes.Unimplemented, "the defaults hold")
	}
	return &protos.NodeGroupAutoscalingOptionsResponse{NodeGroupAutoscalingOptions: writeOptions(own, defaults)}, nil
}

// readOptions reads options in the form of any version: the new times where they are given, else the old ones.
func readOptions(o *protos.NodeGroupAutoscalingOptions) config.NodeGroupAutoscalingOptions {
	unknown := o.ProtoReflect().GetUnknown()
	pick := func(number protowire.Number, old *metav1.Duration) time.Duration {
		if d, ok := durationOf(unknown, number); ok {
			return d
		}
		if old != nil {
			return old.Duration
		}
		return 0
	}
	return config.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    o.GetScaleDownUtilizationThreshold(),
		ScaleDownGpuUtilizationThreshold: o.GetScaleDownGpuUtilizationThreshold(),
		ScaleDownUnneededTime:            pick(fieldUnneededDuration, o.GetScaleDownUnneededTime()),
		ScaleDownUnreadyTime:             pick(fieldUnreadyDuration, o.GetScaleDownUnreadyTime()),
		MaxNodeProvisionTime:             pick(fieldProvisionDuration, o.GetMaxNodeProvisionTime()),
		ZeroOrMaxNodeScaling:             o.GetZeroOrMaxNodeScaling(),
		IgnoreDaemonSetsUtilization:      o.GetIgnoreDaemonSetsUtilization(),
	}
}

// writeOptions puts options on the wire, in the old and the new form: a client of 1.33 that lacks an old time ends with a panic; a
// newer one that lacks a new one reads 0 and removes nodes at once. Whatever else the defaults hold goes back as it came.
func writeOptions(o *config.NodeGroupAutoscalingOptions, defaults *protos.NodeGroupAutoscalingOptions) *protos.NodeGroupAutoscalingOptions {
	out := &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    o.ScaleDownUtilizationThreshold,
		ScaleDownGpuUtilizationThreshold: o.ScaleDownGpuUtilizationThreshold,
		ScaleDownUnneededTime:            &metav1.Duration{Duration: o.ScaleDownUnneededTime},
		ScaleDownUnreadyTime:             &metav1.Duration{Duration: o.ScaleDownUnreadyTime},
		MaxNodeProvisionTime:             &metav1.Duration{Duration: o.MaxNodeProvisionTime},
		ZeroOrMaxNodeScaling:             o.ZeroOrMaxNodeScaling,
		IgnoreDaemonSetsUtilization:      o.IgnoreDaemonSetsUtilization,
	}
	var unknown []byte
	for _, f := range fields(defaults.ProtoReflect().GetUnknown()) {
		switch f.number {
		case fieldUnneededDuration, fieldUnreadyDuration, fieldProvisionDuration:
		default:
			unknown = append(unknown, f.whole...)
		}
	}
	unknown = appendDuration(unknown, fieldUnneededDuration, o.ScaleDownUnneededTime)
	unknown = appendDuration(unknown, fieldUnreadyDuration, o.ScaleDownUnreadyTime)
	unknown = appendDuration(unknown, fieldProvisionDuration, o.MaxNodeProvisionTime)
	out.ProtoReflect().SetUnknown(unknown)
	return out
}
