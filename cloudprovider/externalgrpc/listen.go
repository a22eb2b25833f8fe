package externalgrpc

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// Listen says where and how a Server listens.
type Listen struct {
	// Address is host:port. Port 0 takes a free one.
	Address string
	// CertFile, KeyFile and ClientCAFile are PEM files, read again when they change: mutual TLS. Without them the address has to be
	// on loopback.
	CertFile, KeyFile, ClientCAFile string
	// Reflection tells clients such as grpcurl of the service's methods. Off by default.
	Reflection bool
	// Registerer takes the metrics of calls (grpc_server_*); nil for none.
	Registerer prometheus.Registerer
	// Deadline ends a call whose client has given no deadline, or a longer one. Default DefaultDeadline.
	Deadline time.Duration
}

// DefaultDeadline is far above what any call takes: it is for clients that set none.
const DefaultDeadline = 30 * time.Second

// streamWorkers are goroutines that wait for calls. A client asks one question after the other, so that one would do; more of them are
// for deletions, which ask side by side. A new goroutine for each call would have to grow its stack each time.
const streamWorkers = 4

// stopWithin is how long calls may go on when the server ends.
const stopWithin = 10 * time.Second

// Serve answers calls until ctx ends, and tells the address at which it listens, once it does. It returns when all calls have
// ended, or after 10 s; orders may still be under way: see Server.Wait.
func (s *Server) Serve(ctx context.Context, l Listen, listening func(net.Addr)) error {
	if l.Deadline <= 0 {
		l.Deadline = DefaultDeadline
	}
	transport, err := l.transport(ctx)
	if err != nil {
		return err
	}
	metrics := newCallMetrics()
	if l.Registerer != nil {
		if err := l.Registerer.Register(metrics); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	server := grpc.NewServer(
		grpc.Creds(transport),
		grpc.ChainUnaryInterceptor(metrics.intercept, recovery.UnaryServerInterceptor(recovery.WithRecoveryHandlerContext(s.recovered)),
			deadline(l.Deadline)),
		grpc.NumStreamWorkers(streamWorkers),
		// Stock clients keep one connection for ever and send no pings; one that is dead should not stay.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	)
	defer server.Stop()
	protos.RegisterCloudProviderServer(server, s)
	alive := health.NewServer()
	healthv1.RegisterHealthServer(server, alive)
	alive.SetServingStatus(protos.CloudProvider_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	if l.Reflection {
		reflection.Register(server)
	}
	metrics.know(server)

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Address)
	if err != nil {
		return fmt.Errorf("listening at %s: %w", l.Address, err)
	}
	if listening != nil {
		listening(listener.Addr())
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	alive.Shutdown()
	hard := time.AfterFunc(stopWithin, server.Stop)
	defer hard.Stop()
	server.GracefulStop()
	return <-ended
}

// deadline bounds calls whose client does not.
func deadline(limit time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if at, ok := ctx.Deadline(); ok && time.Until(at) <= limit {
			return handler(ctx, request) // the usual case, a thousand times in a loop
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return handler(ctx, request)
	}
}

// recovered answers a call that ended in a panic.
func (s *Server) recovered(_ context.Context, caught any) error {
	s.logger.Error(nil, "A call ended in a panic", "panic", caught, "stack", string(debug.Stack()))
	return status.Errorf(codes.Internal, "a mistake in the server: %v", caught)
}
