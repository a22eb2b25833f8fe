package e2e_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/attacker"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// attack is an attempt to get a certificate.
type attack struct {
	name string
	by   *attacker.Attacker
	asks attacker.Request
	// reasons are those for which the autoscaler may refuse it; none means that the request is none of its business, and
	// nobody else may approve it either.
	reasons []string
	// forbidden: the API server does not even take the request.
	forbidden bool
}

// with changes a request.
func with(r attacker.Request, change func(*attacker.Request)) attacker.Request {
	r.Organizations, r.Usages = slices.Clone(r.Organizations), slices.Clone(r.Usages)
	change(&r)
	return r
}

// targets are the machines and names of the attacks.
type targets struct {
	// joined has a Node; booting, other (of another node group) and twin have a server in BUILD and were let in by nobody yet.
	joined, booting, other, twin simulator.Server
	// outsider is in another project, impostor says in its metadata that it is a member.
	outsider, impostor simulator.Server
	// controlPlane is a Node that is no server's.
	controlPlane string
	thief        *attacker.Attacker
}

// beforeJoining are attacks while a machine boots, which would be let in if it asked for what is its own.
func (t *targets) beforeJoining() []attack {
	honest := attacker.Client(t.booting.Name)
	all := []attack{
		{name: "a node that has joined", asks: attacker.Client(t.joined.Name), reasons: []string{bootstrap.ReasonNodeExists}},
		{name: "a control plane node", asks: attacker.Client(t.controlPlane), reasons: []string{bootstrap.ReasonStaleNode}},
		{name: "a server of another project", asks: attacker.Client(t.outsider.Name), reasons: []string{bootstrap.ReasonNoSuchServer}},
		{name: "a server of another node group", asks: attacker.Client(t.other.Name), reasons: []string{bootstrap.ReasonWrongNodeGroup}},
		{name: "a server by hand with lying metadata", asks: attacker.Client(t.impostor.Name), reasons: []string{bootstrap.ReasonNotYetAMember, bootstrap.ReasonNotAMember}},
		{name: "an unknown name", asks: attacker.Client(t.booting.Name + "9"), reasons: []string{bootstrap.ReasonNoSuchServer}},
		{name: "a DNS name", asks: with(honest, func(r *attacker.Request) { r.Names = []string{"kubernetes.default.svc"} }), reasons: []string{bootstrap.ReasonForbiddenNames}},
		{name: "an IP address", asks: with(honest, func(r *attacker.Request) { r.Addresses = []net.IP{net.IPv4(10, 96, 0, 1)} }), reasons: []string{bootstrap.ReasonForbiddenNames}},
		{name: "a mail address", asks: with(honest, func(r *attacker.Request) { r.Mails = []string{"root@example.com"} }), reasons: []string{bootstrap.ReasonForbiddenNames}},
		{name: "one more organization", asks: with(honest, func(r *attacker.Request) { r.Organizations = append(r.Organizations, "system:masters") }), reasons: []string{bootstrap.ReasonForbiddenSubject}},
		{name: "another organization", asks: with(honest, func(r *attacker.Request) { r.Organizations = []string{"system:masters"} }), reasons: []string{bootstrap.ReasonForbiddenSubject}},
		{name: "no node's common name", asks: with(honest, func(r *attacker.Request) { r.CommonName = t.booting.Name }), reasons: []string{bootstrap.ReasonForbiddenSubject}},
		{name: "the administrator's name", asks: with(honest, func(r *attacker.Request) { r.CommonName = "kubernetes-admin" }), reasons: []string{bootstrap.ReasonForbiddenSubject}},
		{name: "a client certificate of any kind", asks: with(honest, func(r *attacker.Request) { r.Signer = certificates.KubeAPIServerClientSignerName })},
		{name: "a serving certificate before joining", asks: attacker.Serving(t.booting.Name, []string{t.booting.Name}, nil), reasons: []string{bootstrap.ReasonWrongSigner}},
		{name: "another usage", asks: with(honest, func(r *attacker.Request) { r.Usages[1] = certificates.UsageServerAuth }), reasons: []string{bootstrap.ReasonWrongUsages}},
		{name: "one more usage", asks: with(honest, func(r *attacker.Request) { r.Usages = append(r.Usages, certificates.UsageCertSign) }), reasons: []string{bootstrap.ReasonWrongUsages}},
		{name: "ten years", asks: with(honest, func(r *attacker.Request) { r.Seconds = 10 * 366 * 24 * 3600 }), reasons: []string{bootstrap.ReasonWrongDuration}},
	}
	for i := range all {
		all[i].by = t.thief
	}
	return all
}

// TestAttacks: whoever has stolen a bootstrap token, or a node's credentials, gets no certificate by them, and the machine that
// the token is for joins all the same.
func TestAttacks(t *testing.T) {
	t.Parallel()
	s := newScene(t, "attacks")
	pool := func(name string) map[string]string { return map[string]string{"pool": name} }
	workers := s.group(world.GroupSpec{Name: "workers", Max: 6, Labels: pool("workers")})
	others := s.group(world.GroupSpec{Name: "others", Max: 2, Labels: pool("others")})
	twins := s.group(world.GroupSpec{Name: "twins", Max: 2, Labels: pool("twins")})
	// However long the attacks take, the machines that boot meanwhile are not given up, and their tokens are good.
	require.NoError(t, s.StartAutoscaler(t.Context(), "--max-node-provision-time="+provision.String()))
	s.deploy(world.Workload{Name: "first", Replicas: 1, CPU: "600m", NodeLabels: pool("workers")})
	s.runs("first", 1)
	at := targets{joined: s.newest(workers, 1), controlPlane: s.Name + "-control-plane"}

	// From here on servers stay in BUILD: their machines do not ask for anything yet.
	s.sim.PauseCompute()
	s.deploy(world.Workload{Name: "second", Replicas: 1, CPU: "600m", NodeLabels: pool("workers")})
	s.deploy(world.Workload{Name: "other", Replicas: 1, CPU: "600m", NodeLabels: pool("others")})
	s.deploy(world.Workload{Name: "twin", Replicas: 1, CPU: "600m", NodeLabels: pool("twins")})
	at.booting, at.other, at.twin = s.newest(workers, 2), s.newest(others, 1), s.newest(twins, 1)
	at.thief = s.thief(at.booting)
	require.EqualValues(t, http.StatusForbidden, statusOf(t, at.thief), "the token is good, and no more than a token")
	s.makeStrangers(&at, workers)

	refusedRequests := s.attack(at.beforeJoining())
	refusedRequests = append(refusedRequests, s.attackTwin(at.twin)...)

	s.sim.ResumeCompute()
	s.runs("second", 1)
	refusedRequests = append(refusedRequests, s.attack([]attack{
		// The second one if the autoscaler has looked for the Node a moment before it was there.
		{name: "a replay after joining", by: at.thief, asks: attacker.Client(at.booting.Name), reasons: []string{bootstrap.ReasonNodeExists, bootstrap.ReasonSecondKey}},
	})...)
	refusedRequests = append(refusedRequests, s.attack(s.attacksByNode(&at))...)
	s.requireOut(at.impostor.Name, "a machine with copied user_data", bootstrap.ReasonNotYetAMember, bootstrap.ReasonNotAMember)
	s.requireOut(at.twin.Name, "a machine whose name was taken before it came", bootstrap.ReasonSecondKey)
	refusedRequests = append(refusedRequests, s.flood(at.thief, workers, pool("workers"))...)

	for _, name := range refusedRequests {
		csr, err := s.request(t.Context(), name)
		require.NoError(t, err)
		require.NoError(t, admitted(csr))
	}
	s.requireRights()
	s.noLeak(s.tokenOf(at.joined), s.tokenOf(at.booting), s.tokenOf(at.other), s.tokenOf(at.twin))
	s.noWrongRemoval()
}

// makeStrangers makes the machines and the Node that are no member's.
func (s *scene) makeStrangers(at *targets, group *world.Group) {
	s.t.Helper()
	const project = "second"
	s.sim.AddProject(project, simulator.DefaultQuota())
	s.sim.AddUser("demo", "secret", false, "demo", project)
	server := func(index string) map[string]any {
		return map[string]any{
			"name": group.Name + "-" + index, "flavorRef": s.Cloud.Flavor, "imageRef": s.Cloud.Image,
			"metadata":  map[string]string{"metering.stack": group.ID, "node_index": index},
			"user_data": base64.StdEncoding.EncodeToString([]byte(at.booting.UserData)),
		}
	}
	at.outsider = s.stranger(project, server("41"))
	at.impostor = s.stranger("demo", server("42"))
	_, err := base.Cluster.Client.CoreV1().Nodes().Create(s.t.Context(), &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: at.controlPlane, Labels: map[string]string{"world": s.Name, "node-role.kubernetes.io/control-plane": ""}},
		Spec:       v1.NodeSpec{Taints: []v1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: v1.TaintEffectNoSchedule}}},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

// attack carries attacks out, all at once, and waits until each has been looked at and not let in. It returns the requests.
func (s *scene) attack(attacks []attack) []string {
	s.t.Helper()
	var names []string
	made := map[string]attack{}
	for _, a := range attacks {
		csr, err := a.by.Ask(s.t.Context(), s.Name, a.asks)
		if a.forbidden {
			require.EqualValues(s.t, http.StatusForbidden, attacker.StatusOf(err), a.name)
			continue
		}
		require.NoError(s.t, err, a.name)
		names = append(names, csr.Name)
		made[csr.Name] = a
	}
	for name, a := range made {
		s.until("the attack by "+a.name+" to be refused", func(ctx context.Context) error {
			csr, err := s.request(ctx, name)
			if err != nil {
				return err
			}
			if len(a.reasons) > 0 {
				return s.refused(csr, a.reasons)
			}
			return admitted(csr)
		})
	}
	return names
}

// attackTwin asks in the name of a machine that somebody else was let in for before. Who comes first is let in, as nobody can
// tell a booting machine from a thief of its token: but only one of them is, and it is told.
func (s *scene) attackTwin(twin simulator.Server) []string {
	s.t.Helper()
	first, err := attacker.NewKey()
	require.NoError(s.t, err)
	token := s.thief(twin)
	asks := with(attacker.Client(twin.Name), func(r *attacker.Request) { r.Key = first })
	for _, what := range []string{"the first", "the same again, as after a kubelet's restart"} {
		csr, err := token.Ask(s.t.Context(), s.Name, asks)
		require.NoError(s.t, err, what)
		s.approved(csr)
	}
	return s.attack([]attack{
		{name: "a second key", by: token, asks: attacker.Client(twin.Name), reasons: []string{bootstrap.ReasonSecondKey}},
	})
}

// attacksByNode are those by somebody who has a node's own credentials. It checks first that they are good for what the node is.
func (s *scene) attacksByNode(at *targets) []attack {
	s.t.Helper()
	node, err := attacker.WithKubeconfig(s.Machines.KubeletKubeconfig(at.joined.ID))
	require.NoError(s.t, err)
	names, addresses := []string{at.joined.Name}, []net.IP{net.ParseIP(at.joined.Address)}
	require.NotNil(s.t, addresses[0], at.joined.Address)
	honest, err := node.Ask(s.t.Context(), s.Name, attacker.Serving(at.joined.Name, names, addresses))
	require.NoError(s.t, err)
	s.approved(honest)
	foreign := append(slices.Clone(addresses), net.ParseIP(at.booting.Address))
	return []attack{
		{name: "an address of another server", by: node, asks: attacker.Serving(at.joined.Name, names, foreign), reasons: []string{bootstrap.ReasonForeignNames}},
		{name: "a DNS name of another server", by: node, asks: attacker.Serving(at.joined.Name, []string{at.booting.Name}, addresses), reasons: []string{bootstrap.ReasonForeignNames}},
		{name: "the API server's name", by: node, asks: attacker.Serving(at.joined.Name, append(names, "kubernetes.default.svc"), addresses), reasons: []string{bootstrap.ReasonForeignNames}},
		{name: "another node's serving certificate", by: node, asks: attacker.Serving(at.booting.Name, []string{at.booting.Name}, nil), forbidden: true},
		{name: "another node's client certificate", by: node, asks: attacker.Client(at.booting.Name), forbidden: true},
	}
}

// requireOut checks that a machine has asked by itself to be let in, and was not.
func (s *scene) requireOut(name, what string, reasons ...string) {
	s.t.Helper()
	s.until(what+" to have tried", func(ctx context.Context) error {
		requests, err := s.Requests(ctx)
		if err != nil {
			return err
		}
		for _, csr := range requests {
			// So kubelets call theirs (kubernetes, pkg/kubelet/certificate/bootstrap, digestedName).
			if world.NodeOf(&csr) == name && strings.HasPrefix(csr.Name, "node-csr-") {
				return s.refused(&csr, reasons)
			}
		}
		return fmt.Errorf("%d requests, none of it", len(requests))
	})
	nodes, err := s.Nodes(s.t.Context())
	require.NoError(s.t, err)
	for _, node := range nodes {
		require.NotEqual(s.t, name, node.Name, what)
	}
}

// floodSize is how many requests a flood has. At strangers' pace it takes minutes until all have been looked at.
const floodSize = 500

// flood sends very many requests with a stolen token, and then an honest machine joins: it does not wait until they have been looked at. It
// returns the requests.
func (s *scene) flood(thief *attacker.Attacker, group *world.Group, pool map[string]string) []string {
	s.t.Helper()
	s.sim.PauseCompute() // it comes after all of them
	s.deploy(world.Workload{Name: "third", Replicas: 1, CPU: "600m", NodeLabels: pool})
	third := s.newest(group, 3)
	names := make(chan string, floodSize)
	failed := make(chan error, 1)
	for worker := range 10 {
		go func() {
			for i := range floodSize / 10 {
				csr, err := thief.Ask(s.t.Context(), s.Name+"-flood", attacker.Client(fmt.Sprintf("%s-flood-%d-%d", s.Name, worker, i)))
				if err != nil {
					select {
					case failed <- err:
					default:
					}
					return
				}
				names <- csr.Name
			}
		}()
	}
	var all []string
	for len(all) < floodSize {
		select {
		case name := <-names:
			all = append(all, name)
		case err := <-failed:
			require.NoError(s.t, err)
		}
	}
	s.sim.ResumeCompute()
	s.runs("third", 1)
	requests, err := s.Requests(s.t.Context())
	require.NoError(s.t, err)
	at := slices.IndexFunc(requests, func(csr certificates.CertificateSigningRequest) bool {
		return world.NodeOf(&csr) == third.Name && world.IsApproved(&csr)
	})
	require.GreaterOrEqual(s.t, at, 0, "the honest machine's request is gone")
	s.requireOvertaken(all, requests[at].Name)
	return all
}

// requireOvertaken checks in the autoscaler's log that a request was approved before it had looked at all of those that had come earlier.
func (s *scene) requireOvertaken(earlier []string, request string) {
	s.t.Helper()
	log, err := s.Autoscaler.WholeLog()
	require.NoError(s.t, err)
	waiting := map[string]bool{}
	for _, name := range earlier {
		waiting[fmt.Sprintf("csr=%q", name)] = true
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "Approved: ") && strings.Contains(line, fmt.Sprintf("csr=%q", request)) {
			s.t.Logf("it was approved when %d of %d earlier ones were waiting", len(waiting), len(earlier))
			require.Greater(s.t, len(waiting), len(earlier)/10, "an honest machine waited in the flood")
			return
		}
		if _, after, found := strings.Cut(line, "csr="); found {
			delete(waiting, "csr="+strings.Fields(after)[0])
		}
	}
	require.Fail(s.t, "the log does not say that it was approved")
}
