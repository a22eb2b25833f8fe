package app

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/estimator"
	"k8s.io/autoscaler/cluster-autoscaler/expander"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
)

// FlagError says which flag has which wrong value, why, and what to write instead.
type FlagError struct{ Flag, Value, Wrong, Remedy string }

// Error is one sentence.
func (e *FlagError) Error() string {
	return fmt.Sprintf("--%s=%s: %s; %s", e.Flag, e.Value, e.Wrong, e.Remedy)
}

// mistakes gathers FlagErrors, so that all are told at once.
type mistakes []error

// unless adds a mistake unless ok.
func (m *mistakes) unless(ok bool, flag string, value any, wrong, remedy string) {
	if !ok {
		*m = append(*m, &FlagError{flag, fmt.Sprint(value), wrong, remedy})
	}
}

// checkBeforeCore checks what core itself would end the process for, with a dump of all goroutines instead of a sentence.
func checkBeforeCore(line *pflag.FlagSet) error {
	var m mistakes
	value := func(name string) string { return line.Lookup(name).Value.String() }
	for _, name := range []string{"cores-total", "memory-total"} {
		m.unless(isRange(value(name)), name, value(name), "not a minimum and a maximum", "write MIN:MAX, such as 0:320000")
	}
	for _, spec := range listOf(line, "gpu-total") {
		kind, rest, ok := strings.Cut(spec, ":")
		m.unless(ok && kind != "" && isRange(rest), "gpu-total", spec, "not a type with a minimum and a maximum", "write TYPE:MIN:MAX")
	}
	file := value(config.SchedulerConfigFileFlag)
	_, err := os.Stat(file)
	m.unless(file == "" || err == nil, config.SchedulerConfigFileFlag, file, "the file can't be read", "name a KubeSchedulerConfiguration file")
	kubeconfig := value("kubeconfig")
	_, err = os.Stat(kubeconfig)
	m.unless(kubeconfig == "" || err == nil, "kubeconfig", kubeconfig, "the file can't be read", "name a kubeconfig file, or leave the flag out inside of a cluster")
	both := line.Changed("drain-priority-config") && line.Changed("max-graceful-termination-sec")
	m.unless(!both, "drain-priority-config", value("drain-priority-config"),
		"it can't be given together with --max-graceful-termination-sec", "give only one of them")
	return errors.Join(m...)
}

// listOf returns the values of a flag that may be given more than once.
func listOf(line *pflag.FlagSet, name string) []string {
	text := strings.TrimSuffix(strings.TrimPrefix(line.Lookup(name).Value.String(), "["), "]")
	return strings.Fields(text)
}

func isRange(text string) bool {
	low, high, ok := strings.Cut(text, ":")
	a, errA := strconv.ParseInt(low, 10, 64)
	b, errB := strconv.ParseInt(high, 10, 64)
	return ok && errA == nil && errB == nil && a >= 0 && b >= a
}

// check checks all flags that matter here, and takes the node groups' flags apart.
func (s *settings) check() error {
	var m mistakes
	s.checkNodeGroups(&m)
	s.checkLimits(&m)
	c := s.core
	m.unless(c.CloudProviderName == cloudprovider.ProviderName, "cloud-provider", c.CloudProviderName,
		"this program has only one cloud provider", "write "+cloudprovider.ProviderName+" or leave the flag out")
	m.unless(!c.ProvisioningRequestEnabled, "enable-provisioning-requests", true,
		"ProvisioningRequests are not supported by this build", "leave the flag out; plain pods are served without it")
	m.unless(slices.Contains(estimator.AvailableEstimators, c.EstimatorName), "estimator", c.EstimatorName,
		"unknown estimator", "write "+strings.Join(estimator.AvailableEstimators, " or "))
	known := append(slices.Clone(expander.AvailableExpanders), expander.LeastNodesExpanderName)
	for _, name := range s.strategies() {
		m.unless(slices.Contains(known, name), "expander", c.ExpanderNames, fmt.Sprintf("%q is no expander", name),
			"write one or more of "+strings.Join(known, ",")+", separated by commas")
	}
	m.unless(!slices.Contains(s.strategies(), expander.PriceBasedExpanderName) || s.PriceFile != "", "expander", c.ExpanderNames,
		"the price expander needs prices", "give --price-file=FILE with the price per hour of each flavor")
	s.checkLoad(&m)
	s.checkExternalMetrics(&m)
	s.checkStatus(&m)
	m.unless(len(validation.IsQualifiedName(s.GPULabel)) == 0, "openstack-gpu-label", s.GPULabel, "not the key of a label",
		"write a key such as "+cloudprovider.DefaultGPULabel)
	return errors.Join(m...)
}

func (s *settings) checkNodeGroups(m *mistakes) {
	for _, spec := range s.core.NodeGroupAutoDiscovery {
		d, err := heatstack.ParseDiscovery(spec)
		m.unless(err == nil, "node-group-auto-discovery", spec, text(err), "write heat:tag=TAG[,tag=KEY=VALUE...]")
		s.discovery = append(s.discovery, d)
	}
	for _, spec := range s.core.NodeGroups {
		n, err := heatstack.ParseNamed(spec)
		m.unless(err == nil, "nodes", spec, text(err), "write MIN:MAX:STACK, such as 1:10:workers")
		s.named = append(s.named, n)
	}
	m.unless(len(s.core.NodeGroupAutoDiscovery)+len(s.core.NodeGroups) > 0, "node-group-auto-discovery", "",
		"nothing says which stacks are node groups",
		"give --node-group-auto-discovery=heat:tag=TAG for the stacks that carry a tag, or --nodes=MIN:MAX:STACK")
}

func (s *settings) checkLimits(m *mistakes) {
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{
		{"scan-interval", s.core.ScanInterval},
		{"openstack-request-timeout", s.RequestTimeout},
		{"openstack-refresh-interval", s.RefreshInterval},
		{"openstack-refresh-timeout", s.RefreshTimeout},
		{"openstack-write-timeout", s.WriteTimeout},
		{"openstack-gather-window", s.GatherWindow},
		{"auto-repair-after", s.RepairAfter},
		{"prometheus-lookback", s.PrometheusLookback},
		{"telemetry-timeout", s.TelemetryTimeout},
		{"telemetry-hold", s.TelemetryHold},
	} {
		m.unless(d.value > 0, d.flag, d.value, "not a time above 0", "write a duration such as 10s")
	}
	m.unless(s.RefreshTimeout < s.core.MaxInactivityTime, "openstack-refresh-timeout", s.RefreshTimeout,
		fmt.Sprintf("the health check would fail before it is over (--max-inactivity=%s)", s.core.MaxInactivityTime),
		"write a shorter time, or raise --max-inactivity")
	m.unless(s.WriteTimeout < s.core.MaxInactivityTime, "openstack-write-timeout", s.WriteTimeout,
		fmt.Sprintf("the health check would fail before it is over (--max-inactivity=%s)", s.core.MaxInactivityTime),
		"write a shorter time, or raise --max-inactivity")
	m.unless(s.TokenSharing >= 0 && s.TokenSharing <= time.Hour, "bootstrap-token-sharing", s.TokenSharing,
		"not a time from 0 to 1h, and a token should not live longer", "write a duration such as 5m")
	m.unless(s.APIServer == "" || bootstrap.CheckAPIServer(s.APIServer) == nil, "bootstrap-api-server", s.APIServer,
		"not an https URL", "write an address such as https://10.0.0.10:6443")
	m.unless(s.Rate != 0, "openstack-rate", s.Rate, "no request could ever be sent", "write a number above 0, or a negative one for no limit")
	m.unless(s.Burst > 0, "openstack-burst", s.Burst, "no request could ever be sent", "write a number from 1 up")
	m.unless(s.RepairsPerHour > 0, "auto-repairs-per-hour", s.RepairsPerHour, "no machine could ever be replaced", "write a number from 1 up, or --auto-repair=false")
	m.unless(s.MemoryOverheadPercent >= 0 && s.MemoryOverheadPercent < 50, "openstack-memory-overhead-percent", s.MemoryOverheadPercent,
		"not a part that a kernel may keep", "write a number from 0 to 50, such as 5")
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
