package ground

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// A cluster that does not answer does not keep a command for ever.
func TestTheClusterIsAskedWithADeadline(t *testing.T) {
	var left time.Duration
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "https://cluster.example.org", Transport: transport(func(r *http.Request) (*http.Response, error) {
		if until, ok := r.Context().Deadline(); ok {
			left = time.Until(until)
		}
		return nil, errors.New("no way there")
	})})
	require.NoError(t, err)
	g := &Ground{Client: client}
	_, _, err = g.wanted(t.Context(), cli.NewOptions("tool", genericiooptions.NewTestIOStreamsDiscard()))
	require.ErrorContains(t, err, "give --node-group-auto-discovery")
	assert.InDelta(t, check.DefaultTimeout.Seconds(), left.Seconds(), 10)
}
