package app

import (
	"context"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	testclock "k8s.io/utils/clock/testing"
)

func TestWorkIsDoneWhileSomebodyCalls(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	clock := testclock.NewFakeClock(time.Unix(1000, 0))
	called, began, ended, over := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		whileCalled(ctx, called, time.Minute, clock, func(ctx context.Context) {
			began <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
		})
	}()
	waits := func() {
		require.Eventually(t, clock.HasWaiters, 10*time.Second, time.Millisecond)
	}
	select {
	case <-began:
		t.Fatal("nobody has called")
	case <-time.After(20 * time.Millisecond):
	}
	for range 2 { // it begins again after a silence
		called <- struct{}{}
		<-began
		waits()
		clock.Step(59 * time.Second)
		called <- struct{}{}
		called <- struct{}{} // taken when the first one has had its effect
		clock.Step(59 * time.Second)
		select {
		case <-ended:
			t.Fatal("there was a call within the last minute")
		case <-time.After(20 * time.Millisecond):
		}
		clock.Step(61 * time.Second)
		<-ended
	}
	called <- struct{}{}
	<-began
	cancel()
	<-ended
	<-over
}

func TestTheExternalFormRefusesFlagsThatMeanNothingToIt(t *testing.T) {
	line := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags := new(Flags)
	flags.Register(line)
	flags.registerGRPC(line)
	line.String("expander", "", "")
	line.String("namespace", "", "")
	line.Int("v", 0, "")
	require.NoError(t, line.Parse([]string{"--namespace=x", "--v=2", "--grpc-address=127.0.0.1:1", "--auto-repair=false"}))
	require.NoError(t, external.refuse(line, external.ours()))
	require.NoError(t, line.Parse([]string{"--expander=price", "--dry-run"}))
	err := external.refuse(line, external.ours())
	require.ErrorContains(t, err, "--expander=price: not a flag of this program; give it to cluster-autoscaler itself")
	require.ErrorContains(t, err, "--dry-run=true")
	require.NoError(t, embedded.refuse(line, embedded.ours()))
}
