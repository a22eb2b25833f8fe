package externalgrpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/autoscaler/cluster-autoscaler/config"
)

// theDefaultsHold is the answer about a group without options of its own. An answer that repeats the defaults would set to 0 whatever the
// protocol lacks. The error Unimplemented would say the same from 1.29 on; clients before take it for a failure, as every error, and
// core then neither removes nodes of the group nor, in 1.28, scales it up (kubernetes/autoscaler#6676). All of them take the defaults
// from an empty answer.
var theDefaultsHold = &protos.NodeGroupAutoscalingOptionsResponse{}

// NodeGroupGetOptions answers for groups that have options of their own; all others take the defaults.
func (s *Server) NodeGroupGetOptions(_ context.Context, request *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	defaults := request.GetDefaults()
	own, err := g.GetOptions(readOptions(defaults))
	switch {
	case errors.Is(err, cloudprovider.ErrNotImplemented), err == nil && own == nil:
		return theDefaultsHold, nil
	case err != nil:
		return nil, asStatus(err)
	case !knowsProvisionTime(defaults):
		s.tellOfOldClient(g.Id())
		return theDefaultsHold, nil
	}
	return &protos.NodeGroupAutoscalingOptionsResponse{NodeGroupAutoscalingOptions: writeOptions(own, defaults)}, nil
}

// knowsProvisionTime says whether a client sends its own provision time, and so reads ours. Those of 1.25 to 1.28 do neither: any options
// would give the group a provision time of 0, and 1.27 and 1.28 delete new servers in the next loop then (kubernetes/autoscaler#5935).
func knowsProvisionTime(defaults *protos.NodeGroupAutoscalingOptions) bool {
	_, known := durationOf(defaults.ProtoReflect().GetUnknown(), fieldProvisionDuration)
	return known || defaults.GetMaxNodeProvisionTime() != nil
}

// tellOfOldClient says once why a group's own options have no effect.
func (s *Server) tellOfOldClient(group string) {
	s.oldClient.Do(func() {
		s.logger.Info("The options of node groups (autoscaling-options-...) are left out: this cluster-autoscaler is older than 1.29 and "+
			"would take the time that a node may take for 0; set its own flags instead", "nodeGroup", group)
	})
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
