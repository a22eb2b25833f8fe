// Package externalmetrics serves the load of node groups as external.metrics.k8s.io, so that HorizontalPodAutoscalers scale
// applications on the same signals that move the floors of node groups.
package externalmetrics

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/metrics/pkg/apis/external_metrics"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"
)

// Load is what is known of one metric of one node group.
type Load struct {
	Group, Metric string
	// Mean is the load per machine, over Machines machines; percent for cpu and memory, the metric's own unit else.
	Mean     float64
	Machines int
	// Target is the load per machine to aim at, 0 if there is none.
	Target float64
	// At is when the data was measured.
	At time.Time
	// Opinion is false for data that is missing, stale, partial or absurd: it is not served.
	Opinion bool
}

// Floor is the live minimum of a node group.
type Floor struct {
	Group string
	Size  int
	At    time.Time
}

// Loads knows the present load and floors. It answers from memory and is safe for concurrent use.
type Loads interface {
	Loads() []Load
	Floors() []Floor
}

const (
	// GroupLabel is the label by which selectors choose a node group.
	GroupLabel = "node_group"
	prefix     = "openstack_node_group_"
	floorName  = prefix + "floor"
)

// Provider implements provider.ExternalMetricsProvider.
type Provider struct{ loads Loads }

var _ provider.ExternalMetricsProvider = (*Provider)(nil)

// NewProvider serves what loads knows.
func NewProvider(loads Loads) *Provider { return &Provider{loads} }

// value is one value of one metric.
type value struct {
	metric, group string
	number        float64
	at            time.Time
}

// notInName is what names of external metrics don't have: they are resources' names, in lower case.
var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// values is all that may be served.
func (p *Provider) values() []value {
	var values []value
	for _, l := range p.loads.Loads() {
		if !l.Opinion {
			continue
		}
		word := strings.Trim(notInName.ReplaceAllString(strings.ToLower(l.Metric), "_"), "_")
		values = append(values,
			value{prefix + "load_" + word, l.Group, l.Mean, l.At},
			value{prefix + "total_load_" + word, l.Group, l.Mean * float64(l.Machines), l.At})
		if l.Target > 0 {
			values = append(values, value{prefix + "target_" + word, l.Group, l.Target, l.At})
		}
	}
	for _, f := range p.loads.Floors() {
		values = append(values, value{floorName, f.Group, float64(f.Size), f.At})
	}
	return values
}

// GetExternalMetric answers with the values of the node groups that the selector chooses by the label node_group. Values
// belong to no namespace. Without a value the answer is "not found": an empty list would be a sum of 0 to the
// HorizontalPodAutoscaler (GetExternalMetric in pkg/controller/podautoscaler/metrics refuses it, but others may not).
func (p *Provider) GetExternalMetric(_ context.Context, _ string, selector labels.Selector, info provider.ExternalMetricInfo) (*external_metrics.ExternalMetricValueList, error) {
	list := &external_metrics.ExternalMetricValueList{}
	for _, v := range p.values() {
		set := labels.Set{GroupLabel: v.group}
		if v.metric != info.Metric || !selector.Matches(set) {
			continue
		}
		quantity, ok := quantity(v.number)
		if !ok {
			continue
		}
		list.Items = append(list.Items, external_metrics.ExternalMetricValue{
			MetricName: v.metric, MetricLabels: set, Timestamp: metav1.NewTime(v.at), Value: quantity,
		})
	}
	if len(list.Items) == 0 {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: external_metrics.GroupName, Resource: info.Metric},
			fmt.Sprintf("a present value of a node group with %q", selector.String()))
	}
	return list, nil
}

// quantity has thousandths, as far as they fit.
func quantity(number float64) (resource.Quantity, bool) {
	milli := math.Round(number * 1000)
	if math.IsNaN(milli) || math.Abs(milli) > math.MaxInt64/2 {
		return resource.Quantity{}, false
	}
	return *resource.NewMilliQuantity(int64(milli), resource.DecimalSI), true
}

// ListAllExternalMetrics names the metrics that have a value now.
func (p *Provider) ListAllExternalMetrics() []provider.ExternalMetricInfo {
	values := p.values()
	names := make([]string, 0, len(values))
	for _, v := range values {
		names = append(names, v.metric)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	infos := make([]provider.ExternalMetricInfo, 0, len(names))
	for _, name := range names {
		infos = append(infos, provider.ExternalMetricInfo{Metric: name})
	}
	return infos
}
