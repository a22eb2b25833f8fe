//go:build chart

package chart

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

var update = flag.Bool("update", false, "write the snapshots anew")

const (
	root = "../.."
	dir  = root + "/deploy/chart/cluster-autoscaler-openstack"
	// name is the release of which the objects are called as those of deploy/kubernetes.
	name = "cluster-autoscaler-openstack"
	// baseRelease is whose rights the autoscaler of the worlds has, and baseAccount its service account in kube-system.
	baseRelease = "lab"
	baseAccount = baseRelease + "-" + name
	// versionForTemplates is the cluster's that helm is told where it does not see one.
	versionForTemplates = "1.33.13"
)

var (
	// builder and helmPath are the programs'.
	builder  *binaries.Builder
	helmPath string
	// base is a control plane on which the autoscaler has the chart's permissions, and auditLog what the accounts in some namespaces did.
	base     *world.Base
	auditLog string
)

func TestMain(m *testing.M) {
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	os.Exit(run(m))
}

// run exists for its defers, which os.Exit would skip.
func run(m *testing.M) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	temporary, err := os.MkdirTemp("", "chart-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(temporary)
	start := time.Now()
	say := func(what string) { fmt.Printf("%5.1fs %s\n", time.Since(start).Seconds(), what) }
	if err := prepare(ctx, temporary, say); err != nil {
		fmt.Println(err)
		_ = base.Close()
		return 1
	}
	code := m.Run()
	if err := base.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

func prepare(ctx context.Context, temporary string, say func(string)) error {
	var err error
	base = &world.Base{}
	if builder, err = binaries.New(); err != nil {
		return err
	}
	say("building helm: minutes the first time, a second later on")
	if helmPath, err = builder.Helm(ctx); err != nil {
		return err
	}
	rights, err := helm(ctx, append([]string{"template", baseRelease, dir, "-n", "kube-system", "--kube-version", versionForTemplates, "-f", valuesFile("minimal")},
		"--show-only", "templates/serviceaccount.yaml", "--show-only", "templates/rbac.yaml")...)
	if err != nil {
		return err
	}
	manifest := filepath.Join(temporary, "rights.yaml")
	if err := os.WriteFile(manifest, []byte(strings.TrimPrefix(rights, "---\n")), 0o600); err != nil {
		return err
	}
	auditLog = filepath.Join(temporary, "audit.log")
	base, err = world.StartBaseWith(ctx, world.BaseOptions{Manifest: manifest, AuditLog: auditLog, AuditNamespaces: audited}, say)
	return err
}

// helm runs helm and returns what it prints.
func helm(ctx context.Context, arguments ...string) (string, error) {
	return Helm(ctx, helmPath, arguments...)
}

// inCluster runs helm with the cluster.
func inCluster(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := helm(t.Context(), append(arguments, "--kubeconfig", base.Cluster.Kubeconfig)...)
	require.NoError(t, err)
	return out
}

func valuesFile(of string) string { return "testdata/values/" + of + ".yaml" }

// allValues are the names of the typical values files.
func allValues(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 7)
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	return names
}

// render renders the chart as release name in kube-system.
func render(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := helm(t.Context(), append([]string{"template", name, dir, "-n", "kube-system", "--kube-version", versionForTemplates}, arguments...)...)
	require.NoError(t, err)
	return out
}
