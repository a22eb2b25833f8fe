package app

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
)

func TestWorkIsDoneWhileSomebodyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		called, over := make(chan struct{}), make(chan struct{})
		var begun, ended atomic.Int32
		go func() {
			defer close(over)
			whileCalled(ctx, called, time.Minute, clock.RealClock{}, func(ctx context.Context) {
				begun.Add(1)
				<-ctx.Done()
				ended.Add(1)
			})
		}()
		synctest.Wait()
		require.Zero(t, begun.Load(), "nobody has called")
		for n := range 2 { // it begins again after a silence
			called <- struct{}{}
			synctest.Wait()
			require.EqualValues(t, n+1, begun.Load())
			time.Sleep(59 * time.Second)
			called <- struct{}{}
			time.Sleep(59 * time.Second)
			synctest.Wait()
			require.EqualValues(t, n, ended.Load(), "there was a call within the last minute")
			time.Sleep(time.Second)
			synctest.Wait()
			require.EqualValues(t, n+1, ended.Load())
		}
		called <- struct{}{}
		synctest.Wait()
		require.EqualValues(t, 3, begun.Load())
		cancel()
		<-over
		require.EqualValues(t, 3, ended.Load())
	})
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
