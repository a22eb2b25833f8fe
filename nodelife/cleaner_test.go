package nodelife

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	ktesting "k8s.io/client-go/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// vanishes lets a member's server be deleted: Nova has it no more, the group neither, and its kubelet is silent.
func (r *rig) vanishes(stack string, index int) string {
	server := fake.ServerID(stack, index)
	r.nova.mu.Lock()
	delete(r.nova.machines, server)
	r.nova.mu.Unlock()
	r.cloud.Change(stack, func(s *nodegroups.Stack) {
		kept := s.Members[:0]
		for _, m := range s.Members {
			if m.ServerID != server {
				kept = append(kept, m)
			}
		}
		s.Members, s.Target = kept, len(kept)
	})
	r.unready(server)
	return server
}

// isFresh lets the API server have another Node than the watch tells.
func (r *rig) isFresh(server string, change func(*v1.Node)) {
	node := r.node(server).DeepCopy()
	change(node)
	r.client.PrependReactor("get", "nodes", func(ktesting.Action) (bool, runtime.Object, error) { return true, node, nil })
}

// deletions are the names of the Nodes that were deleted.
func (r *rig) deletions() []string {
	var out []string
	for _, action := range r.client.Actions() {
		if d, ok := action.(ktesting.DeleteAction); ok {
			out = append(out, d.GetName())
		}
	}
	return out
}

func TestTheNodeOfAServerThatIsGoneIsDeleted(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 4))
	r.after(10 * time.Second)
	server := r.vanishes("a", 1)
	r.after(10 * time.Second)
	assert.Empty(t, r.deletions(), "one answer is no proof")
	r.after(10 * time.Second)
	assert.Equal(t, []string{nodeName(server)}, r.deletions())
	assert.Equal(t, map[string]int{"a": 1}, r.counts.deleted)
	assert.True(t, r.told(nodegroups.ReasonNodeDeleted, nodeName(server), server))
	r.after(time.Hour)
	assert.Len(t, r.deletions(), 1)
}

// Another process goes by what the first one has written on the Nodes.
func TestAnotherProcessKnowsTheMembersByTheirNodes(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 4))
	r.after(10 * time.Second)
	server := r.vanishes("a", 1)
	node := r.node(server)
	assert.Equal(t, here, node.Annotations[CloudAnnotation])
	assert.Equal(t, "a", node.Annotations[NodeGroupAnnotation])
	r.refresh()
	r.Life = New(r.groups, r.nova, r.cluster, r.opts)
	r.after(30 * time.Second)
	assert.Equal(t, []string{nodeName(server)}, r.deletions())
}

// What must not be deleted.
func TestNodesThatStay(t *testing.T) {
	foreign := func(r *rig, server string) {
		r.change(server, func(n *v1.Node) { n.Annotations = nil })
		r.marks.members = map[string]membership{}
	}
	answers := func(err error) func(r *rig, server string) {
		return func(r *rig, server string) {
			r.nova.mu.Lock()
			defer r.nova.mu.Unlock()
			r.nova.machines[server] = &machine{err: err}
		}
	}
	for name, test := range map[string]struct {
		opts   func(*Options)
		change func(r *rig, server string)
	}{
		"a server that is there": {change: func(r *rig, server string) {
			r.nova.machines[server] = &machine{Server: nodegroups.Server{ID: server, Status: "SHUTOFF"}}
		}},
		"a server that can be restored": {change: func(r *rig, server string) {
			r.nova.machines[server] = &machine{Server: nodegroups.Server{ID: server, Status: "SOFT_DELETED"}}
		}},
		"no answer": {change: answers(errNova)},
		"a Ready node": {change: func(r *rig, server string) {
			r.change(server, func(n *v1.Node) { n.Status.Conditions[0].Status = v1.ConditionTrue })
		}},
		"a node that was never ours": {change: foreign},
		"a node of another provider": {change: func(r *rig, server string) {
			r.change(server, func(n *v1.Node) { n.Spec.ProviderID = "aws:///" + server })
		}},
		"a node without a provider id": {change: func(r *rig, server string) { r.change(server, func(n *v1.Node) { n.Spec.ProviderID = "" }) }},
		"credentials of another project": {change: func(r *rig, _ string) {
			r.opts.Cloud = func() string { return "region-1/other" }
		}},
		"credentials of another region": {change: func(r *rig, _ string) {
			r.opts.Cloud = func() string { return "region-2/project" }
		}},
		"credentials of a project that is not known": {change: func(r *rig, _ string) { r.opts.Cloud = func() string { return "" } }},
		"a cloud that can't be read":                 {change: func(r *rig, _ string) { r.cloud.Fail("Refresh", "", errNova) }},
		"a Nova that finds nobody": {change: func(r *rig, server string) {
			r.nova.machines = map[string]*machine{}
		}},
		"a Node whose name another one has taken": {change: func(r *rig, server string) {
			r.isFresh(server, func(n *v1.Node) { n.UID = "another" })
		}},
		"a Node that is another server's": {change: func(r *rig, server string) {
			r.isFresh(server, func(n *v1.Node) { n.Spec.ProviderID = "openstack:///" + fake.ServerID("a", 0) })
		}},
		"a Node that came back meanwhile": {change: func(r *rig, server string) {
			r.isFresh(server, func(n *v1.Node) { n.Status.Conditions[0].Status = v1.ConditionTrue })
		}},
		"a Node that can't be read": {change: func(r *rig, server string) {
			r.client.PrependReactor("get", "nodes", func(ktesting.Action) (bool, runtime.Object, error) { return true, nil, errors.New("later") })
		}},
		"the flag says so": {opts: func(o *Options) { o.DeleteNodes = false }},
		"a dry run":        {opts: func(o *Options) { o.DryRun = true }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.opts, fake.Stack("a", 4))
			r.after(10 * time.Second)
			server := r.vanishes("a", 1)
			if test.change != nil {
				test.change(r, server)
			}
			r.after(10 * time.Minute)
			assert.Empty(t, r.deletions())
			assert.Empty(t, r.counts.deleted)
		})
	}
}

func TestAnAnswerThatIsNotClearBeginsTheProofAnew(t *testing.T) {
	r := newRig(t, func(o *Options) { o.GoneAfter = 30 * time.Second }, fake.Stack("a", 4))
	r.after(10 * time.Second)
	server := r.vanishes("a", 1)
	r.after(30 * time.Second)
	r.nova.machines[server] = &machine{err: errNova}
	r.after(10 * time.Second)
	delete(r.nova.machines, server)
	r.after(30 * time.Second)
	assert.Empty(t, r.deletions())
	r.after(10 * time.Second)
	assert.Equal(t, []string{nodeName(server)}, r.deletions())
}

// Many servers that vanish at once look like a wrong view of the cloud, unless they were seen being deleted.
func TestManyServersThatAreGoneAtOnceAreNotBelieved(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 10))
	r.after(10 * time.Second)
	ordered := []string{fake.ServerID("a", 8), fake.ServerID("a", 9)}
	require.NoError(t, r.groups.Remove(context.Background(), "a", ordered, false))
	r.after(10 * time.Second)
	r.cloud.Settle("a")
	for _, server := range ordered {
		delete(r.nova.machines, server)
		r.unready(server)
	}
	for i := range 3 {
		r.vanishes("a", i)
	}
	r.after(time.Minute)
	assert.ElementsMatch(t, []string{nodeName(ordered[0]), nodeName(ordered[1])}, r.deletions(), "those that were seen being deleted")
	assert.True(t, r.told(nodegroups.ReasonManyServersGone, "3 of 8", "right project"))

	// Two of what is left may be gone.
	r.join(fake.ServerID("a", 0))
	r.after(time.Minute)
	assert.Len(t, r.deletions(), 4)
}

// A whole stack that was deleted takes all its servers with it.
func TestTheNodesOfAStackThatIsGoneAreDeleted(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 6), fake.Stack("b", 1))
	r.after(10 * time.Second)
	r.cloud.Delete("a")
	for i := range 6 {
		delete(r.nova.machines, fake.ServerID("a", i))
		r.unready(fake.ServerID("a", i))
	}
	r.after(time.Minute)
	assert.Len(t, r.deletions(), 6)
	assert.False(t, r.told(nodegroups.ReasonManyServersGone))
}

// Nodes of a stack that is no node group any more live on, and Nova is not asked for them in every look.
func TestFormerMembersAreLeftAlone(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 6), fake.Stack("b", 1))
	r.after(10 * time.Second)
	r.Life = New(r.groups, r.nova, r.cluster, r.opts) // another process, which knows the Nodes' marks alone
	r.cloud.Delete("a")
	r.refresh()
	r.nova.reads = 0
	r.after(time.Minute)
	assert.Zero(t, r.nova.reads)
	assert.Empty(t, r.deletions())
}

func TestADryRunMarksNothing(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DryRun = true }, fake.Stack("a", 2))
	r.after(time.Minute)
	assert.Empty(t, r.node(fake.ServerID("a", 0)).Annotations)
	server := r.vanishes("a", 1)
	r.after(time.Minute)
	assert.Empty(t, r.deletions())
	assert.True(t, r.told(nodegroups.ReasonNodeDeleted, nodeName(server), "without the dry run"))
}

func TestALostMembersNodeIsDeleted(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 4))
	r.after(10 * time.Second)
	server := fake.ServerID("a", 1)
	delete(r.nova.machines, server)
	r.unready(server)
	r.cloud.Change("a", func(s *nodegroups.Stack) { s.Members[1].State = nodegroups.Lost })
	r.after(time.Minute)
	assert.Equal(t, []string{nodeName(server)}, r.deletions())
}

func TestTheLastNodeIsDeletedToo(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	r.after(10 * time.Second)
	server := r.vanishes("a", 0)
	r.after(time.Minute)
	assert.Equal(t, []string{nodeName(server)}, r.deletions(), "there is no other server to try Nova with")
}

func TestADeletionThatIsRefused(t *testing.T) {
	for name, err := range map[string]error{
		"changed":      apierrors.NewConflict(v1.Resource("nodes"), "n", errors.New("it has changed")),
		"gone already": apierrors.NewNotFound(v1.Resource("nodes"), "n"),
		"forbidden":    apierrors.NewForbidden(v1.Resource("nodes"), "n", errors.New("no")),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil, fake.Stack("a", 4))
			r.after(10 * time.Second)
			r.vanishes("a", 1)
			r.client.PrependReactor("delete", "nodes", func(ktesting.Action) (bool, runtime.Object, error) { return true, nil, err })
			r.after(time.Minute)
			assert.Empty(t, r.counts.deleted)
			assert.False(t, r.told(nodegroups.ReasonNodeDeleted))
			assert.Greater(t, len(r.deletions()), 1, "it is tried again")
		})
	}
}

func TestMarks(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", marksPerLook+5))
	marked := func() (n int) {
		for _, m := range r.groups.Snapshot().Group("a").Members {
			if r.node(m.ServerID).Annotations[CloudAnnotation] == here {
				n++
			}
		}
		return n
	}
	r.after(10 * time.Second)
	assert.Equal(t, marksPerLook, marked())
	r.after(10 * time.Second)
	assert.Equal(t, marksPerLook+5, marked())
	before := len(r.client.Actions())
	r.after(time.Minute)
	for _, action := range r.client.Actions()[before:] {
		assert.NotEqual(t, "patch", action.GetVerb(), "once")
	}

	// A machine that was shut down for its removal, and that somebody has started again.
	server := fake.ServerID("a", 0)
	r.change(server, func(n *v1.Node) { n.Annotations[StoppedAnnotation] = "2026-01-02T03:04:05Z" })
	r.after(10 * time.Second)
	assert.NotContains(t, r.node(server).Annotations, StoppedAnnotation)
}

func TestALookWithoutNodes(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	r.Life = New(r.groups, r.nova, NewCluster(r.client), r.opts)
	r.Look(context.Background())
	assert.Empty(t, r.orders())
	assert.Empty(t, CloudName("region", ""))
}

func TestRunLooksUntilItsContextEnds(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 4))
	r.look()
	r.vanishes("a", 1)
	r.refresh()
	r.look()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	require.Eventually(t, func() bool {
		r.clock.Step(DefaultInterval)
		r.refresh()
		return len(r.deletions()) == 1
	}, time.Minute, time.Millisecond)
	cancel()
	<-ended
}
