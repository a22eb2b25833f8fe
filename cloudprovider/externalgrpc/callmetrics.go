package externalgrpc

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// callMetrics counts calls under the names that gRPC servers in Go usually have (grpc_server_*). Everything that a method needs is
// looked up once, before the first call: core asks three times per node in each loop, one call after the other, and go-grpc-middleware's
// interceptor, which looks up labels five times for each, took longer than the answer.
type callMetrics struct {
	started, handled *prometheus.CounterVec
	took             *prometheus.HistogramVec
	// methods are those of the server by their full names; not written to after know.
	methods map[string]*methodMetrics
}

// methodMetrics are one method's.
type methodMetrics struct {
	started prometheus.Counter
	handled [codes.Unauthenticated + 1]prometheus.Counter // by code
	took    prometheus.Observer
}

func newCallMetrics() *callMetrics {
	labels := []string{"grpc_type", "grpc_service", "grpc_method"}
	return &callMetrics{
		started: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_server_started_total", Help: "Calls that have begun.",
		}, labels),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_server_handled_total", Help: "Calls that were answered, by the code of the answer.",
		}, append(labels[:3:3], "grpc_code")),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grpc_server_handling_seconds", Help: "Time until a call was answered.", Buckets: prometheus.DefBuckets,
		}, labels),
		methods: map[string]*methodMetrics{},
	}
}

// Describe implements prometheus.Collector.
func (m *callMetrics) Describe(ch chan<- *prometheus.Desc) {
	m.started.Describe(ch)
	m.handled.Describe(ch)
	m.took.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *callMetrics) Collect(ch chan<- prometheus.Metric) {
	m.started.Collect(ch)
	m.handled.Collect(ch)
	m.took.Collect(ch)
}

// know prepares for the unary methods of a server. They are shown with 0 calls from the beginning on, as alerts need it.
func (m *callMetrics) know(server interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}) {
	for service, info := range server.GetServiceInfo() {
		for _, method := range info.Methods {
			if method.IsClientStream || method.IsServerStream {
				continue
			}
			labels := []string{"unary", service, method.Name}
			known := &methodMetrics{started: m.started.WithLabelValues(labels...), took: m.took.WithLabelValues(labels...)}
			for code := range known.handled {
				known.handled[code] = m.handled.WithLabelValues(append(labels[:3:3], codes.Code(code).String())...)
			}
			m.methods["/"+service+"/"+method.Name] = known
		}
	}
}

// intercept counts a call.
func (m *callMetrics) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	method := m.methods[info.FullMethod]
	if method == nil {
		return handler(ctx, request)
	}
	began := time.Now()
	method.started.Inc()
	answer, err := handler(ctx, request)
	method.took.Observe(time.Since(began).Seconds())
	method.handled[codeOf(err)].Inc()
	return answer, err
}

// codeOf is the code with which gRPC answers err.
func codeOf(err error) codes.Code {
	code := status.Code(err)
	if code == codes.Unknown {
		code = status.FromContextError(err).Code()
	}
	if code > codes.Unauthenticated { // the last one that there is
		return codes.Unknown
	}
	return code
}
