package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/externalmetrics"
)

// busy is a node group of three machines at 85 %, and one without an opinion.
type busy struct{}

func (busy) Loads() []externalmetrics.Load {
	return []externalmetrics.Load{
		{Group: "busy", Metric: "cpu", Mean: 85, Machines: 3, Target: 60, At: time.Now(), Opinion: true},
		{Group: "silent", Metric: "cpu", Mean: 85, Machines: 3, Target: 60, At: time.Now()},
	}
}

func (busy) Floors() []externalmetrics.Floor { return nil }

// TestExternalMetrics: the API server's aggregator and a HorizontalPodAutoscaler read the load of a node group.
func TestExternalMetrics(t *testing.T) {
	t.Parallel()
	ctx, client := t.Context(), base.Cluster.Client
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- externalmetrics.Run(serving, busy{}, externalmetrics.Options{Listener: listener, Kubeconfig: base.Cluster.Kubeconfig})
	}()
	t.Cleanup(func() { stop(); assert.NoError(t, <-ended) })

	const namespace = "external-metrics"
	_, err = client.CoreV1().Namespaces().Create(ctx, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	// The API server reaches the test under a name, as no pod runs here.
	_, err = client.CoreV1().Services(namespace).Create(ctx, &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "external-metrics"},
		Spec:       v1.ServiceSpec{Type: v1.ServiceTypeExternalName, ExternalName: "localhost"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	service := fmt.Sprintf(`{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1beta1.external.metrics.k8s.io"},
		"spec":{"group":"external.metrics.k8s.io","version":"v1beta1","groupPriorityMinimum":100,"versionPriority":100,"insecureSkipTLSVerify":true,
		"service":{"namespace":%q,"name":"external-metrics","port":%d}}}`, namespace, port)
	rest := client.Discovery().RESTClient()
	require.NoError(t, rest.Post().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices").Body([]byte(service)).Do(ctx).Error())
	t.Cleanup(func() {
		_ = rest.Delete().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io").Do(context.WithoutCancel(ctx)).Error()
	})

	get := func(metric, selector string) ([]byte, error) {
		return rest.Get().AbsPath("/apis/external.metrics.k8s.io/v1beta1/namespaces/"+namespace+"/"+metric).Param("labelSelector", selector).DoRaw(ctx)
	}
	var body []byte
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		body, err = get("openstack_node_group_total_load_cpu", "node_group=busy")
		require.NoError(c, err)
	}, stepTimeout, 200*time.Millisecond)
	var list struct {
		Items []struct {
			MetricName   string            `json:"metricName"`
			MetricLabels map[string]string `json:"metricLabels"`
			Value        resource.Quantity `json:"value"`
		} `json:"items"`
	}
	require.NoError(t, json.Unmarshal(body, &list), string(body))
	require.Len(t, list.Items, 1, string(body))
	assert.Equal(t, "255", list.Items[0].Value.String())
	assert.Equal(t, "busy", list.Items[0].MetricLabels["node_group"])
	_, err = get("openstack_node_group_total_load_cpu", "node_group=silent")
	require.Error(t, err, "no opinion is not served")

	labels := map[string]string{"app": "follower"}
	_, err = client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "follower"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				// No node is asked for: other tests' node groups must not grow.
				Spec: v1.PodSpec{SchedulerName: "nobody", Containers: []v1.Container{{Name: "app", Image: "app"}}},
			},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "follower"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "follower"},
			MaxReplicas:    10,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
				Metric: autoscalingv2.MetricIdentifier{Name: "openstack_node_group_total_load_cpu", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"node_group": "busy"}}},
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(85, resource.DecimalSI)},
			}}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = client.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), namespace, metav1.DeleteOptions{})
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		deployment, err := client.AppsV1().Deployments(namespace).Get(ctx, "follower", metav1.GetOptions{})
		require.NoError(c, err)
		require.Equal(c, int32(3), *deployment.Spec.Replicas, "255 / 85 of each pod")
	}, stepTimeout, 500*time.Millisecond)

	// Nobody asks without being known.
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := stranger.Get("https://" + listener.Addr().String() + "/apis/external.metrics.k8s.io/v1beta1/namespaces/x/openstack_node_group_load_cpu")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
}
