//go:build vm

package vm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// attack is a machine that says to be another one: it has the user_data of a server, whose kubelet and token it uses, and another
// name.
type attack struct {
	name string
	// as is the name of the node that its kubelet wants to be; server is the id of the server that it says to be.
	as, server string
	// with is the token in its user_data.
	with string
	// reasons are those for which the autoscaler may refuse it; none means that it is none of its business.
	reasons []string
	// rejected: the API server does not even take its request.
	rejected bool
}

const (
	// attackersAtOnce is how many of them run at the same time.
	attackersAtOnce = 6
	// attackTimeout bounds the time until each of these is refused; it takes some 15 seconds on an idle machine.
	attackTimeout = 3 * time.Minute
	// insistence is how long attackers that were refused go on asking.
	insistence = 5 * time.Second
	// rejection is what a kubelet logs whose token the API server does not accept.
	rejection = "cannot create certificate signing request: Unauthorized"
)

// intruder is an attack that is under way.
type intruder struct {
	attack
	machine *process.Process
	// earlier are the requests that were there before it.
	earlier map[string]bool
}

// attack carries attacks out with real kubelets that start from this user_data, and wants none of them to be let in.
func (s *scene) attack(t *testing.T, userData string, attacks []attack) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range attacks {
		// So that a request tells whose it is.
		require.False(t, seen[a.as+a.with], "%s is like another one", a.name)
		seen[a.as+a.with] = true
	}
	for batch := range slices.Chunk(attacks, attackersAtOnce) {
		s.attackAtOnce(t, userData, batch)
	}
	s.counted(t, attacks)
}

func (s *scene) attackAtOnce(t *testing.T, userData string, attacks []attack) {
	t.Helper()
	// Not the test's own temporary folder: its path is too long for sockets.
	folder, err := os.MkdirTemp("", "vm-") //nolint:usetesting // see above
	require.NoError(t, err)
	group := process.NewGroup(base.Logs())
	defer func() {
		group.Stop()
		require.NoError(t, os.RemoveAll(folder))
	}()
	earlier := map[string]bool{}
	for _, csr := range s.requests(t) {
		earlier[csr.Name] = true
	}
	intruders := make([]intruder, 0, len(attacks))
	for _, a := range attacks {
		s.intruders++
		number := s.intruders
		dir := filepath.Join(folder, strconv.Itoa(number))
		require.NoError(t, os.Mkdir(dir, 0o700))
		machine, err := host.Node(group, machines.Server{
			ID: a.server, Name: a.as, Zone: "nova", UserData: []byte(withToken(t, userData, a.with)),
			// The cloud counts its addresses up from the other end.
			Address: fmt.Sprintf("10.0.200.%d", number), MAC: fmt.Sprintf("fa:16:3e:ff:00:%02x", number),
		}, fmt.Sprintf("machine-%s-attack-%d", s.Name, number), dir, "--hostname-override="+a.as)
		require.NoError(t, err)
		intruders = append(intruders, intruder{attack: a, machine: machine, earlier: earlier})
	}
	for _, a := range intruders {
		var why string
		var admitted error
		err := s.Until(t.Context(), attackTimeout, "a verdict on "+a.name, func(ctx context.Context) (err error) {
			if why, err = s.verdictOn(ctx, a); errors.Is(err, errAdmitted) {
				admitted, err = err, nil
			}
			return err
		})
		require.NoError(t, errors.Join(err, admitted), "the end of its console:\n%s", process.Tail(a.machine.LogPath, 4000))
		fmt.Printf("attack %s: kept out: %s\n", a.name, why)
	}
	require.NoError(t, s.Throughout(t.Context(), insistence, "nobody is let in who insists", func(ctx context.Context) error {
		for _, a := range intruders {
			// A denied kubelet asks anew, and that takes its time.
			if _, err := s.verdictOn(ctx, a); err != nil && !errors.Is(err, errNotDecided) {
				return err
			}
		}
		return nil
	}))
}

// withToken is user_data with another token.
func withToken(t *testing.T, userData, token string) string {
	t.Helper()
	own, err := world.TokenIn(userData)
	require.NoError(t, err)
	return strings.ReplaceAll(userData, own, token)
}

func (s *scene) requests(t *testing.T) []certificates.CertificateSigningRequest {
	t.Helper()
	requests, err := s.Requests(t.Context())
	require.NoError(t, err)
	return requests
}

var (
	errNotAsked   = errors.New("its kubelet has not asked")
	errNotDecided = errors.New("nobody has decided")
	errAdmitted   = errors.New("LET IN")
)

// verdictOn says why an attacker was not let in. It is an error if it was, and as long as that is open: what counts is that its
// kubelet's own request has come to the API server and was looked at, or was turned away there.
func (s *scene) verdictOn(ctx context.Context, a intruder) (why string, err error) {
	if a.rejected {
		console, err := os.ReadFile(a.machine.LogPath)
		if err != nil {
			return "", err
		}
		if !strings.Contains(string(console), rejection) {
			return "", fmt.Errorf("%s: %w", a.name, errNotAsked)
		}
		why = "the API server does not know its token"
	}
	requests, err := s.Requests(ctx)
	if err != nil {
		return "", err
	}
	id, _, _ := strings.Cut(a.with, ".")
	for _, csr := range requests {
		if a.earlier[csr.Name] || world.NodeOf(&csr) != a.as || csr.Spec.Username != "system:bootstrap:"+id {
			continue
		}
		switch reason, err := s.refusal(&csr, a.reasons); {
		case a.rejected:
			return "", fmt.Errorf("%s: request %s of an invalid token is there", a.name, csr.Name)
		case err != nil:
			return "", fmt.Errorf("%s: %w", a.name, err)
		default:
			why = reason
		}
	}
	if why == "" {
		return "", fmt.Errorf("%s: %w", a.name, errNotAsked)
	}
	return why, nil
}

// refusal is why a request was refused: an error unless that is one of these reasons, or, without any, nobody has touched it.
func (s *scene) refusal(csr *certificates.CertificateSigningRequest, reasons []string) (string, error) {
	if world.IsApproved(csr) || len(csr.Status.Certificate) > 0 {
		return "", fmt.Errorf("%w: %s: %+v", errAdmitted, csr.Name, csr.Status.Conditions)
	}
	// What is left pending is in the log, and in one Event for all requests by one token for one reason.
	log, err := s.Autoscaler.WholeLog()
	if err != nil {
		return "", err
	}
	var said []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, fmt.Sprintf("csr=%q", csr.Name)) {
			said = append(said, line)
		}
	}
	if len(reasons) == 0 {
		if len(csr.Status.Conditions) > 0 || len(said) > 0 {
			return "", fmt.Errorf("%s was not left alone: %+v %s", csr.Name, csr.Status.Conditions, said)
		}
		return "left alone, not a token of the autoscaler's", nil
	}
	if len(csr.Status.Conditions) > 0 {
		condition := csr.Status.Conditions[0]
		if condition.Type == certificates.CertificateDenied && slices.Contains(reasons, condition.Reason) {
			return "denied, " + condition.Reason + ": " + condition.Message, nil
		}
		return "", fmt.Errorf("%s: %s because of %q instead of %q: %s", csr.Name, condition.Type, condition.Reason, reasons, condition.Message)
	}
	for _, line := range said {
		for _, reason := range reasons {
			if strings.Contains(line, `"Not approved`) && strings.Contains(line, fmt.Sprintf("reason=%q", reason)) {
				return "pending, " + reason, nil
			}
		}
	}
	return "", fmt.Errorf("%s: %w for a reason of %q: %s", csr.Name, errNotDecided, reasons, said)
}

// server is the member with this index as the cloud itself knows it, once it is there with one of these states.
func (s *scene) server(t *testing.T, group *world.Group, index string, states ...string) simulator.Server {
	t.Helper()
	var found simulator.Server
	require.NoError(t, s.Until(t.Context(), nodeTimeout, fmt.Sprintf("member %s of %s to be %v", index, group.Name, states), func(context.Context) error {
		for _, server := range s.sim.Servers() {
			if server.Stack == group.ID && server.Index == index {
				found = server
				if slices.Contains(states, server.Status) {
					return nil
				}
				return fmt.Errorf("it is %s", server.Status)
			}
		}
		return errors.New("it is not there")
	}))
	return found
}
