package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
	"k8s.io/klog/v2"
)

// Limits of the server, so that readers who are slow, many or hostile cost little.
const (
	headerTimeout = 5 * time.Second
	// writeTimeout is enough for megabytes through a port-forward over a slow line.
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	headerBytes  = 16 << 10
	// connections at once. A browser takes two.
	connections = 32
)

// Serve answers on listener with handler until stop is called. What is under way then is cut off.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) (stop func()) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(netutil.LimitListener(listener, connections)); !errors.Is(err, http.ErrServerClosed) {
			klog.FromContext(ctx).Error(err, "The status page is not served any more")
		}
	}()
	return func() {
		_ = server.Close()
		<-done
	}
}
