package externalgrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// node makes a Node of what the protocol tells of one.
func (s *Server) node(n *protos.ExternalGrpcNode) *v1.Node {
	node := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.GetName(), Labels: n.GetLabels(), Annotations: n.GetAnnotations()},
		Spec:       v1.NodeSpec{ProviderID: n.GetProviderID()},
	}
	if node.Spec.ProviderID == "" && s.opts.Node != nil {
		// Such a node is known by its system UUID alone.
		if full := s.opts.Node(node.Name); full != nil {
			return full
		}
	}
	return node
}

func (s *Server) nodes(list []*protos.ExternalGrpcNode) []*v1.Node {
	nodes := make([]*v1.Node, 0, len(list))
	for _, n := range list {
		nodes = append(nodes, s.node(n))
	}
	return nodes
}

// instance puts a member on the wire. States and classes have the same numbers there as in core.
func instance(i *cloudprovider.Instance) *protos.Instance {
	out := &protos.Instance{Id: i.Id}
	if i.Status == nil {
		return out
	}
	out.Status = &protos.InstanceStatus{InstanceState: protos.InstanceStatus_InstanceState(whole(int(i.Status.State)))}
	if e := i.Status.ErrorInfo; e != nil {
		// Clients drop an error without a code.
		code := e.ErrorCode
		if code == "" {
			code = "unknown"
		}
		out.Status.ErrorInfo = &protos.InstanceErrorInfo{
			ErrorCode: code, ErrorMessage: e.ErrorMessage, InstanceErrorClass: whole(int(e.ErrorClass)),
		}
	}
	return out
}

// asStatus is an error as gRPC carries it. Clients know one code, Unimplemented; of all others they read the text.
func asStatus(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cloudprovider.ErrNotImplemented):
		return status.Error(codes.Unimplemented, "not implemented")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}
