package e2e_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/docs/play"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

var playsFlag = flag.String("plays", ".", "which files of test/docs/plays TestPages runs: a regular expression")

// TestPages runs the commands of the documentation, see test/docs/plays. The autoscaler is where the pages look for it, in the namespace
// kube-system. On a real cloud all plays are run, on the simulated one those that do not need the command "openstack".
func TestPages(t *testing.T) {
	plays, err := play.Read(filepath.Join(base.Root, "test", "docs", "plays"))
	require.NoError(t, err)
	if *realCloud == "" {
		t.Parallel()
	}
	wanted, err := regexp.Compile(*playsFlag)
	require.NoError(t, err)
	plays = slices.DeleteFunc(plays, func(p play.Play) bool {
		return p.NeedsOpenStack && *realCloud == "" || !wanted.MatchString(p.Name)
	})
	require.NotEmpty(t, plays)

	w := pagesWorld(t)
	require.NoError(t, w.StartAutoscaler(t.Context(), "--namespace=kube-system", "--leader-elect=true"))
	player := &play.Player{Dir: playground(t), Env: playEnv(t, w), Say: t.Logf}
	for _, p := range plays {
		require.NoError(t, player.Run(t.Context(), p))
	}
}

// pagesWorld is a world with a control plane of its own: the commands of the documentation make pods that may run anywhere, and other scenes
// would grow for them.
func pagesWorld(t *testing.T) *world.World {
	t.Helper()
	if *realCloud != "" {
		cloud, err := world.Real(t.Context(), *realCloud, *adminCloud)
		require.NoError(t, err)
		return newWorld(t, "prod", cloud, world.Options{})
	}
	own, err := world.StartBase(t.Context(), func(what string) { t.Log(what) })
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	require.NoError(t, err)
	sim := simulator.New(simulator.Options{})
	t.Cleanup(sim.Close)
	require.NoError(t, sim.Start("127.0.0.1:0"))
	cloud, err := world.Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	return newWorldOn(t, own, "prod", cloud, world.Options{})
}

// playground is a folder in which the commands of the documentation find what they name.
func playground(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"deploy", "test"} {
		require.NoError(t, os.Symlink(filepath.Join(base.Root, name), filepath.Join(dir, name)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cloud.conf"), []byte("[Global]\nauth-url=https://keystone.example.com:5000/v3\n"), 0o600))
	return dir
}

// playEnv is the environment of somebody who administers the cluster and owns the project.
func playEnv(t *testing.T, w *world.World) []string {
	t.Helper()
	programs := t.TempDir()
	for _, name := range []string{"kubectl", "kubeadm"} {
		require.NoError(t, os.Symlink(base.Kubernetes(), filepath.Join(programs, name)))
	}
	tool, err := plugin()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(tool, filepath.Join(programs, "kubectl-openstack_nodegroups")))
	return append(slices.Clone(w.Cloud.Env),
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+t.TempDir(), "TMPDIR="+os.TempDir(),
		"KUBECONFIG="+w.Kubeconfig(), "OS_CLOUD="+*realCloud, "ADMIN_CLOUD="+*adminCloud,
		"OS_CLIENT_CONFIG_FILE="+cloudsOfPages(t),
		"SA=system:serviceaccount:kube-system:cluster-autoscaler-openstack", "LANG=C.UTF-8")
}

// cloudsOfPages is the clouds.yaml of the real cloud, in which the user has the names that the documentation uses, too.
func cloudsOfPages(t *testing.T) string {
	t.Helper()
	if *realCloud == "" {
		return ""
	}
	text, err := os.ReadFile(os.Getenv("OS_CLIENT_CONFIG_FILE"))
	require.NoError(t, err)
	var all struct {
		Clouds map[string]any `json:"clouds"`
	}
	require.NoError(t, yaml.Unmarshal(text, &all))
	for _, name := range []string{"openstack", "me"} {
		all.Clouds[name] = all.Clouds[*realCloud]
	}
	text, err = yaml.Marshal(all)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}
