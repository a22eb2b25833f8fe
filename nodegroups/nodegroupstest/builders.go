package nodegroupstest

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Epoch is the time at which everything in a fake cloud was made.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// UUID returns a UUID that depends on name alone, so that tests can name servers and stacks.
func UUID(name string) string {
	h := fnv.New128a()
	_, _ = h.Write([]byte(name)) // a hash never fails to write
	b := h.Sum(nil)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ServerID is the UUID of the server that Stack and Stacks give to a stack's member with this index.
func ServerID(stack string, index int) string { return UUID(fmt.Sprintf("%s/%d", stack, index)) }

// Stack returns a settled stack of size running members, indices 0 to size-1, that is a node group of its own with a
// minimum of 0 and a maximum of 10. Each change is applied to it afterwards.
func Stack(name string, size int, changes ...func(*nodegroups.Stack)) *nodegroups.Stack {
	s := &nodegroups.Stack{
		ID: UUID(name), Name: name, Project: "project", Region: "region-1",
		Config: nodegroups.Config{
			Name: name, MaxSize: 10, MinSet: true, MaxSet: true, Parameters: nodegroups.DefaultParameterNames(),
		},
		Status: "UPDATE_COMPLETE", Known: true, Target: size,
		Flavor: Flavor("m1.small", 2, 4096, 20), Zone: "zone-1", Arch: "amd64", Read: Epoch,
	}
	for i := range size {
		s.Members = append(s.Members, Member(s, i))
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

// Flavor returns a flavor without extra specs.
func Flavor(name string, vcpus, ramMiB, diskGiB int) *nodegroups.Flavor {
	return &nodegroups.Flavor{ID: UUID("flavor " + name), Name: name, VCPUs: vcpus, RAMMiB: ramMiB, DiskGiB: diskGiB}
}

// Member returns the running member of the stack with this index.
func Member(s *nodegroups.Stack, index int) nodegroups.Member {
	m := nodegroups.Member{
		StackID: s.ID, Index: fmt.Sprint(index), ServerID: ServerID(s.Name, index),
		Name: fmt.Sprintf("%s-%d", s.Name, index), State: nodegroups.Running, Zone: s.Zone, Created: Epoch,
		Status: nodegroups.ServerActive, Launched: true,
	}
	if s.Flavor != nil {
		m.Flavor = s.Flavor.Name
	}
	return m
}

// InGroup puts a stack into the node group of that name with these limits.
func InGroup(name string, minSize, maxSize int) func(*nodegroups.Stack) {
	return func(s *nodegroups.Stack) {
		s.Config.Name, s.Config.MinSize, s.Config.MaxSize = name, minSize, maxSize
		s.Config.MinSet, s.Config.MaxSet = true, true
	}
}

// BlockedBy makes a stack one that must not be written to.
func BlockedBy(reason string) func(*nodegroups.Stack) {
	return func(s *nodegroups.Stack) {
		s.Blocked = &nodegroups.Problem{
			Reason: reason, Severity: nodegroups.Blocking, Group: s.Config.Name, Stack: s.Name,
			Message: "blocked by a test", Remedy: "end the test",
		}
	}
}

// OfUnknownSize makes a stack one whose size has never been read.
func OfUnknownSize(s *nodegroups.Stack) { s.Known, s.Target, s.Members = false, 0, nil }

// Reports is a Reporter that keeps what it is told. Its zero value is ready. Safe for concurrent use.
type Reports struct{ log[nodegroups.Problem] }

// Report keeps p.
func (r *Reports) Report(p nodegroups.Problem) { r.add(p) }

// All returns every report so far, in order.
func (r *Reports) All() []nodegroups.Problem { return r.all() }

// Reasons returns the reasons of all reports so far, in order.
func (r *Reports) Reasons() []string {
	all := r.all()
	reasons := make([]string, 0, len(all))
	for _, p := range all {
		reasons = append(reasons, p.Reason)
	}
	return reasons
}
