package e2e_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/attacker"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// newest is the group's server that was made last, as the cloud itself knows it, once there is one with this index or a higher one.
func (s *scene) newest(group *world.Group, atLeast int) simulator.Server {
	s.t.Helper()
	var last simulator.Server
	s.until(fmt.Sprintf("%d servers of %s", atLeast, group.Name), func(context.Context) error {
		count := 0
		for _, server := range s.sim.Servers() {
			if server.Stack == group.ID {
				count++
				last = server
			}
		}
		if count < atLeast {
			return fmt.Errorf("there are %d", count)
		}
		return nil
	})
	return last
}

// tokenOf is the bootstrap token in a server's user_data.
func (s *scene) tokenOf(server simulator.Server) string {
	s.t.Helper()
	token, err := world.TokenIn(server.UserData)
	require.NoError(s.t, err, server.Name)
	return token
}

// thief has the token of a server.
func (s *scene) thief(server simulator.Server) *attacker.Attacker {
	s.t.Helper()
	thief, err := attacker.WithToken(base.Cluster.Config, s.tokenOf(server))
	require.NoError(s.t, err)
	return thief
}

// request reads a request for a certificate as it is now.
func (s *scene) request(ctx context.Context, name string) (*certificates.CertificateSigningRequest, error) {
	return base.Cluster.Client.CertificatesV1().CertificateSigningRequests().Get(ctx, name, metav1.GetOptions{})
}

// approved waits until a request is approved and its certificate is there.
func (s *scene) approved(csr *certificates.CertificateSigningRequest) {
	s.t.Helper()
	s.until("the certificate of "+csr.Name, func(ctx context.Context) error {
		now, err := s.request(ctx, csr.Name)
		if err == nil && len(now.Status.Certificate) == 0 {
			err = fmt.Errorf("not yet: %+v", now.Status.Conditions)
		}
		return err
	})
}

// admitted says what is wrong if a request has been let through, by whomever.
func admitted(csr *certificates.CertificateSigningRequest) error {
	if world.IsApproved(csr) || len(csr.Status.Certificate) > 0 {
		return fmt.Errorf("%s was let in: %+v", csr.Name, csr.Status.Conditions)
	}
	return nil
}

// errUndecided: nobody has looked at a request yet.
var errUndecided = errors.New("nobody has looked at it yet")

// refused says whether the autoscaler has looked at a request and not approved it for one of these reasons. A request that it
// denies has a condition; what it leaves pending is in its log.
func (s *scene) refused(csr *certificates.CertificateSigningRequest, reasons []string) error {
	if err := admitted(csr); err != nil {
		return err
	}
	if len(csr.Status.Conditions) > 0 {
		condition := csr.Status.Conditions[0]
		if condition.Type == certificates.CertificateDenied && slices.Contains(reasons, condition.Reason) {
			return nil
		}
		return fmt.Errorf("%s: %s because of %q instead of %q: %s", csr.Name, condition.Type, condition.Reason, reasons, condition.Message)
	}
	log, err := s.Autoscaler.WholeLog()
	if err != nil {
		return err
	}
	var said []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "Not approved") || !strings.Contains(line, fmt.Sprintf("csr=%q", csr.Name)) {
			continue
		}
		said = append(said, line)
		for _, reason := range reasons {
			if strings.Contains(line, fmt.Sprintf("reason=%q", reason)) {
				return nil
			}
		}
	}
	if len(said) == 0 {
		return fmt.Errorf("%s: %w", csr.Name, errUndecided)
	}
	return fmt.Errorf("%s is pending for another reason than %q: %s", csr.Name, reasons, said)
}

// noLeak checks that the secret part of tokens is nowhere to be read but in their Secrets and in the servers' user_data.
func (s *scene) noLeak(tokens ...string) {
	s.t.Helper()
	ctx := s.t.Context()
	texts := map[string]string{}
	var err error
	texts["the autoscaler's log"], err = s.Autoscaler.WholeLog()
	require.NoError(s.t, err)
	texts["the metrics"], err = s.Autoscaler.Metrics(ctx)
	require.NoError(s.t, err)
	for _, path := range []string{
		"/api/v1/events", "/api/v1/configmaps", "/api/v1/nodes", "/apis/certificates.k8s.io/v1/certificatesigningrequests",
	} {
		text, err := base.Cluster.Client.Discovery().RESTClient().Get().AbsPath(path).DoRaw(ctx)
		require.NoError(s.t, err)
		texts[path] = string(text)
	}
	for _, group := range s.Groups() {
		texts["stack "+group.Name], err = group.Visible(ctx)
		require.NoError(s.t, err)
	}
	require.NotEmpty(s.t, tokens)
	for _, token := range tokens {
		_, secret, found := strings.Cut(token, ".")
		require.True(s.t, found)
		for place, text := range texts {
			require.NotEmpty(s.t, text, place)
			// Not testify's NotContains, which would print both.
			isThere := strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret)))
			require.False(s.t, isThere, "a token's secret part is in %s", place)
		}
	}
}

// requireRights checks that the rules of deploy/kubernetes are enough for all that the autoscaler did, and that it has not found
// anybody in the cluster who approves nodes blindly.
func (s *scene) requireRights() {
	s.t.Helper()
	log, err := s.Autoscaler.WholeLog()
	require.NoError(s.t, err)
	for line := range strings.Lines(log) {
		isRefused := strings.Contains(line, "is forbidden: User") || strings.Contains(line, nodegroups.ReasonBlanketApproval)
		require.False(s.t, isRefused, line)
	}
	require.Contains(s.t, log, "Deciding requests for nodes' certificates")
	stock, err := s.StockLog()
	require.NoError(s.t, err)
	for line := range strings.Lines(stock) {
		require.NotContains(s.t, line, "is forbidden: User", "the stock cluster-autoscaler beside it")
	}
}

// stranger makes a server that no stack has made, in a project of the user's.
func (s *scene) stranger(project string, server map[string]any) simulator.Server {
	s.t.Helper()
	id, err := world.BootServer(s.t.Context(), s.sim.CloudConf("demo", project), s.t.TempDir(), server)
	require.NoError(s.t, err)
	made, ok := s.sim.Server(id)
	require.True(s.t, ok)
	return made
}

// unauthorized waits until the API server does not accept an attacker's credentials any more.
func (s *scene) unauthorized(a *attacker.Attacker) {
	s.t.Helper()
	s.until("the credentials to be refused", func(ctx context.Context) error {
		if code := attacker.StatusOf(a.Look(ctx)); code != http.StatusUnauthorized {
			return fmt.Errorf("HTTP %d", code)
		}
		return nil
	})
}

// statusOf is the API server's answer to an attacker who wants to look round: 403 if it knows him, 401 if not.
func statusOf(t *testing.T, a *attacker.Attacker) int32 {
	t.Helper()
	return attacker.StatusOf(a.Look(t.Context()))
}
