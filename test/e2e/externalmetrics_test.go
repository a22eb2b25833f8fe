package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestExternalMetrics: with the rights of deploy/kubernetes and no more, the autoscaler serves the load of a node group; the API server's
// aggregator and a HorizontalPodAutoscaler read it. When telemetry ends there is no value, rather than a 0.
func TestExternalMetrics(t *testing.T) {
	t.Parallel()
	s := newScene(t, "externalmetrics")
	require.NoError(t, base.Cluster.ApplyRules(t.Context(), filepath.Join(base.Root, "deploy", "kubernetes", "external-metrics.yaml")))
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	group := s.group(world.GroupSpec{Name: "busy", Min: 2, Max: 2, Annotations: world.LoadAnnotations(60, loadInterval)})
	require.NoError(t, s.StartAutoscaler(t.Context(), fmt.Sprintf("--external-metrics-address=127.0.0.1:%d", port)))
	s.size(group, 2)
	telemetry, err := s.StartTelemetry(t.Context(), world.TelemetryOptions{Interval: loadInterval})
	require.NoError(t, err)
	telemetry.Work(group, 170)
	s.aggregate(port)

	s.until("the load", func(context.Context) error { return s.serves("openstack_node_group_load_cpu", group, "85") })
	s.until("the floor", func(context.Context) error { return s.serves("openstack_node_group_floor", group, "2") })
	s.until("the target", func(context.Context) error { return s.serves("openstack_node_group_target_cpu", group, "60") })
	s.follow(group, 85)
	s.until("a pod for each 85 % of a machine", func(ctx context.Context) error { return s.replicas(ctx, 2) })

	telemetry.Stop()
	s.until("a load that is not known to be served no more", func(context.Context) error {
		if _, err := s.external("openstack_node_group_load_cpu", group); err == nil {
			return fmt.Errorf("it is served")
		}
		return nil
	})
	s.throughout(5*time.Second, "nothing is scaled without a load", func(ctx context.Context) error { return s.replicas(ctx, 2) })

	require.Contains(t, s.turnedAway(port, ""), "system:anonymous")
	token, err := base.Cluster.Client.CoreV1().ServiceAccounts(s.Name).CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Contains(t, s.turnedAway(port, token.Status.Token), "system:serviceaccount:"+s.Name+":default", "it is known, and may not")
	s.requireRights()
	require.True(t, s.StopAutoscaler(), "the autoscaler should end with success when asked to")
}

// turnedAway asks the autoscaler itself, with a token if there is one, and returns its refusal.
func (s *scene) turnedAway(port int, token string) string {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the autoscaler's own certificate
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet,
		fmt.Sprintf("https://127.0.0.1:%d/apis/external.metrics.k8s.io/v1beta1/namespaces/x/openstack_node_group_load_cpu", port), nil)
	require.NoError(s.t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	require.NoError(s.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, errors.Join(err, response.Body.Close()))
	require.Equal(s.t, http.StatusForbidden, response.StatusCode, string(body))
	return string(body)
}

// aggregate makes the API server ask for external metrics at a port of this computer, under a name, as no pod runs here.
func (s *scene) aggregate(port int) {
	s.t.Helper()
	_, err := base.Cluster.Client.CoreV1().Services(s.Name).Create(s.t.Context(), &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "external-metrics"},
		Spec:       v1.ServiceSpec{Type: v1.ServiceTypeExternalName, ExternalName: "localhost"},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
	service := fmt.Sprintf(`{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1beta1.external.metrics.k8s.io"},
		"spec":{"group":"external.metrics.k8s.io","version":"v1beta1","groupPriorityMinimum":100,"versionPriority":100,"insecureSkipTLSVerify":true,
		"service":{"namespace":%q,"name":"external-metrics","port":%d}}}`, s.Name, port)
	const path = "/apis/apiregistration.k8s.io/v1/apiservices"
	rest := base.Cluster.Client.Discovery().RESTClient()
	require.NoError(s.t, rest.Post().AbsPath(path).Body([]byte(service)).Do(s.t.Context()).Error())
	ctx := context.WithoutCancel(s.t.Context())
	s.t.Cleanup(func() { _ = rest.Delete().AbsPath(path + "/v1beta1.external.metrics.k8s.io").Do(ctx).Error() })
}

// external asks the API server for an external metric of a node group.
func (s *scene) external(metric string, group *world.Group) (string, error) {
	rest := base.Cluster.Client.Discovery().RESTClient()
	body, err := rest.Get().AbsPath("/apis/external.metrics.k8s.io/v1beta1/namespaces/"+s.Name+"/"+metric).
		Param("labelSelector", "node_group="+group.Name).DoRaw(s.t.Context())
	if err != nil {
		return "", err
	}
	var list struct {
		Items []struct {
			MetricLabels map[string]string `json:"metricLabels"`
			Value        resource.Quantity `json:"value"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return "", err
	}
	if len(list.Items) != 1 || list.Items[0].MetricLabels["node_group"] != group.Name {
		return "", fmt.Errorf("not one value of %s: %s", group.Name, body)
	}
	return list.Items[0].Value.String(), nil
}

func (s *scene) serves(metric string, group *world.Group, value string) error {
	is, err := s.external(metric, group)
	if err == nil && is != value {
		err = fmt.Errorf("%s is %s", metric, is)
	}
	return err
}

const follower = "follower"

// follow makes a Deployment with a HorizontalPodAutoscaler that wants a pod for each so many percent that a node group has to do.
func (s *scene) follow(group *world.Group, percent int64) {
	s.t.Helper()
	ctx, client, labels := s.t.Context(), base.Cluster.Client, map[string]string{"app": follower}
	_, err := client.AppsV1().Deployments(s.Name).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: follower},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				// No node is asked for: node groups must not grow for them.
				Spec: v1.PodSpec{SchedulerName: "nobody", Containers: []v1.Container{{Name: "app", Image: "app"}}},
			},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
	_, err = client.AutoscalingV2().HorizontalPodAutoscalers(s.Name).Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: follower},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: follower},
			MaxReplicas:    10,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
				Metric: autoscalingv2.MetricIdentifier{
					Name: "openstack_node_group_total_load_cpu", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"node_group": group.Name}},
				},
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(percent, resource.DecimalSI)},
			}}},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

// replicas is an error unless the follower is to have so many pods.
func (s *scene) replicas(ctx context.Context, n int32) error {
	deployment, err := base.Cluster.Client.AppsV1().Deployments(s.Name).Get(ctx, follower, metav1.GetOptions{})
	if err == nil && *deployment.Spec.Replicas != n {
		err = fmt.Errorf("there are to be %d", *deployment.Spec.Replicas)
	}
	return err
}
