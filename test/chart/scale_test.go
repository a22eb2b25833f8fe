//go:build chart

package chart

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// audited are the namespaces whose accounts' requests are in the audit log.
var audited = []string{"full", "less", "alone"}

// scene is a release in a world of its own.
type scene struct {
	*testing.T
	*world.World
	sim     *simulator.Simulator
	release string
	// common are the arguments of every "helm upgrade --install" here.
	common []string
	// spec is what node groups are like.
	spec world.GroupSpec
	// credentials are helm's arguments for signing in.
	credentials []string
	// withoutServing: nobody decides requests of kubelets for serving certificates.
	withoutServing bool
	// without are flags that the programs are not given.
	without []string
	running *installation
	// authority is that of the certificate of external metrics, once it was seen.
	authority []byte
}

// newScene makes a scene named after its namespace and after testdata/installed/NAME.yaml. Its namespace is not kube-system.
func newScene(t *testing.T, name string, options world.Options) *scene {
	w, sim := newWorld(t, name, options)
	s := &scene{T: t, World: w, sim: sim, release: name}
	s.credentials = []string{"--set-file", "openstack.cloudConf=" + writeFile(t, "cloud.conf", sim.CloudConf("demo", "demo"))}
	s.common = []string{
		"upgrade", "--install", name, dir, "-n", name, "-f", valuesFile("minimal"), "-f", "testdata/installed/quick.yaml", "-f", "testdata/installed/" + name + ".yaml",
		"--set", "openstack.existingSecret=",
		"--set", "nodeGroups.tags={cluster-autoscaler-enabled,cluster=" + name + "}",
		"--set", "provider.extraArgs.bootstrap-api-server=" + base.Cluster.Endpoint,
	}
	return s
}

// account is the service account's name, as well as the Deployment's.
func (s *scene) account() string { return s.release + "-" + name }

// begin installs or upgrades the release and runs its programs.
func (s *scene) begin(arguments ...string) {
	s.Helper()
	inCluster(s.T, slices.Concat(s.common, s.credentials, arguments)...)
	s.running = start(s.T, s.Name(), s.account(), s.without...)
}

// Name is the namespace.
func (s *scene) Name() string { return s.World.Name }

// play lets a node group live with what begin starts: it grows, shrinks and is drained. Between them happens what is given. Then every
// right of the release has to have been used, and no other asked for.
func (s *scene) play(begin, between func()) map[right]bool {
	s.Helper()
	ctx := s.Context()
	before := len(requests(s.T, s.Name(), s.account()))
	group, err := world.MainJob{World: s.World, Timeout: stepTimeout, Say: s.Logf, Spec: s.spec, Start: func(context.Context) error {
		begin()
		return nil
	}}.Run(ctx)
	require.NoError(s, err)
	if between != nil {
		between()
	}
	drain(s.T, s.World, func() {
		if !s.withoutServing {
			s.requireServingCertificate()
		}
	})
	s.running.stop()
	asked := requests(s.T, s.Name(), s.account())[before:]
	s.requireOwnNodes(asked)
	used := uses(s.T, asked)
	requireAllUsed(s.T, s.release, used)
	require.NoError(s, group.Delete(ctx))
	s.forget()
	return used
}

// requireOwnNodes: of the nodes in the cluster, which the worlds share, the release has changed none of another world's.
func (s *scene) requireOwnNodes(asked []request) {
	s.Helper()
	changed := 0
	for _, r := range asked {
		if r.ObjectRef.Resource != "nodes" || slices.Contains([]string{"get", "list", "watch"}, r.Verb) {
			continue
		}
		changed++
		require.True(s, strings.HasPrefix(r.ObjectRef.Name, s.Name()+"-"), "%s %s is about another world's node", r.Verb, r.RequestURI)
	}
	require.Positive(s, changed, "a node that goes is tainted before")
}

// forget deletes what an uninstall leaves, so that what comes next has to make it anew.
func (s *scene) forget() {
	s.Helper()
	_, err := kubectl(s.Context(), "", "-n", s.Name(), "delete", "--ignore-not-found", "lease/cluster-autoscaler", "configmap/cluster-autoscaler-openstack-joins")
	require.NoError(s, err)
}

// TestFullChartScales: with every part on, first in mode external and after an upgrade in mode embedded, a node group scales through the
// programs as the installed Deployment says; the second replica takes over; load is served with a certificate that the API server can
// check, the status page answers, and the pod of "helm test" finds nothing wrong. What the account may do is what it needs for that.
func TestFullChartScales(t *testing.T) {
	t.Parallel()
	s := newScene(t, "full", world.Options{NoCloudController: true})
	for _, mode := range []string{"external", "embedded"} {
		used := s.play(func() { s.begin("--set", "mode="+mode) }, func() {
			s.requireExternalMetrics()
			s.requireStatusPage()
			s.requireCheck()
			s.running.killLeader(t)
		})
		asked := fmt.Sprint(slices.Collect(maps.Keys(used)))
		for _, right := range []string{
			"authentication.k8s.io tokenreviews create", "authorization.k8s.io subjectaccessreviews create",
			"configmaps list extension-apiserver-authentication in kube-system", "configmaps watch extension-apiserver-authentication in kube-system",
		} {
			require.Contains(t, asked, right, "%s: externalMetrics asks for it", mode)
		}
	}
	inCluster(t, "uninstall", s.release, "-n", s.Name())
}

// TestLeastChartScales: with everything off that needs rights, nodes come and go in both modes with fewer rights, and no Secret is read.
// Machines join by their own means. The credentials are in a clouds.yaml.
func TestLeastChartScales(t *testing.T) {
	t.Parallel()
	s := newScene(t, "less", world.Options{})
	s.withoutServing = true
	s.spec.Parameters = s.ownJoining()
	s.credentials = []string{"--set-file", "openstack.cloudsYaml=" + writeFile(t, "clouds.yaml", cloudsYAML(s.sim.Environment("demo", "demo")))}
	for _, mode := range []string{"external", "embedded"} {
		used := s.play(func() { s.begin("--set", "mode="+mode) }, nil)
		for right := range used {
			require.NotContains(t, right.resource, "secrets", mode)
			require.NotContains(t, right.resource, "certificatesigningrequests", mode)
		}
	}
	inCluster(t, "uninstall", s.release, "-n", s.Name())
}

// cloudsYAML is a clouds.yaml of OS_* variables.
func cloudsYAML(variables []string) string {
	value := map[string]string{}
	for _, variable := range variables {
		name, is, _ := strings.Cut(variable, "=")
		value[name] = is
	}
	return fmt.Sprintf(`clouds:
  openstack:
    region_name: %q
    auth: {auth_url: %q, username: %q, password: %q, project_name: %q, user_domain_name: Default, project_domain_name: Default}
`, value["OS_REGION_NAME"], value["OS_AUTH_URL"], value["OS_USERNAME"], value["OS_PASSWORD"], value["OS_PROJECT_NAME"])
}

// TestServerAloneScales: the gRPC server without a cluster-autoscaler has no more rights than its own part needs. Who asks it here is a
// stock cluster-autoscaler with an account of its own, over loopback; TLS has tests of its own.
func TestServerAloneScales(t *testing.T) {
	t.Parallel()
	s := newScene(t, "alone", world.Options{NoCloudController: true})
	s.without = []string{"grpc-cert", "grpc-key", "grpc-client-ca"}
	folder := t.TempDir()
	others := process.NewGroup(folder)
	t.Cleanup(others.Stop)
	s.play(func() {
		s.begin()
		_, stock, err := builder.External(t.Context())
		require.NoError(t, err)
		config, kubeconfig := filepath.Join(folder, "cloud-config.yaml"), filepath.Join(folder, "kubeconfig")
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "address: 127.0.0.1:%d\n", s.running.pods[0].ports["grpc-address"]), 0o600))
		writeKubeconfig(t, "kube-system", baseAccount, kubeconfig)
		arguments := []string{
			"--cloud-provider=externalgrpc", "--cloud-config=" + config, "--kubeconfig=" + kubeconfig, "--namespace=" + s.Name(), "--leader-elect=false",
			fmt.Sprintf("--address=127.0.0.1:%d", freePort(t)),
		}
		for flag, value := range quickFlags(t) {
			arguments = append(arguments, fmt.Sprintf("--%s=%v", flag, value))
		}
		_, err = others.Start("stock", process.Options{}, stock, arguments...)
		require.NoError(t, err)
	}, nil)
	inCluster(t, "uninstall", s.release, "-n", s.Name())
}
