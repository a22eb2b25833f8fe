package externalgrpc

import (
	"context"
	"math"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// NodeGroups lists all node groups. It does not fail once the cloud has been read: a stock client takes a failure for an empty list,
// and core would forget what it knows of the groups. Before, an empty list would be worse than a failure: a client keeps it until it
// calls Refresh the next time, and would go on with it if it asked while the first reading after a start of this server is under way.
func (s *Server) NodeGroups(context.Context, *protos.NodeGroupsRequest) (*protos.NodeGroupsResponse, error) {
	groups := s.provider.NodeGroups()
	if len(groups) == 0 && !s.reading.hasSucceeded() {
		return nil, status.Error(codes.Unavailable, "the cloud has not been read yet: call Refresh")
	}
	answer := &protos.NodeGroupsResponse{NodeGroups: make([]*protos.NodeGroup, 0, len(groups))}
	for _, g := range groups {
		described := limits(g)
		described.Debug = g.Debug()
		answer.NodeGroups = append(answer.NodeGroups, described)
	}
	return answer, nil
}

// limits puts a group's limits on the wire. A stock client takes them from NodeGroups and from NodeGroupForNode alike: where they
// were missing, the group's minimum would be 0. The description is told by NodeGroups only: it costs a walk over all members.
func limits(g cloudprovider.NodeGroup) *protos.NodeGroup {
	return &protos.NodeGroup{Id: g.Id(), MinSize: whole(g.MinSize()), MaxSize: whole(g.MaxSize())}
}

// whole keeps a size inside of what the wire can carry.
func whole(size int) int32 { return int32(min(max(size, math.MinInt32), math.MaxInt32)) }

// NodeGroupForNode answers with the group of a node, and with an empty one for a node that is in none.
func (s *Server) NodeGroupForNode(_ context.Context, request *protos.NodeGroupForNodeRequest) (*protos.NodeGroupForNodeResponse, error) {
	g, err := s.provider.NodeGroupForNode(s.node(request.GetNode()))
	if err != nil {
		return nil, asStatus(err)
	}
	if g == nil {
		return &protos.NodeGroupForNodeResponse{NodeGroup: &protos.NodeGroup{}}, nil
	}
	return &protos.NodeGroupForNodeResponse{NodeGroup: limits(g)}, nil
}

// group finds the group that a call is about.
func (s *Server) group(id string) (cloudprovider.NodeGroup, error) {
	if g, ok := s.provider.NodeGroup(id); ok {
		return g, nil
	}
	return nil, status.Errorf(codes.NotFound, "there is no node group %q", id)
}

// NodeGroupTargetSize answers with the size that was ordered, orders that are under way included.
func (s *Server) NodeGroupTargetSize(_ context.Context, request *protos.NodeGroupTargetSizeRequest) (*protos.NodeGroupTargetSizeResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	size, err := g.TargetSize()
	if err != nil {
		return nil, asStatus(err)
	}
	return &protos.NodeGroupTargetSizeResponse{TargetSize: whole(s.orders.foresee(g, size))}, nil
}

// NodeGroupNodes lists the group's members.
func (s *Server) NodeGroupNodes(_ context.Context, request *protos.NodeGroupNodesRequest) (*protos.NodeGroupNodesResponse, error) {
	g, err := s.group(request.GetId())
	if err != nil {
		return nil, err
	}
	instances, err := g.Nodes()
	if err != nil {
		return nil, asStatus(err)
	}
	answer := &protos.NodeGroupNodesResponse{Instances: make([]*protos.Instance, 0, len(instances))}
	for i := range instances {
		answer.Instances = append(answer.Instances, instance(&instances[i]))
	}
	return answer, nil
}

// GetAvailableGPUTypes lists the types of GPUs that node groups have.
func (s *Server) GetAvailableGPUTypes(context.Context, *protos.GetAvailableGPUTypesRequest) (*protos.GetAvailableGPUTypesResponse, error) {
	answer := &protos.GetAvailableGPUTypesResponse{GpuTypes: map[string]*anypb.Any{}}
	for name := range s.provider.GetAvailableGPUTypes() {
		answer.GpuTypes[name] = &anypb.Any{}
	}
	return answer, nil
}
