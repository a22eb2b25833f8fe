//go:build pods

package pods_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

const (
	metricsPort = 8443
	apiService  = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io"
	// steadily is how often a metric is read to see that it is served at each time.
	steadily = 50
)

// servesFloor: the API server reads the floor of the node group from the replica that leads, with the certificate that helm made, and
// keeps to it although the Service leads new connections to any.
func (s *scene) servesFloor(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Until(t.Context(), stepTimeout, "the floor to be served", s.floor))
	missed := 0
	for range steadily {
		if err := s.floor(t.Context()); err != nil {
			missed++
			t.Logf("a reading of the floor: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	require.Zero(t, missed, "readings without an answer, of %d", steadily)
	require.NoError(t, s.Until(t.Context(), stepTimeout, "the APIService to be available", func(ctx context.Context) error {
		text, err := base.Cluster.Client.Discovery().RESTClient().Get().AbsPath(apiService).DoRaw(ctx)
		if err == nil && !strings.Contains(string(text), `"type":"Available","status":"True"`) {
			err = errors.New(string(text))
		}
		return err
	}))
}

// floor is an error unless the API server answers with the floor that the node group's schedule makes.
func (s *scene) floor(ctx context.Context) error {
	text, err := base.Cluster.Client.Discovery().RESTClient().Get().
		AbsPath("/apis/external.metrics.k8s.io/v1beta1/namespaces/"+namespace+"/openstack_node_group_floor").
		Param("labelSelector", "node_group="+s.workers.Name).DoRaw(ctx)
	if err != nil {
		return err
	}
	var list struct{ Items []struct{ Value string } }
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list.Items) != 1 || list.Items[0].Value != "0" {
		return fmt.Errorf("not the floor: %s", text)
	}
	return nil
}

// balance leads new connections to the Service of external metrics to any of the release's pods, as kube-proxy would do on the API
// server's machine: by chance, and by the same means.
func (s *scene) balance(t *testing.T) {
	t.Helper()
	service, err := base.Cluster.Client.CoreV1().Services(namespace).Get(t.Context(), release+"-cluster-autoscaler-openstack-external-metrics", metav1.GetOptions{})
	require.NoError(t, err)
	address := service.Spec.ClusterIP
	require.NoError(t, host.Network.Route(t.Context(), address+"/32", s.room))
	pods := s.pods(t, 2, embedded)
	for i, pod := range pods {
		rule := []string{"--table", "nat", "--append", "OUTPUT", "--destination", address, "--protocol", "tcp", "--dport", "443"}
		if left := len(pods) - i; left > 1 {
			rule = append(rule, "--match", "statistic", "--mode", "random", "--probability", strconv.FormatFloat(1/float64(left), 'f', 4, 64))
		}
		rule = append(rule, "--jump", "DNAT", "--to-destination", net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(metricsPort)))
		_, err := process.Run(t.Context(), process.Options{}, "iptables", rule...)
		require.NoError(t, err)
	}
}
