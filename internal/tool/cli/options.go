package cli

import (
	"context"
	goflag "flag"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
)

// Options are the flags that all commands have, and what they lead to. One value serves one call of the tool; it is not safe for
// concurrent use.
type Options struct {
	genericiooptions.IOStreams
	// Program is how the tool was called, for texts.
	Program string
	// Kubernetes says which cluster and namespace, as kubectl's own flags.
	Kubernetes *genericclioptions.ConfigFlags
	// Cloud and CloudConfig are openstack.Options'.
	Cloud, CloudConfig string
	// AutoDiscovery and Nodes say which stacks are node groups, as the autoscaler's flags of the same names.
	AutoDiscovery, Nodes []string
	// Autoscaler says where the autoscaler runs.
	Autoscaler AutoscalerOptions
	// Output is one of Formats.
	Output string
	// Clock tells the time.
	Clock clock.WithTicker

	discovery []heatstack.Discovery
	named     []heatstack.NamedStack
	client    kubernetes.Interface
}

// AutoscalerOptions say where the autoscaler runs and what it tells.
type AutoscalerOptions struct {
	// Namespace is that of its pods and of its status ConfigMap.
	Namespace string
	// Selector picks its pods; empty: the labels of the chart and of deploy/kubernetes.
	Selector string
	// ConfigMap is the name of cluster-autoscaler's status ConfigMap.
	ConfigMap string
	// StatusURL is where its status is read, in place of its pods.
	StatusURL string
}

// Where says where the autoscaler is looked for in the cluster.
func (o AutoscalerOptions) Where() installed.Where {
	return installed.Where{Namespace: o.Namespace, Selector: o.Selector}
}

// StatusConfigMapFlag is the flag of AutoscalerOptions.ConfigMap.
const StatusConfigMapFlag = "status-config-map-name"

// NewOptions returns Options with the defaults.
func NewOptions(program string, streams genericiooptions.IOStreams) *Options {
	return &Options{
		IOStreams: streams, Program: program, Kubernetes: genericclioptions.NewConfigFlags(true), Output: Table, Clock: clock.RealClock{},
		Autoscaler: AutoscalerOptions{Namespace: "kube-system", ConfigMap: "cluster-autoscaler-status"},
	}
}

// AddFlags adds the flags to set.
func (o *Options) AddFlags(set *pflag.FlagSet) {
	set.StringVarP(&o.Output, "output", "o", o.Output, "Form of the result: "+strings.Join(Formats, ", ")+".")
	set.StringVar(&o.Cloud, "cloud", "", "Entry of clouds.yaml to sign in to OpenStack with. Without it: --cloud-config, OS_CLOUD, else the other OS_* variables.")
	set.StringVar(&o.CloudConfig, "cloud-config", "", "cloud.conf to sign in to OpenStack with, as the autoscaler has it.")
	set.StringArrayVar(&o.AutoDiscovery, "node-group-auto-discovery", nil,
		"Which stacks are node groups, as the autoscaler has it: heat:tag=TAG[,tag=TAG...]. May be given more than once. Without it and --nodes: what the autoscaler's pods say.")
	set.StringArrayVar(&o.Nodes, "nodes", nil, "A stack that is a node group, as the autoscaler has it: MIN:MAX:STACK. May be given more than once.")
	set.StringVar(&o.Autoscaler.Namespace, "autoscaler-namespace", o.Autoscaler.Namespace, "Namespace of the autoscaler's pods and of its status ConfigMap.")
	set.StringVar(&o.Autoscaler.Selector, "autoscaler-selector", "", "Label selector of the autoscaler's Deployment and pods. Without it: the labels of the Helm chart and of deploy/kubernetes, else what flags they have.")
	set.StringVar(&o.Autoscaler.ConfigMap, StatusConfigMapFlag, o.Autoscaler.ConfigMap, "Name of cluster-autoscaler's status ConfigMap.")
	set.StringVar(&o.Autoscaler.StatusURL, "status-url", "", "Address of the autoscaler's status (its --status-address), such as http://127.0.0.1:8090, in place of asking its pods.")
	set.AddFlag(verbosityFlag())
	o.Kubernetes.AddFlags(set)
}

// verbosityFlag is klog's flag --v.
func verbosityFlag() *pflag.Flag {
	var flags goflag.FlagSet
	klog.InitFlags(&flags)
	v := pflag.PFlagFromGoFlag(flags.Lookup("v"))
	v.Usage = "Verbosity of the log on standard error; 0 for none."
	return v
}

// bodiless is the greatest verbosity at which client-go logs no bodies of requests (client-go/rest/request.go, logBody).
const bodiless = 7

// HideBodies keeps the bodies of requests out of the log, whatever --v asks for: a secret is in one. Before the first request.
func (o *Options) HideBodies() error {
	if !klog.V(bodiless + 1).Enabled() {
		return nil
	}
	_, _ = fmt.Fprintf(o.ErrOut, "The log is of verbosity %d: above it, it would show the secret.\n", bodiless)
	return verbosityFlag().Value.Set(strconv.Itoa(bodiless))
}

// Check finds mistakes in the flags, all at once.
func (o *Options) Check() error {
	var mistakes []string
	if !slices.Contains(Formats, o.Output) {
		mistakes = append(mistakes, fmt.Sprintf("--output=%s: there is no such form; write one of %s", o.Output, strings.Join(Formats, ", ")))
	}
	if o.Cloud != "" && o.CloudConfig != "" {
		mistakes = append(mistakes, fmt.Sprintf("--cloud=%s and --cloud-config=%s: only one can hold; leave one out", o.Cloud, o.CloudConfig))
	}
	o.discovery, o.named = nil, nil
	for _, spec := range o.AutoDiscovery {
		d, err := heatstack.ParseDiscovery(spec)
		if err != nil {
			mistakes = append(mistakes, "--node-group-auto-discovery: "+err.Error())
		}
		o.discovery = append(o.discovery, d)
	}
	for _, spec := range o.Nodes {
		n, err := heatstack.ParseNamed(spec)
		if err != nil {
			mistakes = append(mistakes, "--nodes: "+err.Error())
		}
		o.named = append(o.named, n)
	}
	if len(mistakes) > 0 {
		return Usagef("%s", strings.Join(mistakes, "; "))
	}
	return nil
}

// NodeGroups says which stacks are node groups, as the flags have it. Both are empty without the flags. Check comes first.
func (o *Options) NodeGroups() ([]heatstack.Discovery, []heatstack.NamedStack) {
	return o.discovery, o.named
}

// Context is ctx with a log that is silent unless --v asks for it: the program's results go to standard output, and its errors
// are told once, at the end.
func (o *Options) Context(ctx context.Context) context.Context {
	if klog.V(1).Enabled() {
		return ctx
	}
	return klog.NewContext(ctx, klog.Logger{})
}
