package nodegroups

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// none is how a list says that it is empty, also if the defaults have something in it.
const none = "none"

// metricPattern is the name of a metric, as opposed to an expression.
var metricPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Prefixes of metrics that are expressions.
const (
	gnocchiPrefix    = "gnocchi:"
	prometheusPrefix = "prometheus:"
)

// splitItems splits a list at semicolons only, since items may hold commas.
func splitItems(text string) []string {
	items := strings.Split(text, ";")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return slices.DeleteFunc(items, func(item string) bool { return item == "" })
}

func setLoadMetrics(c *Config, text string) error {
	if text == none {
		c.Load.Metrics = []string{}
		return nil
	}
	items := splitItems(text)
	if len(items) == 0 {
		return errors.New("names no metric")
	}
	for i, item := range items {
		if slices.Contains(items[:i], item) {
			return fmt.Errorf("metric %q is there twice", item)
		}
		if err := checkMetric(item); err != nil {
			return fmt.Errorf("metric %q: %w", item, err)
		}
	}
	c.Load.Metrics = items
	return nil
}

func checkMetric(item string) error {
	for _, prefix := range []string{gnocchiPrefix, prometheusPrefix} {
		if rest, ok := strings.CutPrefix(item, prefix); ok {
			if strings.TrimSpace(rest) == "" {
				return fmt.Errorf("has no expression after %q", prefix)
			}
			return nil
		}
	}
	if !metricPattern.MatchString(item) || item == none {
		return errors.New("must be a name such as cpu, gnocchi:EXPRESSION or prometheus:PROMQL")
	}
	return nil
}

func getLoadMetrics(c *Config) (string, bool) {
	if c.Load.Metrics != nil && len(c.Load.Metrics) == 0 {
		return none, true
	}
	return strings.Join(c.Load.Metrics, ";"), c.Load.Metrics != nil
}

func setLoadTargets(c *Config, text string) error {
	var targets []float64
	for _, item := range splitItems(text) {
		f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(item, "%")), 64)
		if err != nil || !(f > 0) || math.IsInf(f, 0) { // written so that NaN is refused
			return fmt.Errorf("target %q must be a number above 0", item)
		}
		targets = append(targets, f)
	}
	if len(targets) == 0 {
		return errors.New("names no target")
	}
	c.Load.Targets = targets
	return nil
}

func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func getLoadTargets(c *Config) (string, bool) {
	items := make([]string, 0, len(c.Load.Targets))
	for _, t := range c.Load.Targets {
		items = append(items, formatFloat(t))
	}
	return strings.Join(items, ";"), c.Load.Targets != nil
}

func setLoadSteps(c *Config, text string) error {
	var steps []LoadStep
	for _, item := range splitItems(text) {
		step, err := parseStep(item)
		if err != nil {
			return fmt.Errorf("step %q: %w", item, err)
		}
		steps = append(steps, step)
	}
	if len(steps) == 0 {
		return errors.New("names no step")
	}
	slices.SortStableFunc(steps, func(a, b LoadStep) int { return compareFloat(a.Threshold, b.Threshold) })
	for i, s := range steps[1:] {
		before := steps[i]
		if before.Threshold == s.Threshold {
			return fmt.Errorf("two steps at %s", formatFloat(s.Threshold))
		}
		// More load must never want fewer nodes.
		if s.Change <= before.Change {
			return fmt.Errorf("the step at %s changes by %+d, that at %s by %+d: more load has to want more nodes",
				formatFloat(before.Threshold), before.Change, formatFloat(s.Threshold), s.Change)
		}
	}
	c.Load.Steps = steps
	return nil
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func parseStep(item string) (LoadStep, error) {
	threshold, change, ok := strings.Cut(item, ":")
	if !ok {
		return LoadStep{}, errors.New("must be LOAD:CHANGE, for example 70:+1")
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(threshold), 64)
	if err != nil || !(f >= 0) || math.IsInf(f, 0) {
		return LoadStep{}, errors.New("the load must be a number of 0 or more")
	}
	n, err := strconv.Atoi(strings.TrimSpace(change))
	if err != nil || n == 0 || n < -maxSizeLimit || n > maxSizeLimit {
		return LoadStep{}, errors.New("the change must be a whole number with a sign and not 0, for example +1 or -1")
	}
	return LoadStep{f, n}, nil
}

func getLoadSteps(c *Config) (string, bool) {
	items := make([]string, 0, len(c.Load.Steps))
	for _, s := range c.Load.Steps {
		items = append(items, fmt.Sprintf("%s:%+d", formatFloat(s.Threshold), s.Change))
	}
	return strings.Join(items, ";"), c.Load.Steps != nil
}

func setLoadServerGroup(c *Config, text string) error {
	if len(text) > 255 || strings.ContainsAny(text, "'\"\\\n\r\t") {
		return errors.New("must be at most 255 characters without quotes, backslashes and line breaks")
	}
	if text == "" {
		return errors.New("must not be empty")
	}
	c.Load.ServerGroup = text
	return nil
}

func setHeadroom(c *Config, text string) error {
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(percent), 64)
		if err != nil || !(f >= 0 && f <= 1000) {
			return errors.New("must be a percentage from 0% to 1000%")
		}
		c.Load.Headroom = &Headroom{Percent: f}
		return nil
	}
	n, err := parseCount(text, 0)
	if err != nil {
		return fmt.Errorf("%w, or a percentage such as 10%%", err)
	}
	c.Load.Headroom = &Headroom{Nodes: int(n)}
	return nil
}

func getHeadroom(c *Config) (string, bool) {
	switch h := c.Load.Headroom; {
	case h == nil:
		return "", false
	case h.Percent > 0:
		return formatFloat(h.Percent) + "%", true
	default:
		return formatInt(h.Nodes), true
	}
}

func setForecast(c *Config, text string) error {
	switch mode := ForecastMode(text); mode {
	case ForecastOff, ForecastOn, ForecastShadow:
		c.Load.Forecast = mode
		return nil
	}
	return errors.New("must be true, false or shadow")
}

// number is the row of a number from least to most.
func number(key Key, defaultText, example, about string, least, most float64, field func(*Config) **float64) annotation {
	return annotation{
		key: key, typ: typeNumber, defaultText: defaultText, example: example, about: about,
		set: func(c *Config, text string) error {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil || !(f >= least && f <= most) { // written so that NaN is refused
				return fmt.Errorf("must be a number from %s to %s", formatFloat(least), formatFloat(most))
			}
			*field(c) = &f
			return nil
		},
		get: func(c *Config) (string, bool) {
			if f := *field(c); f != nil {
				return formatFloat(*f), true
			}
			return "", false
		},
	}
}

// span is the row of a duration from least to most.
func span(key Key, defaultText, example, about string, least, most time.Duration, field func(*Config) **timeDuration) annotation {
	a := period(key, defaultText, example, about, 0, field)
	set := a.set
	a.set = func(c *Config, text string) error {
		if err := set(c, text); err != nil {
			return err
		}
		if d := **field(c); d < least || d > most {
			*field(c) = nil
			return fmt.Errorf("must be from %s to %s", least, most)
		}
		return nil
	}
	return a
}

// ParseLoad reads annotations about load that don't come from a stack, such as a file of defaults. The error names the key, the
// value and the remedy.
func ParseLoad(values map[string]string) (Load, error) {
	var c Config
	for key, value := range values {
		i := slices.IndexFunc(loadAnnotations, func(a annotation) bool { return string(a.key) == key })
		if i < 0 {
			message := fmt.Sprintf("%s: there is no such setting of load", key)
			if meant, ok := NearAnnotation(key); ok {
				message += "; write " + meant
			}
			return Load{}, errors.New(message)
		}
		if err := loadAnnotations[i].set(&c, value); err != nil {
			return Load{}, fmt.Errorf("%s=%q: %w; %s", key, value, err, remedy(&loadAnnotations[i]))
		}
	}
	return c.Load, nil
}
