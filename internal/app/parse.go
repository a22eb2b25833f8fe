package app

import (
	"errors"
	goflag "flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/config/flags"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	kubeflag "k8s.io/component-base/cli/flag"
	componentconfig "k8s.io/component-base/config"
	leaderoptions "k8s.io/component-base/config/options"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register" // --logging-format=json
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/features"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
)

// Leader election as upstream has it, so that replicas of both may stand by for each other.
const (
	leaseName     = "cluster-autoscaler"
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// settings are all flags, parsed and checked.
type settings struct {
	Flags
	// core are cluster-autoscaler's options.
	core   config.AutoscalingOptions
	leader componentconfig.LeaderElectionConfiguration
	// discovery and named say which stacks are node groups.
	discovery []heatstack.Discovery
	named     []heatstack.NamedStack
}

// errAnswered: --help or --version was asked for and has been answered.
var errAnswered = errors.New("answered")

// parse reads the command line of the embedded form.
func parse(args []string, out io.Writer) (*settings, error) { return parseFor(embedded, args, out) }

// parseFor reads the command line. It uses the process's flag sets, in which cluster-autoscaler's packages register theirs,
// so that it can be called once. out is where --help and --version are answered.
func parseFor(program form, args []string, out io.Writer) (*settings, error) {
	s := &settings{leader: componentconfig.LeaderElectionConfiguration{
		LeaderElect:   true,
		LeaseDuration: metav1.Duration{Duration: leaseDuration},
		RenewDeadline: metav1.Duration{Duration: renewDeadline},
		RetryPeriod:   metav1.Duration{Duration: retryPeriod},
		ResourceLock:  resourcelock.LeasesResourceLock,
		ResourceName:  leaseName,
	}}
	gate := utilfeature.DefaultMutableFeatureGate
	logging := logsapi.NewLoggingConfiguration()
	if err := logsapi.AddFeatureGates(gate); err != nil {
		return nil, fmt.Errorf("adding the logging feature gates: %w", err)
	}
	if err := adaptUpstream(goflag.CommandLine); err != nil {
		return nil, err
	}
	klog.InitFlags(nil)

	// The command line must be pflag.CommandLine: core asks it which flags were given.
	line := pflag.CommandLine
	line.Init(program.name, pflag.ContinueOnError)
	line.SetNormalizeFunc(kubeflag.WordSepNormalizeFunc)
	pflag.Usage = func() {} // what pflag calls for its CommandLine: a mistake deserves one sentence; --help is answered below
	s.Register(line)
	if program.grpc {
		s.registerGRPC(line)
	}
	ours := program.ours()
	leaderoptions.BindLeaderElectionFlags(&s.leader, line)
	logsapi.AddFlags(logging, line)
	gate.AddFlag(line)
	line.AddGoFlagSet(goflag.CommandLine)
	line.Lookup("feature-gates").Usage = "Feature gates of Kubernetes' libraries, as `NAME=true|false,...`. None is needed."

	if err := line.Parse(args); errors.Is(err, pflag.ErrHelp) {
		writeHelp(out, program, line, ours)
		return nil, errAnswered
	} else if err != nil {
		return nil, fmt.Errorf("%w; see --help", err)
	}
	if s.Version {
		_, _ = fmt.Fprintln(out, build.Line(program.name, program.coreVersion()))
		return nil, errAnswered
	}
	if line.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag: all settings are flags of the form --name=value", line.Arg(0))
	}
	if err := program.refuse(line, ours); err != nil {
		return nil, err
	}
	if err := checkBeforeCore(line); err != nil {
		return nil, err
	}
	s.core = flags.AutoscalingOptions()
	if s.core.DynamicResourceAllocationEnabled {
		// The scheduler plugin that core simulates is left out without the gate.
		if err := gate.SetFromMap(map[string]bool{string(features.DynamicResourceAllocation): true}); err != nil {
			return nil, fmt.Errorf("--enable-dynamic-resource-allocation: %w", err)
		}
	}
	logs.InitLogs()
	if err := logsapi.ValidateAndApply(logging, gate); err != nil {
		return nil, fmt.Errorf("the logging flags: %w", err)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	line.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			klog.V(1).InfoS("Flag", "name", f.Name, "value", withoutPassword(f.Value.String()))
		}
	})
	return s, nil
}

// withoutPassword is a flag's value as it may be logged: of an address with a user in it, without the password.
func withoutPassword(value string) string {
	if !strings.Contains(value, "://") || !strings.Contains(value, "@") {
		return value
	}
	address, err := url.Parse(value)
	if err != nil || address.User == nil { // whatever there is before the @
		return "(not shown)"
	}
	return address.Redacted()
}

// strategies returns the names in --expander.
func (s *settings) strategies() []string { return strings.Split(s.core.ExpanderNames, ",") }
