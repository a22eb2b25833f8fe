package world

import (
	"context"
	"fmt"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Samples reads the autoscaler's metric of a name: the values of its samples that have all of these labels, by the value
// of the label by. An error if there is none: a metric that is not written yet is not 0. A name that ends in _count means
// the number of observations of a histogram.
func (a *Autoscaler) Samples(ctx context.Context, name string, labels map[string]string, by string) (map[string]float64, error) {
	text, err := a.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	families, err := new(expfmt.TextParser).TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	family := families[name]
	if family == nil {
		family = families[strings.TrimSuffix(name, "_count")]
	}
	result := map[string]float64{}
	for _, metric := range family.GetMetric() {
		has := map[string]string{}
		for _, pair := range metric.GetLabel() {
			has[pair.GetName()] = pair.GetValue()
		}
		if contains(has, labels) {
			result[has[by]] += value(metric)
		}
	}
	if len(result) == 0 {
		return nil, fmt.Errorf("metric %s%v has no sample", name, labels)
	}
	return result, nil
}

func contains(all, some map[string]string) bool {
	for key, value := range some {
		if all[key] != value {
			return false
		}
	}
	return true
}

func value(metric *dto.Metric) float64 {
	switch {
	case metric.GetGauge() != nil:
		return metric.GetGauge().GetValue()
	case metric.GetCounter() != nil:
		return metric.GetCounter().GetValue()
	case metric.GetHistogram() != nil:
		return float64(metric.GetHistogram().GetSampleCount())
	case metric.GetSummary() != nil:
		return float64(metric.GetSummary().GetSampleCount())
	}
	return metric.GetUntyped().GetValue()
}
