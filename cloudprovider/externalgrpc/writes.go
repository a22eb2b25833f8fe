package externalgrpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// NodeGroupIncreaseSize orders more members.
func (s *Server) NodeGroupIncreaseSize(ctx context.Context, request *protos.NodeGroupIncreaseSizeRequest) (*protos.NodeGroupIncreaseSizeResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	delta := int(request.GetDelta())
	if delta <= 0 {
		return nil, status.Errorf(codes.InvalidArgument, "node group %q: the size must be increased by 1 or more, not %d", g.Id(), delta)
	}
	done, err := s.orders.grow(g, delta)
	if err != nil {
		return nil, asStatus(err)
	}
	err = s.carryOut(ctx, fmt.Sprintf("the growth by %d", delta), g.Id(), done, func() error { return g.IncreaseSize(delta) })
	if err != nil {
		return nil, err
	}
	return &protos.NodeGroupIncreaseSizeResponse{}, nil
}

// NodeGroupDeleteNodes orders the removal of exactly these nodes.
func (s *Server) NodeGroupDeleteNodes(ctx context.Context, request *protos.NodeGroupDeleteNodesRequest) (*protos.NodeGroupDeleteNodesResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	nodes := s.nodes(request.GetNodes())
	if len(nodes) == 0 {
		return &protos.NodeGroupDeleteNodesResponse{}, nil
	}
	done := s.orders.leave(g.Id(), nodes)
	err = s.carryOut(ctx, fmt.Sprintf("the removal of %d nodes", len(nodes)), g.Id(), done, func() error { return g.DeleteNodes(nodes) })
	if err != nil {
		return nil, err
	}
	return &protos.NodeGroupDeleteNodesResponse{}, nil
}

// NodeGroupDecreaseTargetSize withdraws members that have never come.
func (s *Server) NodeGroupDecreaseTargetSize(ctx context.Context, request *protos.NodeGroupDecreaseTargetSizeRequest) (*protos.NodeGroupDecreaseTargetSizeResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	done, ok := s.orders.shrink(g.Id())
	if !ok {
		return &protos.NodeGroupDecreaseTargetSizeResponse{}, nil
	}
	delta := int(request.GetDelta())
	err = s.carryOut(ctx, fmt.Sprintf("the withdrawal of %d members", -delta), g.Id(), done, func() error { return g.DecreaseTargetSize(delta) })
	if err != nil {
		return nil, err
	}
	return &protos.NodeGroupDecreaseTargetSizeResponse{}, nil
}
