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

// node returns the Node that a call is about: the cluster's own where it is known, since the protocol carries neither the system
// UUID, by which some are found, nor the capacity, which is compared with the template's. Nodes that core made up are not in the
// cluster.
func (s *Server) node(n *protos.ExternalGrpcNode) *v1.Node {
	if s.opts.Node != nil {
		if full := s.opts.Node(n.GetName()); full != nil && (n.GetProviderID() == "" || n.GetProviderID() == full.Spec.ProviderID) {
			return full
		}
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.GetName(), Labels: n.GetLabels(), Annotations: n.GetAnnotations()},
		Spec:       v1.NodeSpec{ProviderID: n.GetProviderID()},
	}
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
