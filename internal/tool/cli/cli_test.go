package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/ptr"
)

func newOptions() *Options { return NewOptions("tool", genericiooptions.NewTestIOStreamsDiscard()) }

func TestMistakesAreToldAtOnce(t *testing.T) {
	o := newOptions()
	require.NoError(t, o.Check())
	o.Output, o.Cloud, o.CloudConfig, o.AutoDiscovery, o.Nodes = "xml", "a", "b", []string{"magnum:x"}, []string{"x"}
	err := o.Check()
	require.Equal(t, ExitUsage, ExitCode(err))
	for _, says := range []string{"--output=xml", "--cloud=a and --cloud-config=b", `"magnum:x"`, `nodes "x"`} {
		require.ErrorContains(t, err, says)
	}
}

func TestNodeGroupsOfFlags(t *testing.T) {
	o := newOptions()
	o.AutoDiscovery, o.Nodes = []string{"heat:tag=a,tag=b=c"}, []string{"1:3:stack"}
	require.NoError(t, o.Check())
	require.NoError(t, o.Check(), "twice is the same as once")
	discovery, named := o.NodeGroups()
	require.Equal(t, []string{"a", "b=c"}, discovery[0].Tags)
	require.Len(t, discovery, 1)
	require.Equal(t, "stack", named[0].Name)
}

func TestNoClusterIsSaidSo(t *testing.T) {
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	_, err := newOptions().Client()
	require.EqualError(t, err, "no cluster is known: name a kubeconfig by --kubeconfig or KUBECONFIG")
	o := newOptions()
	o.Kubernetes.APIServer = ptr.To("https://127.0.0.1:1")
	_, err = o.Client()
	require.NoError(t, err)
}

func TestAClientThatCannotBeMadeIsNone(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(`{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a}}],
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1", certificate-authority-data: bm9uZQ==}}]}`), 0o600))
	t.Setenv("KUBECONFIG", kubeconfig)
	o := newOptions()
	for range 2 {
		client, err := o.Client()
		require.ErrorContains(t, err, "the connection to the cluster")
		require.Nil(t, client)
	}
}

func TestForbiddenNamesTheRight(t *testing.T) {
	err := Explain("list nodes", apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "", errors.New("no")))
	require.ErrorContains(t, err, "no permission to list nodes: nodes is forbidden")
	require.ErrorContains(t, err, "deploy/kubernetes/nodegroups-viewer.yaml")
	require.True(t, apierrors.IsForbidden(err))
	require.ErrorContains(t, Explain("list nodes", apierrors.NewUnauthorized("x")), "does not accept the kubeconfig's credentials")
	require.NoError(t, Explain("list nodes", nil))
}

func TestTexts(t *testing.T) {
	now := time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)
	require.Equal(t, "<unknown>", Number(nil))
	require.Equal(t, "0", Number(ptr.To(0)))
	require.Equal(t, "<unknown>", Age(now, nil))
	require.Equal(t, "3m", Age(now, ptr.To(now.Add(-3*time.Minute))))
	require.Equal(t, "0s", Age(now, ptr.To(now.Add(time.Hour))), "clocks differ")
	require.Equal(t, "a b c", OneLine("a\n b\x1b\x07 \u009bc"), "nothing that a terminal obeys")
	require.Equal(t, "ab…", Shorten("abcd", 3))
	require.Equal(t, "1589Mi", Amount(v1.ResourceMemory, resource.MustParse("1666816410")))
	require.Equal(t, "4Gi", Amount(v1.ResourceMemory, resource.MustParse("4Gi")))
	require.Equal(t, "900m", Amount(v1.ResourceCPU, resource.MustParse("900m")))
}

func TestExitCodes(t *testing.T) {
	require.Equal(t, ExitOK, ExitCode(nil))
	require.Equal(t, ExitFailed, ExitCode(errors.New("x")))
	require.Equal(t, ExitUsage, ExitCode(Usagef("x")))
	require.Equal(t, 7, ExitCode(&ExitError{Code: 7}))
}
