package externalgrpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	v1 "k8s.io/api/core/v1"
	core "k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	caerrors "k8s.io/autoscaler/cluster-autoscaler/utils/errors"
)

// priced is a provider that has prices only.
type priced struct {
	Provider
	model core.PricingModel
}

func (p priced) Pricing() (core.PricingModel, caerrors.AutoscalerError) { return p.model, nil }

// prices is a price model that keeps what it is asked.
type prices struct {
	node       *v1.Node
	pod        *v1.Pod
	start, end time.Time
}

func (p *prices) NodePrice(node *v1.Node, start, end time.Time) (float64, error) {
	p.node, p.start, p.end = node, start, end
	return 2.5, nil
}

func (p *prices) PodPrice(pod *v1.Pod, start, end time.Time) (float64, error) {
	p.pod, p.start, p.end = pod, start, end
	return 1.5, nil
}

func TestAPodsPriceNeedsAPod(t *testing.T) {
	s := New(t.Context(), priced{model: &prices{}}, Options{})
	_, err := s.PricingPodPrice(t.Context(), &protos.PricingPodPriceRequest{})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	bad := &protos.PricingPodPriceRequest{}
	bad.ProtoReflect().SetUnknown(appendBytes(nil, fieldPodBytes, []byte{0xff}))
	_, err = s.PricingPodPrice(t.Context(), bad)
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}
