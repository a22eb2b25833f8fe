package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"k8s.io/apiserver/pkg/server/mux"
	"k8s.io/apiserver/pkg/server/routes"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"
)

// headerTimeout keeps idle connections from piling up.
const headerTimeout = 10 * time.Second

// newMux serves /metrics, /health-check and /readyz, and where asked for /snapshotz and /debug/pprof.
func newMux(opts config.AutoscalingOptions, health, ready http.Handler, snapshotter debuggingsnapshot.DebuggingSnapshotter) http.Handler {
	m := mux.NewPathRecorderMux("cluster-autoscaler")
	m.Handle("/metrics", legacyregistry.Handler())
	m.Handle("/health-check", health)
	m.Handle("/readyz", ready)
	if opts.DebuggingSnapshotEnabled {
		m.HandleFunc("/snapshotz", snapshotter.ResponseHandler)
	}
	if opts.EnableProfiling {
		routes.Profiling{}.Install(m)
	}
	return m
}

// serve answers on address until stop is called. An address that can't be used is an error at once.
func serve(ctx context.Context, address string, handler http.Handler) (stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &FlagError{"address", address, err.Error(), "write a free address such as :8085"}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			klog.FromContext(ctx).Error(err, "The HTTP server ended")
		}
	}()
	return func() {
		_ = server.Close() // what is under way is a scrape or a probe
		<-done
	}, nil
}
