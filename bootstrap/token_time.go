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

	mu     sync.Mutex
	asked  time.Time // by our clock
	offset time.Duration
}

// timeKept is how long the difference of the two clocks is believed.
const timeKept = 30 * time.Second

// ask returns the API server's time.
func (s *serverTime) ask(ctx context.Context) (time.Time, error) {
	review, err := s.client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	now := s.clock.Now()
	there := now
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsMethodNotSupported(err):
	case err != nil:
		return time.Time{}, fmt.Errorf("asking the API server for its time: %w", err)
	case !review.CreationTimestamp.IsZero():
		there = review.CreationTimestamp.Time
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.offset = now, there.Sub(now)
	if s.offset.Abs() < time.Second {
		s.offset = 0 // the answer has whole seconds
	}
	return now.Add(s.offset), nil
}

// now is as ask, from memory if that is not long ago.
func (s *serverTime) now(ctx context.Context) (time.Time, error) {
	now := s.clock.Now()
	s.mu.Lock()
	since, offset, known := now.Sub(s.asked), s.offset, !s.asked.IsZero()
	s.mu.Unlock()
	if known && since >= 0 && since < timeKept {
		return now.Add(offset), nil
	}
	return s.ask(ctx)
}
