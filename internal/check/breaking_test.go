package check_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
	authorization "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// expiring signs in with a credential that is good for that long; 0 for ever.
func expiring(left time.Duration) func(*scene) {
	return func(s *scene) {
		session := s.signIn(s.sim.CloudsYAML("demo", "demo"), "simulator")
		wish := access.Wish{Name: "short"}
		if left > 0 {
			wish.Expires = s.sim.Now().Add(left)
		}
		made, err := access.Create(s.Context(), session, wish)
		require.NoError(s, err)
		document, err := made.CloudsYAML()
		require.NoError(s, err)
		s.login = string(document)
	}
}

// withoutRules signs in with an application credential that may do whatever its roles may.
func withoutRules(s *scene) {
	id, secret := s.sim.AddApplicationCredential("demo", "demo", "wide")
	s.login = `clouds: {openstack: {auth_type: v3applicationcredential, auth: {auth_url: "` + s.sim.AuthURL() +
		`", application_credential_id: "` + id + `", application_credential_secret: "` + secret + `"}}}`
}

// tagAndLeast gives the stack tags, and signs in with a credential for these needs.
func (s *scene) tagAndLeast(needs access.Needs, tags ...string) {
	s.sim.SetTags(s.stack, tags...)
	session := s.signIn(s.sim.CloudsYAML("demo", "demo"), "simulator")
	made, err := access.Create(s.Context(), session, access.Wish{Name: "other", Needs: needs})
	require.NoError(s, err)
	document, err := made.CloudsYAML()
	require.NoError(s, err)
	s.login = string(document)
}

func deny(what func(*authorization.ResourceAttributes) bool) func(*scene) {
	return func(s *scene) {
		s.denied = func(r *authorization.SubjectAccessReviewSpec) bool { return what(r.ResourceAttributes) }
	}
}

// stock puts a stock cluster-autoscaler of an older version beside the provider.
func stock(s *scene) {
	spec := &s.deployment.Spec.Template.Spec
	spec.Containers = append(spec.Containers, v1.Container{
		Image: "registry.k8s.io/autoscaling/cluster-autoscaler:v1.31.0", Command: []string{"./cluster-autoscaler", "--cloud-provider=externalgrpc"},
	})
}

func later(by time.Duration) *clocktesting.FakeClock {
	return clocktesting.NewFakeClock(time.Now().Add(by))
}

// secondFlavor is a parameter for a flavor that is not the members', and the beginning of the one that comes after it.
func secondFlavor(name string) string {
	return "  disk_flavor: {type: string, default: " + name + ", constraints: [{custom_constraint: nova.flavor}]}\n  network: {"
}

// unreadable is a part of Heat's API that may not be read.
func unreadable(path string) func(*scene) {
	return func(s *scene) {
		s.sim.Inject(simulator.Fault{Service: simulator.Heat, Method: http.MethodGet, Path: path, Status: http.StatusForbidden})
	}
}

// serverGroup is one with so many servers, one of them a member of workers. The simulator has none.
func (s *scene) serverGroup(servers int) {
	members := []string{s.sim.Servers()[0].ID}
	for i := 1; i < servers; i++ {
		members = append(members, fmt.Sprintf("0e4e4d5c-0000-4000-8000-0000000001%02d", i))
	}
	body, err := json.Marshal(map[string]any{"server_groups": []any{map[string]any{"name": "spread", "members": members}}})
	require.NoError(s, err)
	s.sim.Inject(simulator.Fault{Service: simulator.Nova, Path: "os-server-groups", Status: http.StatusOK, Body: string(body)})
}

// shard is another stack of the node group, without members.
func (s *scene) shard() {
	_, err := s.sim.CreateStack("demo", simulator.StackSpec{
		Name: "workers-2", Template: goodTemplate, Parameters: map[string]any{"node_count": 0}, Tags: append([]string{"node-group=workers"}, goodTags...),
	})
	require.NoError(s, err)
	s.settle()
}
