//go:build vm

package vm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// identities are the servers whose names are used, and the node groups that the honest ones are in.
type identities struct {
	workers, others, twins, liars, spare *world.Group
	// joined is a node; booting, other and twin are in BUILD, each of another group.
	joined, booting, other, twin simulator.Server
	// broken, off and old are members of spare whose machines do not ask for anything.
	broken, off, old simulator.Server
	// oldSince is when old was seen to be ACTIVE.
	oldSince time.Time
	// outsider is in another project, stranger in no stack; leaving is being deleted, and gone is.
	outsider, stranger, leaving, gone simulator.Server
}

// TestWrongIdentity: real kubelets with tokens that let honest machines in stay out if they ask in a name that is not theirs, or
// with a token that is not theirs. The honest machines beside them join with the same tokens.
func TestWrongIdentity(t *testing.T) {
	const name = "identity"
	var s *scene
	// In real time: certificates and servers are compared by it.
	timing := simulator.DefaultTiming().Faster(4)
	s = newSceneOn(t, name, simulator.Options{Timing: &timing}, switchOnIdentity(name, func() *scene { return s }))
	at := s.prepare(t)
	s.sim.PauseCompute() // from here on new servers stay in BUILD
	s.order(t, at)
	s.makeStrangers(t, at)
	taken := s.takeName(t, at.twin)

	s.attack(t, at.booting.UserData, s.attacks(t, at))

	s.sim.DeleteServer(at.outsider.ID)
	s.sim.DeleteServer(at.stranger.ID)
	s.sim.ResumeCompute()
	s.honestJoin(t, at)
	s.twinStaysOut(t, at, taken)
	s.liarServesNothing(t, at)
	s.attack(t, at.booting.UserData, s.lateAttacks(t, at))
	s.onlyHonest(t, at)
}

// pool are the labels of a group's nodes.
func pool(name string) map[string]string { return map[string]string{"pool": name} }

// prepare makes the groups, with the members that are there before the attacks.
func (s *scene) prepare(t *testing.T) *identities {
	t.Helper()
	at := &identities{}
	// A node in namespaces has all of this machine's processors, however many: so nodes are filled by the number of pods.
	onePod := map[string]string{"capacity.cluster-autoscaler.kubernetes.io/maxPods": "1"}
	for _, g := range []struct {
		group **world.Group
		spec  world.GroupSpec
	}{
		{&at.workers, world.GroupSpec{Name: "workers", Max: 2, Annotations: onePod}},
		{&at.others, world.GroupSpec{Name: "others", Max: 1, Annotations: onePod}},
		{&at.twins, world.GroupSpec{Name: "twins", Max: 1, Annotations: onePod}},
		{&at.liars, world.GroupSpec{Name: "liars", Max: 1, Annotations: onePod}},
		// Its members stay as they are, though none of them ever becomes a node.
		{&at.spare, world.GroupSpec{Name: "spare", Min: 3, Max: 3, Annotations: map[string]string{
			"auto-repair": "false", "autoscaling-options-maxnodeprovisiontime": "10s",
		}}},
	} {
		g.spec.Labels = pool(g.spec.Name)
		var err error
		*g.group, err = s.CreateGroup(t.Context(), g.spec)
		require.NoError(t, err)
	}
	require.NoError(t, s.StartAutoscaler(t.Context(), "--enforce-node-group-min-size", "--max-node-provision-time=15m",
		"--bootstrap-token-sharing=15m", "--ok-total-unready-count=100"))
	at.broken, at.off = s.server(t, at.spare, "0", "ACTIVE"), s.server(t, at.spare, "1", "ACTIVE")
	at.old, at.oldSince = s.server(t, at.spare, "2", "ACTIVE"), time.Now()
	s.deploy(t, "workers", 1)
	s.deploy(t, "liars", 1)
	for _, group := range []*world.Group{at.workers, at.liars} {
		_, err := group.WaitForSize(t.Context(), nodeTimeout, 1)
		require.NoError(t, err)
	}
	at.joined = s.server(t, at.workers, "0", "ACTIVE")
	gone := s.sim.AddServer("demo", simulator.ServerSpec{Name: at.workers.Name + "-44", Flavor: s.Cloud.Flavor})
	s.sim.DeleteServer(gone)
	s.sim.BreakServer(at.broken.ID, "the host has died")
	s.sim.PowerOff(at.off.ID)
	s.server(t, at.spare, "0", "ERROR")
	s.server(t, at.spare, "1", "SHUTOFF")
	require.NoError(t, s.Until(t.Context(), nodeTimeout, "a server to be gone", func(context.Context) error {
		at.gone, _ = s.sim.Server(gone)
		if at.gone.Status != "DELETED" {
			return fmt.Errorf("it is %s", at.gone.Status)
		}
		return nil
	}))
	return at
}

func (s *scene) deploy(t *testing.T, group string, replicas int) {
	t.Helper()
	require.NoError(t, s.Deploy(t.Context(), world.Workload{
		Name: group, Replicas: replicas, CPU: "100m", Image: "localhost/pause:1", NodeLabels: pool(group),
	}))
}

// order lets the autoscaler order servers, while none can be built.
func (s *scene) order(t *testing.T, at *identities) {
	t.Helper()
	require.NoError(t, s.Scale(t.Context(), "workers", 2))
	s.deploy(t, "others", 1)
	s.deploy(t, "twins", 1)
	at.booting, at.other, at.twin = s.server(t, at.workers, "1", "BUILD"), s.server(t, at.others, "0", "BUILD"), s.server(t, at.twins, "0", "BUILD")
}

// approvedFor counts the approved requests for certificates by this signer, by node.
func (s *scene) approvedFor(t *testing.T, signer string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for _, csr := range s.requests(t) {
		if csr.Spec.SignerName == signer && world.IsApproved(&csr) {
			count[world.NodeOf(&csr)]++
		}
	}
	return count
}

// honestJoin: the machines whose tokens and names were stolen become nodes all the same.
func (s *scene) honestJoin(t *testing.T, at *identities) {
	t.Helper()
	for group, size := range map[*world.Group]int{at.workers: 2, at.others: 1} {
		_, err := group.WaitForSize(t.Context(), nodeTimeout, size)
		require.NoError(t, err)
	}
	fmt.Printf("attack none: %s, %s and %s have joined\n", at.joined.Name, at.booting.Name, at.other.Name)
}

// onlyHonest: there are no Nodes but those of the honest machines, they are well, and no certificate is anybody else's.
func (s *scene) onlyHonest(t *testing.T, at *identities) {
	t.Helper()
	liar := s.server(t, at.liars, "0", "ACTIVE")
	list, err := base.Cluster.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	servers := map[string]string{}
	for _, node := range list.Items {
		servers[node.Name] = world.ServerOf(&node)
		if node.Name != s.controlPlane() {
			assert.True(t, world.IsReady(&node), "%s is not disturbed", node.Name)
		}
	}
	assert.Equal(t, map[string]string{
		s.controlPlane(): "", at.joined.Name: at.joined.ID, at.booting.Name: at.booting.ID, at.other.Name: at.other.ID, liar.Name: liar.ID,
	}, servers)

	client := s.approvedFor(t, certificates.KubeAPIServerClientKubeletSignerName)
	assert.Equal(t, map[string]int{at.joined.Name: 1, at.booting.Name: 1, at.other.Name: 1, liar.Name: 1, at.twin.Name: 1}, client)
	serving := s.approvedFor(t, certificates.KubeletServingSignerName)
	for node := range serving {
		assert.Contains(t, []string{at.joined.Name, at.booting.Name, at.other.Name}, node)
	}
	assert.NotEmpty(t, serving)
}

// counted checks that the autoscaler's metric has counted a refusal for each attack that is its business.
func (s *scene) counted(t *testing.T, attacks []attack) {
	t.Helper()
	counts, err := s.Autoscaler.Samples(t.Context(), "cluster_autoscaler_openstack_csr_decisions_total", nil, "reason")
	require.NoError(t, err)
	for _, a := range attacks {
		refused := 0.0
		for _, reason := range a.reasons {
			refused += counts[reason]
		}
		assert.True(t, len(a.reasons) == 0 || refused > 0, "%s: %v", a.name, counts)
	}
}

func tokenOf(t *testing.T, server simulator.Server) string {
	t.Helper()
	token, err := world.TokenIn(server.UserData)
	require.NoError(t, err, server.Name)
	return token
}

// controlPlane is a Node that is no server's.
func (s *scene) controlPlane() string { return s.Name + "-control-plane" }

// asked are the requests by kubelets in a node's name for a signer, but those known.
func (s *scene) asked(ctx context.Context, node, signer string, known ...string) ([]certificates.CertificateSigningRequest, error) {
	requests, err := s.Requests(ctx)
	return slices.DeleteFunc(requests, func(csr certificates.CertificateSigningRequest) bool {
		return world.NodeOf(&csr) != node || csr.Spec.SignerName != signer || slices.Contains(known, csr.Name) || !strings.Contains(csr.Name, "csr-")
	}), err
}
