package externalmetrics_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/externalmetrics"
)

type fixed struct {
	loads  []externalmetrics.Load
	floors []externalmetrics.Floor
}

func (f fixed) Loads() []externalmetrics.Load   { return f.loads }
func (f fixed) Floors() []externalmetrics.Floor { return f.floors }

var at = time.Unix(1700000000, 0)

func known() fixed {
	return fixed{
		loads: []externalmetrics.Load{
			{Group: "a", Metric: "cpu", Mean: 85.5, Machines: 3, Target: 60, At: at, Opinion: true},
			{Group: "b", Metric: "cpu", Mean: 10, Machines: 1, At: at, Opinion: true},
			{Group: "c", Metric: "cpu", Mean: 99, Machines: 1, At: at},
			{Group: "a", Metric: "Disk.Read/s", Mean: 1, Machines: 2, At: at, Opinion: true},
			{Group: "a", Metric: "stale", Mean: 1, Machines: 2, At: at},
			{Group: "a", Metric: "huge", Mean: math.MaxFloat64, Machines: 1, At: at, Opinion: true},
		},
		floors: []externalmetrics.Floor{{Group: "a", Size: 5, At: at}},
	}
}

func TestGetExternalMetric(t *testing.T) {
	p := externalmetrics.NewProvider(known())
	for name, test := range map[string]struct {
		metric, selector string
		want             []string
	}{
		"mean":            {"openstack_node_group_load_cpu", "node_group=a", []string{"a 85500m"}},
		"total":           {"openstack_node_group_total_load_cpu", "node_group=a", []string{"a 256500m"}},
		"target":          {"openstack_node_group_target_cpu", "", []string{"a 60"}},
		"floor":           {"openstack_node_group_floor", "", []string{"a 5"}},
		"name":            {"openstack_node_group_load_disk_read_s", "", []string{"a 1"}},
		"all groups":      {"openstack_node_group_load_cpu", "", []string{"a 85500m", "b 10"}},
		"no opinion":      {"openstack_node_group_load_cpu", "node_group=c", nil},
		"unknown metric":  {"openstack_node_group_load_gpu", "", nil},
		"another label":   {"openstack_node_group_load_cpu", "pool=a", nil},
		"beyond quantity": {"openstack_node_group_load_huge", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			selector, err := labels.Parse(test.selector)
			require.NoError(t, err)
			list, err := p.GetExternalMetric(t.Context(), "any", selector, provider.ExternalMetricInfo{Metric: test.metric})
			if test.want == nil {
				require.True(t, apierrors.IsNotFound(err), "%v", err)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, item := range list.Items {
				assert.Equal(t, test.metric, item.MetricName)
				assert.True(t, item.Timestamp.Time.Equal(at), "the time of the data")
				got = append(got, item.MetricLabels["node_group"]+" "+item.Value.String())
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestListAllExternalMetrics(t *testing.T) {
	var names []string
	for _, info := range externalmetrics.NewProvider(known()).ListAllExternalMetrics() {
		names = append(names, info.Metric)
	}
	assert.Contains(t, names, "openstack_node_group_load_cpu")
	assert.Contains(t, names, "openstack_node_group_floor")
	assert.NotContains(t, names, "openstack_node_group_load_stale")
	assert.Empty(t, externalmetrics.NewProvider(fixed{}).ListAllExternalMetrics())
}

func TestCertificateWithoutKey(t *testing.T) {
	err := externalmetrics.Run(t.Context(), fixed{}, externalmetrics.Options{CertFile: "tls.crt"})
	require.ErrorContains(t, err, "tls.crt")
}
