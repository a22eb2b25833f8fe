package externalgrpc

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// prices returns the price model.
func (s *Server) prices() (cloudprovider.PricingModel, error) {
	model, err := s.provider.Pricing()
	if err != nil { // an interface of its own: never to be compared as an error
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return model, nil
}

// PricingNodePrice answers with the price of a node for a time, in the price file's currency.
func (s *Server) PricingNodePrice(_ context.Context, request *protos.PricingNodePriceRequest) (*protos.PricingNodePriceResponse, error) {
	model, err := s.prices()
	if err != nil {
		return nil, err
	}
	unknown := request.ProtoReflect().GetUnknown()
	price, err := model.NodePrice(s.node(request.GetNode()),
		instant(unknown, fieldNodePriceStart, request.GetStartTime()), instant(unknown, fieldNodePriceEnd, request.GetEndTime()))
	if err != nil {
		return nil, asStatus(err)
	}
	return &protos.PricingNodePriceResponse{Price: price}, nil
}

// PricingPodPrice answers with the least price of running a pod for a time.
func (s *Server) PricingPodPrice(_ context.Context, request *protos.PricingPodPriceRequest) (*protos.PricingPodPriceResponse, error) {
	model, err := s.prices()
	if err != nil {
		return nil, err
	}
	unknown := request.ProtoReflect().GetUnknown()
	pod := request.GetPod()
	if bytes, ok := bytesOf(unknown, fieldPodBytes); ok {
		pod = &v1.Pod{}
		if err := pod.Unmarshal(bytes); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "the pod can't be read: %v", err)
		}
	}
	if pod == nil {
		return nil, status.Error(codes.InvalidArgument, "the question has no pod")
	}
	price, err := model.PodPrice(pod,
		instant(unknown, fieldPodPriceStart, request.GetStartTime()), instant(unknown, fieldPodPriceEnd, request.GetEndTime()))
	if err != nil {
		return nil, asStatus(err)
	}
	return &protos.PricingPodPriceResponse{Price: price}, nil
}

// instant is a time in the new form if it is given, else in the old one, else zero.
func instant(unknown []byte, number protowire.Number, old *metav1.Time) time.Time {
	if t, ok := timeOf(unknown, number); ok {
		return t
	}
	if old != nil {
		return old.Time
	}
	return time.Time{}
}
