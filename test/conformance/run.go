package conformance

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Run runs all cases as parallel subtests of t, each on the target that open returns for it: always the same one for a
// real cloud, a new one each time for a simulated one. It returns before the cases have ended, as parallel subtests do;
// use t.Cleanup for what comes after them.
func Run(t *testing.T, open func(t *testing.T) Target, verdicts *Verdicts) {
	t.Helper()
	for _, one := range Cases() {
		t.Run(one.Name, func(t *testing.T) {
			t.Parallel()
			// Registered first, so it runs after the case's own cleaning up, whose failures count.
			t.Cleanup(func() { verdicts.Add(one.Name, !t.Failed()) })
			target := open(t)
			// Several updates, and the time that servers without a host are retried.
			ctx, cancel := context.WithTimeout(t.Context(), 6*target.Patience()+target.Retrying())
			t.Cleanup(cancel)
			client, err := api.Login(ctx, target.AuthURL(), target.User())
			require.NoError(t, err)
			one.Run(t, &Case{Name: one.Name, Cloud: target, Client: client, t: t, ctx: ctx})
		})
	}
}
