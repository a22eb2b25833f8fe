package externalgrpc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	v1 "k8s.io/api/core/v1"
	core "k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// hold waits for release.
func hold(ctx context.Context, release <-chan struct{}) error {
	select {
	case <-release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAnOrderThatTakesLongIsAnsweredAndCounted(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(o *Options, _ *cloudprovider.Options) { o.AnswerWithin = 20 * time.Millisecond }, fake.Stack("a", 2))
	r.interfere(func(ctx context.Context, call fake.Call) error {
		if call.Method == "Grow" || call.Method == "Remove" {
			return hold(ctx, release)
		}
		return nil
	})
	require.NoError(t, r.group(t, "a").IncreaseSize(3))
	require.Equal(t, 5, r.size(t, "a"), "core asks right after the order, and would order it again")
	require.NoError(t, r.group(t, "a").DeleteNodes([]*v1.Node{nodeOf("a", 1)}))
	require.Equal(t, 4, r.size(t, "a"))
	require.NoError(t, r.group(t, "a").DeleteNodes([]*v1.Node{nodeOf("a", 1)}))
	require.Equal(t, 4, r.size(t, "a"), "the same node counts once")
	close(release)
	r.server.Wait()
	r.refresh(t)
	require.Equal(t, 4, r.size(t, "a"), "and as much has really been ordered")
	require.Empty(t, r.reports.All())
}

func TestAnOrderThatFailsLateIsReportedAndForgotten(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(o *Options, _ *cloudprovider.Options) { o.AnswerWithin = 20 * time.Millisecond }, fake.Stack("a", 2))
	r.interfere(func(ctx context.Context, call fake.Call) error {
		if call.Method != "Grow" {
			return nil
		}
		return errors.Join(hold(ctx, release), errors.New("the quota is used up"))
	})
	require.NoError(t, r.group(t, "a").IncreaseSize(1))
	require.Equal(t, 3, r.size(t, "a"))
	close(release)
	r.server.Wait()
	require.Equal(t, 2, r.size(t, "a"), "nothing is waited for that will not come")
	require.Equal(t, []string{nodegroups.ReasonLateFailure}, r.reports.Reasons())
	require.Contains(t, r.reports.All()[0].Message, "the quota is used up")
}

// Core orders a withdrawal again in each loop as long as it sees the old size.
func TestAWithdrawalThatTakesLongIsNotMadeTwice(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(o *Options, _ *cloudprovider.Options) { o.AnswerWithin = 20 * time.Millisecond }, fake.Stack("a", 2))
	require.NoError(t, r.group(t, "a").IncreaseSize(4)) // members that have not come yet
	r.server.Wait()
	r.interfere(func(ctx context.Context, call fake.Call) error {
		if call.Method == "Shrink" {
			return hold(ctx, release)
		}
		return nil
	})
	for range 3 {
		require.NoError(t, r.group(t, "a").DecreaseTargetSize(-1))
	}
	close(release)
	r.server.Wait()
	r.refresh(t)
	require.Equal(t, 5, r.size(t, "a"))
	require.NoError(t, r.group(t, "a").DecreaseTargetSize(-1))
	r.server.Wait()
	require.Equal(t, 4, r.size(t, "a"), "the next one is made")
}

func TestAnOrderThatFailsAtOnceIsAnError(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	r.cloud.Fail("Grow", "", errors.New("the quota is used up"))
	require.ErrorContains(t, r.group(t, "a").IncreaseSize(1), "the quota is used up")
	require.Empty(t, r.reports.All(), "who asked has been told")
	require.Equal(t, 2, r.size(t, "a"))
}

func TestAnOrderThatHasEndedIsNotCountedWhenItIsAnswered(t *testing.T) {
	s := New(t.Context(), nil, Options{})
	for range 100 {
		ended := false
		err := s.carryOut(t.Context(), "the order", "a", func() { ended = true }, func() error { return errors.New("refused") })
		require.ErrorContains(t, err, "refused")
		require.True(t, ended)
	}
	s.Wait()
}

func TestAnswersComeBeforeTheCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where no time passes between a call and what is made of its deadline
		s := New(context.Background(), nil, Options{})
		for _, tt := range []struct{ deadline, want time.Duration }{
			{0, DefaultAnswerWithin},
			{5 * time.Second, 4 * time.Second},
			{time.Second, 800 * time.Millisecond},
			{time.Hour, DefaultAnswerWithin},
			{-time.Second, 0},
		} {
			ctx := context.Background()
			if tt.deadline != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				defer cancel()
			}
			require.Equal(t, tt.want, s.patience(ctx), tt.deadline)
		}
	})
}

func TestAReadingThatTakesLongIsWaitedForByTheNextCall(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(o *Options, _ *cloudprovider.Options) { o.AnswerWithin = 100 * time.Millisecond }, fake.Stack("a", 2))
	r.interfere(func(ctx context.Context, call fake.Call) error {
		if call.Method == "Refresh" {
			return hold(ctx, release)
		}
		return nil
	})
	readings := func() (n int) {
		for _, call := range r.cloud.Calls() {
			if call.Method == "Refresh" {
				n++
			}
		}
		return n
	}
	before := readings()
	err := r.client.Refresh()
	require.Equal(t, codes.Unavailable, status.Code(err), "core decides nothing on what may be old")
	require.ErrorContains(t, err, "grpc_timeout")
	eventually(t, "the reading begins", func() bool { return readings() > before })
	for range 3 {
		require.Error(t, r.client.Refresh())
	}
	require.Equal(t, 2, r.size(t, "a"), "questions are answered meanwhile")
	require.Equal(t, before+1, readings(), "the calls that gave up shared one reading")
	close(release)
	r.refresh(t)
}

// broken is a provider with a mistake in it.
type broken struct{ Provider }

func (broken) Refresh() error                          { panic("oh") }
func (broken) NodeGroup(string) (core.NodeGroup, bool) { return faulty{}, true }

type faulty struct{ core.NodeGroup }

func (faulty) Id() string               { return "faulty" } //nolint:revive,staticcheck // the interface is cluster-autoscaler's
func (faulty) TargetSize() (int, error) { return 1, nil }
func (faulty) IncreaseSize(int) error   { panic("oh") }

func TestAPanicEndsNothing(t *testing.T) {
	s := New(context.Background(), broken{}, Options{})
	_, err := s.Refresh(context.Background(), nil)
	require.ErrorContains(t, err, "oh")
	_, err = s.Refresh(context.Background(), nil)
	require.ErrorContains(t, err, "oh", "the next one is tried again")
	_, err = s.NodeGroupIncreaseSize(context.Background(), &protos.NodeGroupIncreaseSizeRequest{Id: "faulty", Delta: 1})
	require.ErrorContains(t, err, "oh")
	s.Wait()
}
