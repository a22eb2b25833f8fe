package prometheus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

const (
	// DefaultGroupLabel is the label that names the group in the results of custom expressions.
	DefaultGroupLabel = "node_group"
	// PartLabel says what an element's value is; see the package's text.
	PartLabel = "part"
	// DefaultLookback is how old a sample may be that Prometheus takes for the present one (its flag query.lookback-delta).
	DefaultLookback = 5 * time.Minute
	// DefaultTimeout bounds one query.
	DefaultTimeout = 30 * time.Second
)

// Options are those of a Source. The zero value has the defaults.
type Options struct {
	// GroupLabel names the group in the results of custom expressions; DefaultGroupLabel if empty.
	GroupLabel string
	// Lookback is how old a sample may be to count as present; DefaultLookback if 0. Prometheus 2.38 and later is asked to keep
	// it; earlier ones, and Aetos, look back as far as they are configured to, so it has to be the same there.
	Lookback time.Duration
	// Timeout bounds one query; DefaultTimeout if 0.
	Timeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.GroupLabel == "" {
		o.GroupLabel = DefaultGroupLabel
	}
	if o.Lookback == 0 {
		o.Lookback = DefaultLookback
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return o
}

// Source is a ceilometer.Source. It is safe for concurrent use.
type Source struct {
	options Options
	service service
}

var _ ceilometer.Source = (*Source)(nil)

// service answers instant queries.
type service interface {
	// query evaluates an expression at the service's present time.
	query(ctx context.Context, expression string) (answer, error)
	// String is the service's name and place, for errors.
	String() string
}

// Read implements ceilometer.Source with one instant query. It is evaluated at the server's present: what is compared with
// the server's clock are the server's own timestamps, and Sample.At is request.Now less that age, so that clocks which differ
// do no harm.
func (s *Source) Read(ctx context.Context, request ceilometer.Request) (map[string]ceilometer.Sample, error) {
	if len(request.Groups) == 0 {
		return map[string]ceilometer.Sample{}, nil
	}
	reading, err := s.reading(request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.options.Timeout,
		fmt.Errorf("no answer within %s: %w", s.options.Timeout, context.DeadlineExceeded))
	defer cancel()
	result, err := s.service.query(ctx, reading.expression())
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.DeadlineExceeded) {
			err = cause
		}
		return nil, fmt.Errorf("%s: metric %q, query %q: %w", s.service, request.Metric.Name, brief(reading.expression()), err)
	}
	for _, warning := range result.warnings {
		klog.FromContext(ctx).Info("Prometheus warns about a query", "service", s.service.String(), "metric", request.Metric.Name,
			"query", reading.expression(), "warning", warning)
	}
	samples, err := reading.samples(result.vector)
	if err != nil {
		return nil, fmt.Errorf("%s: metric %q, query %q: %w", s.service, request.Metric.Name, brief(reading.expression()), err)
	}
	return samples, nil
}

// reading is how one kind of metric is read.
type reading interface {
	expression() string
	samples(vector vector) (map[string]ceilometer.Sample, error)
}

func (s *Source) reading(request ceilometer.Request) (reading, error) {
	if request.Metric.Expression != "" {
		return &custom{request: request, label: s.options.GroupLabel, lookback: s.options.Lookback}, nil
	}
	known, ok := builtins[request.Metric.Name]
	if !ok {
		return nil, fmt.Errorf("metric %q is not known to the source %s, which knows cpu and memory by name; give a PromQL expression for it",
			request.Metric.Name, ceilometer.SourcePrometheus)
	}
	return newMachines(request, known), nil
}

// brief keeps errors readable.
func brief(text string) string {
	const most = 300
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
