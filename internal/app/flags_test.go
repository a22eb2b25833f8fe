package app

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/autoscaler/cluster-autoscaler/version"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
)

// asProgram makes the test's binary be the program: flags belong to the process, so that each case needs a new one.
const asProgram = "TEST_AS_PROGRAM"

// sideBySide is how many programs run at the same time, whatever the number of processors: they wait most of the time.
const sideBySide = "4"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	flag.Parse() // what the command line says goes before
	os.Exit(m.Run())
}

// runProgram runs the program and returns what it wrote and its exit code.
func runProgram(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...) //nolint:gosec // the test's own binary
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func TestHelp(t *testing.T) {
	out, errs, code := runProgram(t, "--help")
	require.Zero(t, code)
	require.Empty(t, errs)
	for _, f := range OurFlags() {
		require.Contains(t, out, "--"+f.Name)
	}
	for _, title := range []string{"OpenStack flags:", "Leader election flags:", "Logging flags:", "Cluster autoscaler flags:"} {
		require.Contains(t, out, title)
	}
	for _, want := range []string{"--scale-down-unneeded-time", "--leader-elect", "--v ", "--nodes MIN:MAX:STACK", `(default "openstack")`} {
		require.Contains(t, out, want)
	}
	for _, changed := range []string{"--enforce-node-group-min-size", "--scale-down-delay-type-local"} {
		_, rest, _ := strings.Cut(strings.Join(strings.Fields(out), " "), changed+" ")
		rest, _, _ = strings.Cut(rest, " flags: ")
		require.Regexp(t, `^[^(]*\(default true\)`, rest, changed)
	}
	for _, other := range []string{"--aws-", "--gce-", "ASG", "GKE", "externalgrpc", "AllAlpha"} {
		require.NotContains(t, out, other, "other clouds' flags help nobody here")
	}
	ours, _, _ := strings.Cut(out, "Leader election flags:")
	for _, line := range strings.Split(ours, "\n") {
		require.LessOrEqual(t, len(line), helpWidth, "it fits a screen")
	}
}

func TestVersion(t *testing.T) {
	out, errs, code := runProgram(t, "--version")
	require.Zero(t, code)
	require.Empty(t, errs)
	require.Equal(t, build.Line("cluster-autoscaler-openstack", version.ClusterAutoscalerVersion)+"\n", out)
	require.Contains(t, out, "(cluster-autoscaler 1.33.")
	require.NotContains(t, build.Line("it", external.coreVersion()), "cluster-autoscaler", "the gRPC server has none inside")
}

func TestMistakesInFlagsAreToldAtOnceAndNameFlagValueAndRemedy(t *testing.T) {
	good := "--nodes=0:3:workers"
	loads := filepath.Join(t.TempDir(), "loads.yaml")
	require.NoError(t, os.WriteFile(loads, []byte("defaults: {load-targt: 60}"), 0o600))
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"nothing":            {nil, []string{"--node-group-auto-discovery", "--nodes=MIN:MAX:STACK"}},
		"unknown flag":       {[]string{"--scale-down-uneeded-time=1m"}, []string{"scale-down-uneeded-time", "--help"}},
		"no flag":            {[]string{good, "workers"}, []string{`"workers" is not a flag`}},
		"bad duration":       {[]string{good, "--scan-interval=10"}, []string{"--scan-interval", "10"}},
		"discovery":          {[]string{"--node-group-auto-discovery=asg:tag=x"}, []string{"--node-group-auto-discovery=asg:tag=x", "heat:tag=TAG"}},
		"nodes":              {[]string{"--nodes=3:1:workers"}, []string{"--nodes=3:1:workers", "above", "MIN:MAX:STACK"}},
		"other provider":     {[]string{good, "--cloud-provider=magnum"}, []string{"--cloud-provider=magnum", "write openstack"}},
		"provisioning":       {[]string{good, "--enable-provisioning-requests"}, []string{"--enable-provisioning-requests", "leave the flag out"}},
		"expander":           {[]string{good, "--expander=cheapest"}, []string{"--expander=cheapest", "least-nodes"}},
		"price":              {[]string{good, "--expander=price"}, []string{"--expander=price", "--price-file"}},
		"estimator":          {[]string{good, "--estimator=guess"}, []string{"--estimator=guess", "binpacking"}},
		"cores":              {[]string{good, "--cores-total=5"}, []string{"--cores-total=5", "MIN:MAX"}},
		"memory":             {[]string{good, "--memory-total=9:1"}, []string{"--memory-total=9:1"}},
		"gpus":               {[]string{good, "--gpu-total=a100:3"}, []string{"--gpu-total=a100:3", "TYPE:MIN:MAX"}},
		"scheduler":          {[]string{good, "--scheduler-config-file=/nonexistent"}, []string{"--scheduler-config-file=/nonexistent"}},
		"drain":              {[]string{good, "--drain-priority-config=0:60", "--max-graceful-termination-sec=5"}, []string{"--drain-priority-config"}},
		"no time":            {[]string{good, "--openstack-request-timeout=0s"}, []string{"--openstack-request-timeout=0s"}},
		"too long a refresh": {[]string{good, "--openstack-refresh-timeout=11m"}, []string{"--openstack-refresh-timeout=11m0s", "--max-inactivity"}},
		"too long a write":   {[]string{good, "--openstack-write-timeout=11m"}, []string{"--openstack-write-timeout=11m0s", "--max-inactivity"}},
		"rate":               {[]string{good, "--openstack-rate=0"}, []string{"--openstack-rate=0"}},
		"burst":              {[]string{good, "--openstack-burst=-1"}, []string{"--openstack-burst=-1"}},
		"no repair time":     {[]string{good, "--auto-repair-after=0s"}, []string{"--auto-repair-after=0s"}},
		"no repairs":         {[]string{good, "--auto-repairs-per-hour=0"}, []string{"--auto-repairs-per-hour=0", "--auto-repair=false"}},
		"overhead":           {[]string{good, "--openstack-memory-overhead-percent=90"}, []string{"--openstack-memory-overhead-percent=90"}},
		"sharing":            {[]string{good, "--bootstrap-token-sharing=-1s"}, []string{"--bootstrap-token-sharing=-1s"}},
		"long sharing":       {[]string{good, "--bootstrap-token-sharing=2h"}, []string{"--bootstrap-token-sharing=2h0m0s", "1h"}},
		"tokens":             {[]string{good, "--bootstrap-tokens=false"}, []string{"--bootstrap-tokens=false", "--approve-node-certificates=false"}},
		"address":            {[]string{good, "--bootstrap-api-server=10.0.0.10:6443"}, []string{"--bootstrap-api-server=10.0.0.10:6443", "https://"}},
		"label":              {[]string{good, "--openstack-gpu-label=a b"}, []string{"--openstack-gpu-label=a b"}},
		"several":            {[]string{"--nodes=x", "--openstack-rate=0"}, []string{"--nodes=x", "--openstack-rate=0"}},
		"no load file":       {[]string{good, "--load-config=/nonexistent"}, []string{"--load-config=/nonexistent", "no such file"}},
		"a bad load file":    {[]string{good, "--load-config=" + loads}, []string{"--load-config=" + loads, "load-targt", "load-target"}},
		"load source":        {[]string{good, "--load-source=statsd"}, []string{"--load-source=statsd", "gnocchi or prometheus"}},
		"no prometheus":      {[]string{good, "--load-source=prometheus"}, []string{"--load-source=prometheus", "--prometheus-url"}},
		"a password":         {[]string{good, "--prometheus-url=https://user:hunter2@p.example.org"}, []string{"--prometheus-url", "p.example.org"}},
		"prometheus config":  {[]string{good, "--prometheus-url=https://p.example.org", "--prometheus-config=/nonexistent"}, []string{"--prometheus-config=/nonexistent"}},
		"its config alone":   {[]string{good, "--prometheus-config=/nonexistent"}, []string{"--prometheus-config=/nonexistent", "--prometheus-url"}},
		"its label":          {[]string{good, "--prometheus-node-group-label=node-group"}, []string{"--prometheus-node-group-label=node-group", "node_group"}},
		"its lookback":       {[]string{good, "--prometheus-lookback=0s"}, []string{"--prometheus-lookback=0s"}},
		"metrics' address":   {[]string{good, "--external-metrics-address=6443"}, []string{"--external-metrics-address=6443", ":6443"}},
		"metrics of nothing": {[]string{good, "--external-metrics-address=:6443", "--load-signals=false"}, []string{"--external-metrics-address=:6443", "--load-signals"}},
		"metrics' key":       {[]string{good, "--external-metrics-address=:6443", "--external-metrics-key=/tls.key"}, []string{"--external-metrics-key=/tls.key", "--external-metrics-cert"}},
		"metrics' cert":      {[]string{good, "--external-metrics-address=:6443", "--external-metrics-cert=/tls.crt"}, []string{"--external-metrics-cert=/tls.crt", "--external-metrics-key"}},
		"certs for nothing":  {[]string{good, "--external-metrics-cert=/tls.crt", "--external-metrics-key=/tls.key"}, []string{"--external-metrics-cert=/tls.crt", "--external-metrics-address"}},
		"telemetry timeout":  {[]string{good, "--telemetry-timeout=0s"}, []string{"--telemetry-timeout=0s"}},
		"telemetry hold":     {[]string{good, "--telemetry-hold=-1s"}, []string{"--telemetry-hold=-1s"}},
		"log format":         {[]string{good, "--logging-format=xml"}, []string{"logging"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, errs, code := runProgram(t, tt.args...)
			require.Equal(t, 2, code)
			require.Empty(t, out)
			for _, want := range tt.want {
				require.Contains(t, errs, want)
			}
			require.NotContains(t, errs, "goroutine", "a sentence, not a dump")
			require.NotContains(t, errs, "hunter2", "a secret")
			require.Less(t, len(errs), 600)
		})
	}
}

func TestAMissingKubeconfigIsAnError(t *testing.T) {
	_, errs, code := runProgram(t, "--nodes=0:3:workers", "--kubeconfig="+filepath.Join(t.TempDir(), "missing"))
	require.Equal(t, 2, code)
	require.Contains(t, errs, "--kubeconfig=")
	require.NotContains(t, errs, "goroutine")
}

func TestOurFlagsAreDocumented(t *testing.T) {
	names := map[string]bool{}
	for _, f := range append(OurFlags(), GRPCFlags()...) {
		require.True(t, strings.HasSuffix(f.Usage, "."), "--%s: a sentence", f.Name)
		require.Greater(t, len(f.Usage), 30, "--%s", f.Name)
		names[f.Name] = true
	}
	require.Contains(t, names, "dry-run")
	table := FlagsMarkdown()
	require.Contains(t, table, "| `--dry-run` | `false` | Decide and report")
	require.Contains(t, table, "| `--price-file` |  | YAML file")
	require.Equal(t, len(names), strings.Count(table, "\n| `--"))
}

func TestPasswordsInFlagsAreNotLogged(t *testing.T) {
	for value, want := range map[string]string{
		"":                                   "",
		"heat:tag=a@b":                       "heat:tag=a@b",
		"https://prometheus.example.org":     "https://prometheus.example.org",
		"https://u:secret@prometheus:9090/x": "https://u:xxxxx@prometheus:9090/x",
		"https://u:sec#ret@prometheus":       "(not shown)",
		"https://u:12#secret@prometheus":     "(not shown)",
	} {
		require.Equal(t, want, withoutPassword(value), value)
	}
}
