//go:build vm

package vm_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/attacker"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// tooOld is more than the provision time of the group spare and a minute, by which clocks may differ.
const tooOld = 75 * time.Second

// switchOnIdentity starts the machines of the servers: honest ones, but for those of two groups. The machine of liars has taken the
// address of another server; those of spare never ask for anything.
func switchOnIdentity(name string, s func() *scene) switchOn {
	return func(group *process.Group, server machines.Server, machine, dir string) (*process.Process, error) {
		switch server.Name {
		case name + "-spare-0", name + "-spare-1", name + "-spare-2":
			return group.Start(machine, process.Options{}, "sleep", "infinity")
		case name + "-liars-0":
			for _, other := range s().sim.Servers() {
				if other.Name == name+"-spare-2" {
					server.Address = other.Address
				}
			}
		}
		return host.Node(group, server, machine, dir)
	}
}

// attacks are those that are tried while servers are in BUILD whose machines would be let in.
func (s *scene) attacks(t *testing.T, at *identities) []attack {
	t.Helper()
	stolen := tokenOf(t, at.booting)
	others, spare := tokenOf(t, at.other), tokenOf(t, at.old)
	expired, revoked := s.badTokens(t)
	const operators = "system:bootstrappers:operators"
	letAsk(t, operators)
	later := time.Now().Add(time.Hour)
	own, disguised := makeToken(t, "oprtor", operators, later), makeToken(t, "dsguis", bootstrap.TokenGroup, later)
	for _, good := range []string{stolen, others, spare, own, disguised} {
		s.answers(t, good, http.StatusForbidden) // it is a token, and no more than that
	}
	name := at.booting.Name
	one := func(reason string) []string { return []string{reason} }
	return []attack{
		{name: "a node that has joined", as: at.joined.Name, server: at.joined.ID, with: stolen, reasons: one(bootstrap.ReasonNodeExists)},
		{name: "a control plane node", as: s.controlPlane(), server: at.booting.ID, with: stolen, reasons: one(bootstrap.ReasonStaleNode)},
		{name: "an invented name", as: s.Name + "-workers-77", server: at.booting.ID, with: stolen, reasons: one(bootstrap.ReasonNoSuchServer)},
		{name: "a server in BUILD by a longer name", as: name + ".example.com", server: at.booting.ID, with: stolen, reasons: one(bootstrap.ReasonNoSuchServer)},
		{name: "a server of another project", as: at.outsider.Name, server: at.outsider.ID, with: stolen, reasons: one(bootstrap.ReasonNoSuchServer)},
		{
			name: "a server of no node group, with lying metadata", as: at.stranger.Name, server: at.stranger.ID, with: stolen,
			reasons: []string{bootstrap.ReasonNotYetAMember, bootstrap.ReasonNotAMember},
		},
		{name: "a server that is being deleted", as: at.leaving.Name, server: at.leaving.ID, with: stolen, reasons: one(bootstrap.ReasonServerLeaving)},
		{name: "a server that was deleted", as: at.gone.Name, server: at.gone.ID, with: stolen, reasons: one(bootstrap.ReasonNoSuchServer)},
		{name: "a server of another node group", as: at.other.Name, server: at.other.ID, with: stolen, reasons: one(bootstrap.ReasonWrongNodeGroup)},
		{name: "a token of another node group", as: name, server: at.booting.ID, with: others, reasons: one(bootstrap.ReasonWrongNodeGroup)},
		{name: "a token that the autoscaler did not mint, in its group", as: name, server: at.booting.ID, with: disguised, reasons: one(bootstrap.ReasonUnknownToken)},
		{name: "a token of an operator's", as: name, server: at.booting.ID, with: own},
		{name: "a token that has expired", as: name, server: at.booting.ID, with: expired, rejected: true},
		{name: "a token that was revoked", as: name, server: at.booting.ID, with: revoked, rejected: true},
		{name: "a server in ERROR", as: at.broken.Name, server: at.broken.ID, with: spare, reasons: one(bootstrap.ReasonServerState)},
		{name: "a server in SHUTOFF", as: at.off.Name, server: at.off.ID, with: spare, reasons: one(bootstrap.ReasonServerState)},
	}
}

// lateAttacks are those that are tried after the honest machines have joined.
func (s *scene) lateAttacks(t *testing.T, at *identities) []attack {
	t.Helper()
	require.NoError(t, s.Until(t.Context(), nodeTimeout, "a server to be too old", func(context.Context) error {
		if age := time.Since(at.oldSince); age < tooOld {
			return fmt.Errorf("it is ACTIVE for %s", age)
		}
		return nil
	}))
	return []attack{
		{
			name: "a server that has joined with another key", as: at.booting.Name, server: at.booting.ID, with: tokenOf(t, at.booting),
			reasons: []string{bootstrap.ReasonNodeExists},
		},
		{
			name: "a server that is ACTIVE for too long", as: at.old.Name, server: at.old.ID, with: tokenOf(t, at.old),
			reasons: []string{bootstrap.ReasonServerTooOld},
		},
	}
}

// makeStrangers makes the servers and the Node that are no member's.
func (s *scene) makeStrangers(t *testing.T, at *identities) {
	t.Helper()
	const project = "second"
	s.sim.AddProject(project, simulator.DefaultQuota())
	s.sim.AddUser("demo", "secret", false, "demo", project)
	boot := func(project, index string) simulator.Server {
		id, err := world.BootServer(t.Context(), s.sim.CloudConf("demo", project), t.TempDir(), map[string]any{
			"name": at.workers.Name + "-" + index, "flavorRef": s.Cloud.Flavor, "imageRef": s.Cloud.Image,
			"metadata":  map[string]string{"metering.stack": at.workers.ID, "node_index": index},
			"user_data": base64.StdEncoding.EncodeToString([]byte(at.booting.UserData)),
		})
		require.NoError(t, err)
		made, ok := s.sim.Server(id)
		require.True(t, ok)
		return made
	}
	// They are in BUILD, or being deleted, until the attacks are over.
	at.outsider, at.stranger, at.leaving = boot(project, "41"), boot("demo", "42"), boot("demo", "43")
	s.sim.DeleteServer(at.leaving.ID)
	_, err := base.Cluster.Client.CoreV1().Nodes().Create(t.Context(), &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: s.controlPlane(), Labels: map[string]string{"world": s.Name, "node-role.kubernetes.io/control-plane": ""}},
		Spec:       v1.NodeSpec{Taints: []v1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: v1.TaintEffectNoSchedule}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// takeName gets a certificate in the name of a machine that has not booted, by its token, and returns the request: nobody can tell
// a thief who comes first from the machine.
func (s *scene) takeName(t *testing.T, server simulator.Server) string {
	t.Helper()
	thief, err := attacker.WithToken(base.Cluster.Config, tokenOf(t, server))
	require.NoError(t, err)
	csr, err := thief.Ask(t.Context(), s.Name, attacker.Client(server.Name))
	require.NoError(t, err)
	require.NoError(t, s.Until(t.Context(), nodeTimeout, "the certificate of who comes first", func(ctx context.Context) error {
		now, err := base.Cluster.Client.CertificatesV1().CertificateSigningRequests().Get(ctx, csr.Name, metav1.GetOptions{})
		if err == nil && len(now.Status.Certificate) == 0 {
			err = fmt.Errorf("not yet: %+v", now.Status.Conditions)
		}
		return err
	}))
	return csr.Name
}

// twinStaysOut: of two machines with one name only the first is let in, here not the one that is it.
func (s *scene) twinStaysOut(t *testing.T, at *identities, taken string) {
	t.Helper()
	s.keptOut(t, "a server whose name was taken before", at.twin.Name, certificates.KubeAPIServerClientKubeletSignerName, bootstrap.ReasonSecondKey, taken)
}

// liarServesNothing: a machine that is who it says it is, but has another server's address, gets no serving certificate.
func (s *scene) liarServesNothing(t *testing.T, at *identities) {
	t.Helper()
	s.keptOut(t, "a node with another server's address", at.liars.Name+"-0", certificates.KubeletServingSignerName, bootstrap.ReasonForeignNames)
}

// keptOut waits until the machine of a server of the cloud has asked for a certificate and was refused, for this reason.
func (s *scene) keptOut(t *testing.T, what, node, signer, reason string, known ...string) {
	t.Helper()
	var why string
	require.NoError(t, s.Until(t.Context(), attackTimeout, "a verdict on "+what, func(ctx context.Context) error {
		requests, err := s.asked(ctx, node, signer, known...)
		if err != nil {
			return err
		}
		if len(requests) == 0 {
			return errNotAsked
		}
		for i := range requests {
			if why, err = s.refusal(&requests[i], []string{reason}); err != nil {
				return err
			}
		}
		return nil
	}))
	fmt.Printf("attack %s: kept out: %s\n", what, why)
}
