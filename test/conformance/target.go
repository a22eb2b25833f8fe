package conformance

import (
	"context"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Target is a cloud under test. Cases use it from several goroutines at once.
//
// It offers the image node-image, the network nodes to all projects, and the flavors m1.tiny (1 VCPU, 512 MiB), m1.small
// (1 VCPU, 2048 MiB), m1.huge (no host is large enough) and g1.small (with the extra spec resources:VGPU=1).
type Target interface {
	// Name appears in the verdicts.
	Name() string
	// AuthURL is Keystone's address, ending in /v3.
	AuthURL() string
	// User signs in a user without any special right in the project that most cases share.
	User() api.Credentials
	// Admin signs in an administrator.
	Admin() api.Credentials
	// NewProject makes a project for one case, and signs in the same user there.
	NewProject(ctx context.Context, name string) (api.Credentials, error)
	// RemoveProject removes a project that NewProject made.
	RemoveProject(ctx context.Context, name string) error
	// SetInstanceQuota limits the number of servers of a project that NewProject made.
	SetInstanceQuota(ctx context.Context, project string, instances int) error
	// PauseCompute makes Nova's compute host stand still: servers stay in BUILD, and a deletion does not end. It waits
	// until no other case has it paused.
	PauseCompute(ctx context.Context) error
	// ResumeCompute ends PauseCompute; calling it without need does nothing.
	ResumeCompute(ctx context.Context) error
	// Pace is how long to wait between two looks at something that is expected to change.
	Pace() time.Duration
	// Patience is how long a single update of a small stack may take.
	Patience() time.Duration
	// Retrying is how long Heat may take to give up a server for which there is no host.
	Retrying() time.Duration
}
