package app

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider/externalgrpc"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// Flags are the values of our own flags. cluster-autoscaler's are kept by its package config/flags.
type Flags struct {
	// Cloud is the entry of clouds.yaml to sign in with.
	Cloud string
	// RequestTimeout, Rate and Burst bound the calls to OpenStack.
	RequestTimeout time.Duration
	Rate           float64
	Burst          int
	// RefreshInterval, RefreshTimeout and WriteTimeout are cloudprovider.Options'.
	RefreshInterval, RefreshTimeout, WriteTimeout time.Duration
	// GatherWindow is heatstack.Options.Gather.
	GatherWindow time.Duration
	// MemoryOverheadPercent is nodegroups.TemplateOptions'.
	MemoryOverheadPercent float64
	// GPULabel and PriceFile are cloudprovider.Options'.
	GPULabel, PriceFile string
	// MintTokens: node groups that ask for them get bootstrap tokens. APIServer is the address that bootstrap.NewCluster takes,
	// TokenSharing bootstrap.TokensOptions.Sharing.
	MintTokens   bool
	APIServer    string
	TokenSharing time.Duration
	// Repair, RepairAfter, RepairsPerHour and DeleteNodes are nodelife.Options'.
	Repair         bool
	RepairAfter    time.Duration
	RepairsPerHour int
	DeleteNodes    bool
	// LoadSignals: node groups may have floors. LoadConfig is the path of their defaults, TelemetryTimeout and TelemetryHold are
	// ceilometer.Options' Timeout and Hold.
	LoadSignals bool
	LoadConfig  string
	// LoadSource is ceilometer.Defaults' Source. PrometheusURL is where Prometheus is, or prometheus.ViaAetos; PrometheusConfig is the path of
	// its HTTP settings. PrometheusGroupLabel and PrometheusLookback are prometheus.Options' GroupLabel and Lookback.
	LoadSource, PrometheusURL, PrometheusConfig, PrometheusGroupLabel string
	PrometheusLookback, TelemetryTimeout, TelemetryHold               time.Duration
	// ExternalMetricsAddress is where the load of node groups is served as external metrics, empty for nowhere; the others are
	// externalmetrics.Options' CertFile and KeyFile.
	ExternalMetricsAddress, ExternalMetricsCert, ExternalMetricsKey string
	// StatusAddress is where the status page is served, empty for nowhere.
	StatusAddress string
	// DryRun: decide and report, and write nothing.
	DryRun bool
	// Version: print the version and end.
	Version bool
	// ApproveNodes and ApproveServing are bootstrap.ApproverOptions' Joining and Serving.
	ApproveNodes, ApproveServing bool
	// GRPC says where the external form listens.
	GRPC externalgrpc.Listen
}

// defaultGatherWindow is long enough for the removals that core orders at the same moment, one call per node, to share
// an update of their stack, and too short to be noticed.
const defaultGatherWindow = 200 * time.Millisecond

// Register adds our flags to set, with their defaults.
func (f *Flags) Register(set *pflag.FlagSet) {
	set.StringVar(&f.Cloud, "openstack-cloud", "",
		"Entry of clouds.yaml to sign in with; --cloud-config goes before it. Without both: OS_CLOUD, else the other OS_* variables. "+
			"The file is the one that OS_CLIENT_CONFIG_FILE names, else ./clouds.yaml, ~/.config/openstack/clouds.yaml or /etc/openstack/clouds.yaml.")
	set.DurationVar(&f.RequestTimeout, "openstack-request-timeout", openstack.DefaultRequestTimeout,
		"How long one request to an OpenStack API may take.")
	set.Float64Var(&f.Rate, "openstack-rate", openstack.DefaultRate,
		"Requests per second to all OpenStack APIs together; negative for no limit.")
	set.IntVar(&f.Burst, "openstack-burst", openstack.DefaultBurst,
		"Requests that may go at once before --openstack-rate holds them back.")
	set.DurationVar(&f.RefreshInterval, "openstack-refresh-interval", cloudprovider.DefaultRefreshInterval,
		"Shortest time between two readings of the cloud, however often cluster-autoscaler's loop runs; never longer than --scan-interval.")
	set.DurationVar(&f.RefreshTimeout, "openstack-refresh-timeout", cloudprovider.DefaultRefreshTimeout,
		"How long a reading of the cloud may take; it must be below --max-inactivity.")
	set.DurationVar(&f.WriteTimeout, "openstack-write-timeout", cloudprovider.DefaultWriteTimeout,
		"How long a change of a stack may take, Heat's confirmation included. As long a bootstrap token that was handed out is kept in any case.")
	set.DurationVar(&f.GatherWindow, "openstack-gather-window", defaultGatherWindow,
		"How long a change of a stack waits for others to share one update.")
	set.Float64Var(&f.MemoryOverheadPercent, "openstack-memory-overhead-percent", nodegroups.DefaultMemoryOverheadPercent,
		"Part of a flavor's RAM, in percent, that firmware and kernel keep: what a new node is expected to lack. Used for node groups without a node.")
	set.StringVar(&f.GPULabel, "openstack-gpu-label", cloudprovider.DefaultGPULabel,
		"Label that nodes with a GPU carry, with the type of the GPU as its value.")
	set.StringVar(&f.PriceFile, "price-file", "",
		"YAML file with prices per hour, for --expander=price: flavors: {NAME: PRICE}, default: {perVCPU: PRICE, perGiB: PRICE}. Read again when it changes.")
	set.BoolVar(&f.ApproveNodes, "approve-node-certificates", true,
		"Decide the certificate requests of machines that join with a bootstrap token minted for their node group: approved only if OpenStack "+
			"proves that the machine was just made for that group. Requests of all others are left alone. Not with --dry-run.")
	set.BoolVar(&f.ApproveServing, "approve-serving-certificates", true,
		"Decide the requests of our node groups' kubelets for serving certificates (serverTLSBootstrap): approved only for the server's own "+
			"names and addresses. Not with --dry-run.")
	set.BoolVar(&f.MintTokens, "bootstrap-tokens", true,
		"Mint bootstrap tokens for new machines of node groups that ask for them (bootstrap-token-source=minted), and revoke them. Without it no Secret is "+
			"read or written, and such node groups do not grow.")
	set.StringVar(&f.APIServer, "bootstrap-api-server", "",
		"Address at which new nodes reach the API server, such as https://10.0.0.10:6443, for stacks whose parameter api_server is empty. "+
			"Without it: what the ConfigMap kube-public/cluster-info says, else the address in the kubeconfig.")
	set.DurationVar(&f.TokenSharing, "bootstrap-token-sharing", bootstrap.DefaultSharing,
		"How long further scale-ups of a node group use the same bootstrap token; it lives for the node group's provision time and this. 0 makes one for each scale-up.")
	set.BoolVar(&f.Repair, "auto-repair", true,
		"Replace members whose machine is broken: in ERROR after it ran, or SHUTOFF by nobody's order. A node group's annotation auto-repair goes before it.")
	set.DurationVar(&f.RepairAfter, "auto-repair-after", nodelife.DefaultRepairAfter,
		"How long a machine must have been broken before it is replaced.")
	set.IntVar(&f.RepairsPerHour, "auto-repairs-per-hour", nodelife.DefaultRepairsPerHour,
		"How many machines may be replaced within an hour in the whole cluster; more than that are reported.")
	set.BoolVar(&f.DeleteNodes, "delete-nodes-of-gone-servers", true,
		"Delete the Node objects of members whose server does not exist any more, as a cloud controller manager does; both may run.")
	set.BoolVar(&f.LoadSignals, "load-signals", true,
		"Let measured load, schedules and forecasts raise the least size of node groups whose annotations say so (load-metric, schedule, headroom, ...). "+
			"Telemetry is asked only if there are any.")
	set.StringVar(&f.LoadConfig, "load-config", "",
		"YAML file with defaults for load annotations and with metrics by names: defaults: {load-target: 60}, metrics: {NAME: {source: gnocchi|prometheus, "+
			"expression: QUERY, target: NUMBER}}. Read again when it changes.")
	set.StringVar(&f.LoadSource, "load-source", ceilometer.SourceGnocchi,
		"Where cpu, memory and the other metrics with names of their own are read: gnocchi or prometheus. Prometheus has cpu and memory, from Ceilometer's exporter.")
	set.StringVar(&f.PrometheusURL, "prometheus-url", "",
		"Address of Prometheus for load, such as https://prometheus.example.org:9090; "+prometheus.ViaAetos+" for the cloud's own, through Aetos, with the credentials for OpenStack. "+
			"Empty for none.")
	set.StringVar(&f.PrometheusConfig, "prometheus-config", "",
		"YAML file with authentication and TLS settings for --prometheus-url, in Prometheus' own form for clients (http_config).")
	set.StringVar(&f.PrometheusGroupLabel, "prometheus-node-group-label", prometheus.DefaultGroupLabel,
		"Label that names the node group in the results of PromQL expressions.")
	set.DurationVar(&f.PrometheusLookback, "prometheus-lookback", prometheus.DefaultLookback,
		"How old a sample may be that Prometheus takes for the present one: what its own flag query.lookback-delta says. A value of unknown age is "+
			"taken to be as old.")
	set.DurationVar(&f.TelemetryTimeout, "telemetry-timeout", openstack.DefaultRequestTimeout,
		"How long a reading of a load may take; one request of it takes at most --openstack-request-timeout. cluster-autoscaler's loop goes on meanwhile.")
	set.DurationVar(&f.TelemetryHold, "telemetry-hold", ceilometer.DefaultHold,
		"How long the last good floor of a node group is kept when its load is not known, unless its annotation load-hold says otherwise.")
	set.StringVar(&f.ExternalMetricsAddress, "external-metrics-address", "",
		"Address at which the load of node groups is served to the API server as external.metrics.k8s.io, such as :6443; empty for none. "+
			"Nobody listens there while this replica does not lead.")
	set.StringVar(&f.ExternalMetricsCert, "external-metrics-cert", "",
		"PEM file with the certificate of --external-metrics-address; read again when it changes. Without it one is made that nobody can check.")
	set.StringVar(&f.ExternalMetricsKey, "external-metrics-key", "", "PEM file with that certificate's key; read again when it changes.")
	set.StringVar(&f.StatusAddress, "status-address", "",
		"Address at which a page and JSON (/status.json) show node groups, their load, and what was decided and why, such as 127.0.0.1:8090; empty for none. "+
			"Nothing can be changed there, and there is no login: keep it on the loopback interface, or behind a NetworkPolicy.")
	set.BoolVar(&f.DryRun, "dry-run", false,
		"Decide and report, but change nothing: no stack, no taint, no eviction. Only Events, the status ConfigMap and the leader's Lease are written.")
	set.BoolVar(&f.Version, "version", false, "Print the version of the program, and of the cluster-autoscaler inside, and end.")
}

// registerGRPC adds the flags of the external form to set, with their defaults.
func (f *Flags) registerGRPC(set *pflag.FlagSet) {
	set.StringVar(&f.GRPC.Address, "grpc-address", DefaultGRPCAddress,
		"Address at which a stock cluster-autoscaler is answered. Without certificates it has to be on the loopback interface.")
	set.StringVar(&f.GRPC.CertFile, "grpc-cert", "", "PEM file with the server's certificate; read again when it changes.")
	set.StringVar(&f.GRPC.KeyFile, "grpc-key", "", "PEM file with the certificate's key; read again when it changes.")
	set.StringVar(&f.GRPC.ClientCAFile, "grpc-client-ca", "", "PEM file with the CA of the clients' certificates; read again when it changes.")
	set.BoolVar(&f.GRPC.Reflection, "grpc-reflection", false, "Tell clients such as grpcurl of the service's methods.")
}

// DefaultGRPCAddress is reached from the same pod only.
const DefaultGRPCAddress = "127.0.0.1:8086"

// FlagDoc describes a flag for the reference.
type FlagDoc struct{ Name, Default, Usage string }

// OurFlags lists our own flags by name, for the reference and its test.
func OurFlags() []FlagDoc { return docsOf(new(Flags).Register) }

// GRPCFlags lists those that only the external form has.
func GRPCFlags() []FlagDoc { return docsOf(new(Flags).registerGRPC) }

func docsOf(register func(*pflag.FlagSet)) []FlagDoc {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(set)
	var docs []FlagDoc
	set.VisitAll(func(f *pflag.Flag) {
		docs = append(docs, FlagDoc{Name: f.Name, Default: f.DefValue, Usage: f.Usage})
	})
	return docs
}
