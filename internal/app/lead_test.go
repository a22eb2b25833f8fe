package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	componentconfig "k8s.io/component-base/config"
)

func election() componentconfig.LeaderElectionConfiguration {
	return componentconfig.LeaderElectionConfiguration{
		LeaderElect: true, ResourceLock: resourcelock.LeasesResourceLock, ResourceName: "the-lease",
		LeaseDuration: metav1.Duration{Duration: time.Hour}, RenewDeadline: metav1.Duration{Duration: 30 * time.Minute},
		RetryPeriod: metav1.Duration{Duration: 10 * time.Millisecond},
	}
}

// holder is who has the lease, empty if nobody.
func holder(ctx context.Context, t *testing.T, client *fake.Clientset) string {
	t.Helper()
	lease, err := client.CoordinationV1().Leases("ca").Get(context.WithoutCancel(ctx), "the-lease", metav1.GetOptions{})
	require.NoError(t, err)
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func TestTheLeaseIsHeldUntilTheWorkHasEnded(t *testing.T) {
	client := fake.NewSimpleClientset()
	ctx, cancel := context.WithCancel(context.Background())
	failure := errors.New("the work's own")
	err := lead(ctx, election(), client, "ca", record.NewFakeRecorder(100), nobody, func() error {
		require.NotEmpty(t, holder(ctx, t, client))
		cancel() // SIGTERM
		<-ctx.Done()
		require.NotEmpty(t, holder(ctx, t, client), "nobody else may begin while this one finishes")
		return failure
	})
	require.ErrorIs(t, err, failure)
	require.Empty(t, holder(ctx, t, client), "the next leader need not wait for the lease to run out")
}

func TestAReplicaThatNeverLeadsEndsQuietly(t *testing.T) {
	client := fake.NewSimpleClientset()
	leading, stopLeading := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- lead(context.Background(), election(), client, "ca", record.NewFakeRecorder(100), nobody, func() error {
			close(leading)
			<-stopLeading
			return nil
		})
	}()
	<-leading
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() {
		second <- lead(ctx, election(), client, "ca", record.NewFakeRecorder(100), nobody, func() error {
			return errors.New("there is a leader already")
		})
	}()
	cancel()
	require.NoError(t, <-second)
	close(stopLeading)
	require.NoError(t, <-first)
}

func TestALostLeaseIsAnError(t *testing.T) {
	client := fake.NewSimpleClientset()
	config := election()
	config.LeaseDuration.Duration, config.RenewDeadline.Duration = 200*time.Millisecond, 100*time.Millisecond
	working, end := make(chan struct{}), make(chan struct{})
	client.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		<-working
		return true, nil, errors.New("etcd is down")
	})
	defer close(end)
	err := lead(context.Background(), config, client, "ca", record.NewFakeRecorder(100), nobody, func() error {
		close(working)
		<-end
		return nil
	})
	require.ErrorIs(t, err, errLeaseLost)
}

func TestBadElectionFlagsAreErrors(t *testing.T) {
	config := election()
	config.ResourceLock = "stone"
	require.ErrorContains(t, lead(context.Background(), config, fake.NewSimpleClientset(), "ca", nil, nobody, nil), "--leader-elect-resource-lock=stone")
	config = election()
	config.RenewDeadline = config.LeaseDuration
	require.ErrorContains(t, lead(context.Background(), config, fake.NewSimpleClientset(), "ca", nil, nobody, nil), "--leader-elect-")
}

func nobody(string, bool) {}
