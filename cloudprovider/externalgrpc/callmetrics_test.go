package externalgrpc

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// oneMethod is a server with one method, and a stream that is not counted.
type oneMethod struct{}

func (oneMethod) GetServiceInfo() map[string]grpc.ServiceInfo {
	return map[string]grpc.ServiceInfo{"s.S": {Methods: []grpc.MethodInfo{{Name: "Ask"}, {Name: "Watch", IsServerStream: true}}}}
}

func TestCallsAreCountedByTheCodeOfTheAnswer(t *testing.T) {
	metrics := newCallMetrics()
	metrics.know(oneMethod{})
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(metrics))
	for want, answers := range map[codes.Code][]error{
		codes.OK: {nil, nil}, codes.NotFound: {status.Error(codes.NotFound, "x")}, codes.Unknown: {errors.New("x"), status.Error(99, "x")},
		codes.DeadlineExceeded: {context.DeadlineExceeded}, codes.Canceled: {context.Canceled},
	} {
		for _, answer := range answers {
			_, err := metrics.intercept(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/s.S/Ask"}, func(context.Context, any) (any, error) {
				return nil, answer
			})
			require.Equal(t, answer, err)
		}
		counted := values(t, registry, "grpc_server_handled_total", "Ask")
		require.InDelta(t, len(answers), counted[want.String()], 0, want)
	}
	require.Equal(t, map[string]float64{"": 7}, values(t, registry, "grpc_server_started_total", "Ask"))
	require.Equal(t, map[string]float64{"": 7}, values(t, registry, "grpc_server_handling_seconds", "Ask"))
	require.Len(t, values(t, registry, "grpc_server_handled_total", "Ask"), int(codes.Unauthenticated)+1, "with 0 from the beginning on")
	require.Empty(t, values(t, registry, "grpc_server_started_total", "Watch"))

	_, err := metrics.intercept(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/s.S/Unknown"}, func(context.Context, any) (any, error) {
		return nil, nil
	})
	require.NoError(t, err)
}

// values are the values of a metric for a method, by code. Of a histogram it is the number of observations.
func values(t *testing.T, registry prometheus.Gatherer, metric, method string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != metric {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range m.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			if labels["grpc_method"] == method {
				found[labels["grpc_code"]] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return found
}

// The dashboard asks for this one, by these labels.
func TestTheDashboardKnowsTheMetricsOfCalls(t *testing.T) {
	text, err := os.ReadFile("../../test/chart/alerts/testdata/foreign.txt")
	require.NoError(t, err)
	metrics := newCallMetrics()
	metrics.know(oneMethod{})
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(metrics))
	families, err := registry.Gather()
	require.NoError(t, err)
	var have []string
	for _, family := range families {
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		slices.Sort(labels)
		have = append(have, family.GetName()+" "+strings.Join(labels, ","))
	}
	checked := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "grpc_") {
			checked++
			require.Contains(t, have, strings.TrimSpace(line))
		}
	}
	require.Positive(t, checked)
}
