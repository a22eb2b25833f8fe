package bootstrap

import (
	"context"
	"fmt"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"
)

// serverTime tells the API server's time, by which it accepts or refuses a token. A SelfSubjectReview is answered with it,
// everybody may make one, and nothing is stored (k8s.io/kubernetes/pkg/registry/authentication/selfsubjectreview/rest.go).
// Where there is none (before Kubernetes 1.28, or forbidden) our own clock has to do.
type serverTime struct {
	client kubernetes.Interface
	clock  clock.PassiveClock

	mu sync.Mutex
	// there was the API server's time when here was ours.
	here, there time.Time
}

// timeKept is how long an answer serves.
const timeKept = 30 * time.Second

// ask returns the API server's time.
func (s *serverTime) ask(ctx context.Context) (time.Time, error) {
	review, err := s.client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	here := s.clock.Now()
	there := here
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsMethodNotSupported(err):
	case err != nil:
		return time.Time{}, fmt.Errorf("asking the API server for its time: %w", err)
	case !review.CreationTimestamp.IsZero() && review.CreationTimestamp.Sub(here).Abs() >= time.Second: // it has whole seconds
		there = review.CreationTimestamp.Time
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.here, s.there = here, there
	return there, nil
}

// now is as ask, from memory if that is not long ago.
func (s *serverTime) now(ctx context.Context) (time.Time, error) {
	s.mu.Lock()
	since, there := s.clock.Since(s.here), s.there
	s.mu.Unlock()
	if !there.IsZero() && since >= 0 && since < timeKept {
		return there.Add(since), nil
	}
	return s.ask(ctx)
}
