package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider/externalgrpc"
)

// canned is a server that knows all answers beforehand: what gRPC itself and the client cost.
type canned struct {
	protos.UnimplementedCloudProviderServer
	groups   *protos.NodeGroupsResponse
	forNode  map[string]*protos.NodeGroupForNodeResponse // by provider id
	size     map[string]*protos.NodeGroupTargetSizeResponse
	nodes    map[string]*protos.NodeGroupNodesResponse
	template map[string]*protos.NodeGroupTemplateNodeInfoResponse
}

// newCanned asks a server everything once.
func newCanned(ctx context.Context, from *externalgrpc.Server, r *rig) (*canned, error) {
	c := &canned{
		forNode: map[string]*protos.NodeGroupForNodeResponse{}, size: map[string]*protos.NodeGroupTargetSizeResponse{},
		nodes: map[string]*protos.NodeGroupNodesResponse{}, template: map[string]*protos.NodeGroupTemplateNodeInfoResponse{},
	}
	var err error
	if c.groups, err = from.NodeGroups(ctx, &protos.NodeGroupsRequest{}); err != nil {
		return nil, err
	}
	for _, g := range c.groups.GetNodeGroups() {
		if c.size[g.GetId()], err = from.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: g.GetId()}); err != nil {
			return nil, err
		}
		if c.nodes[g.GetId()], err = from.NodeGroupNodes(ctx, &protos.NodeGroupNodesRequest{Id: g.GetId()}); err != nil {
			return nil, err
		}
		if c.template[g.GetId()], err = from.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: g.GetId()}); err != nil {
			return nil, err
		}
	}
	for _, servers := range r.info.Servers {
		for _, id := range servers {
			n := &protos.ExternalGrpcNode{ProviderID: "openstack:///" + id, Name: "node-" + id}
			if c.forNode[n.GetProviderID()], err = from.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{Node: n}); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *canned) serve(ctx context.Context) (address string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer()
	protos.RegisterCloudProviderServer(server, c)
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), server.Stop, nil
}

func (c *canned) NodeGroups(context.Context, *protos.NodeGroupsRequest) (*protos.NodeGroupsResponse, error) {
	return c.groups, nil
}

func (c *canned) NodeGroupForNode(_ context.Context, r *protos.NodeGroupForNodeRequest) (*protos.NodeGroupForNodeResponse, error) {
	if answer, ok := c.forNode[r.GetNode().GetProviderID()]; ok {
		return answer, nil
	}
	return &protos.NodeGroupForNodeResponse{NodeGroup: &protos.NodeGroup{}}, nil
}

func (c *canned) NodeGroupTargetSize(_ context.Context, r *protos.NodeGroupTargetSizeRequest) (*protos.NodeGroupTargetSizeResponse, error) {
	return c.size[r.GetId()], nil
}

func (c *canned) NodeGroupNodes(_ context.Context, r *protos.NodeGroupNodesRequest) (*protos.NodeGroupNodesResponse, error) {
	return c.nodes[r.GetId()], nil
}

func (c *canned) NodeGroupTemplateNodeInfo(_ context.Context, r *protos.NodeGroupTemplateNodeInfoRequest) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	return c.template[r.GetId()], nil
}

func (c *canned) NodeGroupGetOptions(context.Context, *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	return &protos.NodeGroupAutoscalingOptionsResponse{}, nil
}

func (c *canned) Refresh(context.Context, *protos.RefreshRequest) (*protos.RefreshResponse, error) {
	return &protos.RefreshResponse{}, nil
}

func (c *canned) GPULabel(context.Context, *protos.GPULabelRequest) (*protos.GPULabelResponse, error) {
	return &protos.GPULabelResponse{Label: "gpu"}, nil
}

func (c *canned) GetAvailableGPUTypes(context.Context, *protos.GetAvailableGPUTypesRequest) (*protos.GetAvailableGPUTypesResponse, error) {
	return &protos.GetAvailableGPUTypesResponse{}, nil
}
