package conformance

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Run runs all cases as subtests of t, so many at once and in the order of Cases, each on the target that open returns for
// it: always the same one for a real cloud, a new one each time for a simulated one.
func Run(t *testing.T, open func(t *testing.T) Target, atOnce int, verdicts *Verdicts) {
	t.Helper()
	queue := make(chan Named)
	var workers sync.WaitGroup
	// Not t.Parallel, which neither keeps the order nor lets more run than there are processors: a real cloud is waited
	// for most of the time.
	for range atOnce {
		workers.Go(func() {
			for one := range queue {
				t.Run(one.Name, func(t *testing.T) { runCase(t, one, open, verdicts) })
			}
		})
	}
	for _, one := range Cases() {
		queue <- one
	}
	close(queue)
	workers.Wait()
}

func runCase(t *testing.T, one Named, open func(t *testing.T) Target, verdicts *Verdicts) {
	// Registered first, so it runs after the case's own cleaning up, whose failures count.
	t.Cleanup(func() { verdicts.Add(one.Name, !t.Failed()) })
	target := open(t)
	// Several updates, and the time that servers without a host are retried.
	ctx, cancel := context.WithTimeout(t.Context(), 6*target.Patience()+target.Retrying())
	t.Cleanup(cancel)
	client, err := api.Login(ctx, target.AuthURL(), target.User())
	require.NoError(t, err)
	one.Run(t, &Case{Name: one.Name, Cloud: target, Client: client, t: t, ctx: ctx})
}
