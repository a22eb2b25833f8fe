package conformance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// Simulated is a simulated OpenStack whose time runs faster than ours.
type Simulated struct {
	cloud *simulator.Simulator
}

// speed is how many seconds pass in the simulated cloud in one of ours. Much more, and requests that follow each other at
// once would be seconds apart for the cloud.
const speed = 40

// OpenSimulated makes a simulated cloud that ends with the test.
func OpenSimulated(t *testing.T) *Simulated {
	t.Helper()
	cloud := simulator.New(simulator.Options{Speed: speed})
	cloud.AddFlavor(simulator.Flavor{
		Name: "g1.small", VCPUs: 2, RAMMiB: 4096, DiskGiB: 40, NoValidHost: true,
		ExtraSpecs: map[string]string{"resources:VGPU": "1"},
	})
	require.NoError(t, cloud.Start("127.0.0.1:0"))
	t.Cleanup(cloud.Close)
	return &Simulated{cloud: cloud}
}

// AddNetwork makes a network that all projects share.
func (s *Simulated) AddNetwork(name string) { s.cloud.AddNetwork(name) }

// Name implements Target.
func (s *Simulated) Name() string { return "simulator" }

// AuthURL implements Target.
func (s *Simulated) AuthURL() string { return s.cloud.AuthURL() }

// User implements Target.
func (s *Simulated) User() api.Credentials {
	return api.Credentials{User: "demo", Password: "secret", Project: "demo"}
}

// Admin implements Target.
func (s *Simulated) Admin() api.Credentials {
	return api.Credentials{User: "admin", Password: "secret", Project: "admin"}
}

// NewProject implements Target.
func (s *Simulated) NewProject(_ context.Context, name string) (api.Credentials, error) {
	s.cloud.AddProject(name, simulator.DefaultQuota())
	s.cloud.AddUser("demo", "secret", false, name)
	who := s.User()
	who.Project = name
	return who, nil
}

// RemoveProject implements Target. The whole cloud goes with the case.
func (s *Simulated) RemoveProject(context.Context, string) error { return nil }

// SetInstanceQuota implements Target.
func (s *Simulated) SetInstanceQuota(_ context.Context, project string, instances int) error {
	quota, _ := s.cloud.GetQuota(project)
	quota.Instances = instances
	s.cloud.SetQuota(project, quota)
	return nil
}

// PauseCompute implements Target.
func (s *Simulated) PauseCompute(context.Context) error {
	s.cloud.PauseCompute()
	return nil
}

// ResumeCompute implements Target.
func (s *Simulated) ResumeCompute(context.Context) error {
	s.cloud.ResumeCompute()
	return nil
}

// Pace implements Target.
func (s *Simulated) Pace() time.Duration { return 5 * time.Millisecond }

// Patience implements Target. It is long because the machine may be busy.
func (s *Simulated) Patience() time.Duration { return 30 * time.Second }

// Retrying implements Target.
func (s *Simulated) Retrying() time.Duration { return 30 * time.Second }

// RulesUsed returns how often each access rule (service, method, path) of application credentials whose names begin so has let a
// request pass.
func (s *Simulated) RulesUsed(prefix string) map[[3]string]int {
	all := map[[3]string]int{}
	for _, name := range s.cloud.CredentialNames() {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		for r, n := range s.cloud.RulesUsed(name) {
			all[[3]string{r.Service, r.Method, r.Path}] += n
		}
	}
	return all
}
