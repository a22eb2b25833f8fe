package ground

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
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

// The flags that say which stacks are node groups are those of the Deployment that the selector picks.
func TestTheSelectorPicksTheDeployment(t *testing.T) {
	deployment := func(name, team string) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name},
			Spec: appsv1.DeploymentSpec{Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"team": team}},
				Spec:       v1.PodSpec{Containers: []v1.Container{{Args: []string{"--node-group-auto-discovery=heat:tag=" + team}}}},
			}},
		}
	}
	o := cli.NewOptions("tool", genericiooptions.NewTestIOStreamsDiscard())
	for selector, tag := range map[string]string{"": "red", "team=blue": "blue", "team=green": cli.UsualTag} {
		o.Autoscaler.Selector = selector
		g := &Ground{Client: fake.NewClientset(deployment("a", "red"), deployment("b", "blue"))}
		discovery, named, err := g.wanted(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, []heatstack.Discovery{{Tags: []string{tag}}}, discovery, selector)
		assert.Empty(t, named)
		assert.Contains(t, g.Wanted, "heat:tag="+tag)
	}
}
