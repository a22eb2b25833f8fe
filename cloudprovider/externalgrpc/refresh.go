package externalgrpc

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// reading is the reading of the cloud that is under way, if there is one. It may take longer than a caller waits; the next call
// then waits for the same reading.
type reading struct {
	running sync.WaitGroup

	mu  sync.Mutex
	now *read
	// succeeded: one has ended well, so that what is known is not nothing.
	succeeded bool
}

type read struct {
	done chan struct{}
	err  error
}

// Refresh reads what has changed in the cloud. An answer that would come too late is an error: core then decides nothing in this
// loop, and finds the reading in a later one.
func (s *Server) Refresh(ctx context.Context, _ *protos.RefreshRequest) (*protos.RefreshResponse, error) {
	if s.opts.Refreshed != nil {
		s.opts.Refreshed()
	}
	r := s.reading.begin(s.provider.Refresh)
	timer := s.opts.Clock.NewTimer(s.patience(ctx))
	defer timer.Stop()
	select {
	case <-r.done:
		if r.err != nil {
			return nil, asStatus(r.err)
		}
		return &protos.RefreshResponse{}, nil
	case <-timer.C():
		return nil, status.Error(codes.Unavailable, "reading the cloud takes longer than the caller waits (grpc_timeout in its cloud-config); it goes on")
	}
}

// begin returns the reading that is under way, or starts one.
func (r *reading) begin(refresh func() error) *read {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil {
		return r.now
	}
	current := &read{done: make(chan struct{})}
	r.now = current
	r.running.Go(func() {
		current.err = guarded(refresh)
		r.mu.Lock()
		r.now = nil
		r.succeeded = r.succeeded || current.err == nil
		r.mu.Unlock()
		close(current.done)
	})
	return current
}

// hasSucceeded says whether the cloud has been read.
func (r *reading) hasSucceeded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.succeeded
}
