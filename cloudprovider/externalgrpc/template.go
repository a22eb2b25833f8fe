package externalgrpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// NodeGroupTemplateNodeInfo answers with what a new node would look like. Pods do not fit into the protocol; core adds those of
// DaemonSets itself.
func (s *Server) NodeGroupTemplateNodeInfo(_ context.Context, request *protos.NodeGroupTemplateNodeInfoRequest) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	info, err := g.TemplateNodeInfo()
	switch {
	case err != nil:
		return nil, asStatus(err)
	case info == nil || info.Node() == nil:
		// An empty answer ends a stock client with a panic.
		return nil, status.Errorf(codes.Unimplemented, "what a new node of node group %q would look like is not known", request.GetId())
	}
	return template(info.Node())
}

// template is the answer with a template's node, in the old and the new form: the same bytes under two numbers.
func template(node *v1.Node) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	bytes, err := node.Marshal()
	if err != nil {
		return nil, asStatus(fmt.Errorf("writing node %q: %w", node.Name, err))
	}
	answer := &protos.NodeGroupTemplateNodeInfoResponse{NodeInfo: node}
	answer.ProtoReflect().SetUnknown(appendBytes(nil, fieldNodeBytes, bytes))
	return answer, nil
}
