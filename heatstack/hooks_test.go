package heatstack

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestOrdersGoToTheWriters(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2)
	c, w := newTestCloud(f, func(o *Options) { o.DryRun, o.Gather = true, time.Second })
	assert.True(t, w.opts.DryRun)
	assert.Equal(t, time.Second, w.opts.Gather)
	refresh(t, f, c)

	w.do = func(ref stackRef) error {
		assert.Equal(t, "stack-a", ref.Name)
		assert.Equal(t, "p", ref.Project)
		assert.Equal(t, "nodes", ref.Template.Group)
		assert.Equal(t, 10, ref.Config.MaxSize)
		w.pending["a"] = 3
		return nil
	}
	require.NoError(t, c.Grow(t.Context(), "a", 3))
	a := shown(t, c, "a")
	assert.Equal(t, 5, a.Target, "accepted growth counts when the order returns")
	assert.Equal(t, []string{"0 running", "1 running", "- creating", "- creating", "- creating"}, states(a))

	w.do = nil
	require.NoError(t, c.Remove(t.Context(), "a", a.Members[:1]))
	require.NoError(t, c.Replace(t.Context(), "a", a.Members[1:2]))
	refused := errors.New("refused")
	w.do = func(stackRef) error { return refused }
	require.ErrorIs(t, c.Shrink(t.Context(), "a", 1), refused)
	assert.Equal(t, []string{"grow 3 a", "remove 1 a", "replace 1 a", "shrink 1 a"}, w.orders)
	c.Close()
	assert.True(t, w.closed)
}

func TestWhatTheWriterReadsWinsOverASlowerRead(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)

	newer := StackDetail{StackRow: st.detail.StackRow, Parameters: map[string]string{"node_count": "4", "nodes_to_remove": "", "flavor": "m1.small"}}
	newer.Status, newer.Updated = "UPDATE_IN_PROGRESS", "2026-11-23T05:00:00Z"
	t.Run("list", func(t *testing.T) {
		f.during["ListStacks [autoscaled]"] = func() { w.hooks.observed(&newer) }
		refresh(t, f, c)
		delete(f.during, "ListStacks [autoscaled]")
		assert.Equal(t, 4, shown(t, c, "a").Target)
		assert.True(t, shown(t, c, "a").Busy)
	})
	t.Run("read", func(t *testing.T) {
		f.move(st, "UPDATE_IN_PROGRESS", nil) // moves, but to what was before
		f.during["GetStack a"] = func() { w.hooks.observed(&newer) }
		refresh(t, f, c)
		assert.Equal(t, 4, shown(t, c, "a").Target)
	})
}

func TestObservedStacksThatAreUnknownAreIgnored(t *testing.T) {
	c, w := newTestCloud(newCloudFake(), nil)
	w.hooks.observed(&StackDetail{StackRow: StackRow{ID: "gone"}})
	list, _ := c.List()
	assert.Empty(t, list)
}

func TestReportsHoldUntilTheStackIsInGoodOrder(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	var told []nodegroups.Problem
	c, w := newTestCloud(f, func(o *Options) {
		o.Reporter = nodegroups.ReporterFunc(func(p nodegroups.Problem) { told = append(told, p) })
	})
	refresh(t, f, c)
	f.move(st, "UPDATE_FAILED", nil)
	p := nodegroups.Problem{Reason: nodegroups.ReasonLostUpdate, Severity: nodegroups.Warning, Group: "stack-a", Stack: "stack-a", Message: "lost"}
	w.hooks.report(p)
	w.hooks.report(p)
	assert.Equal(t, []nodegroups.Problem{p, p}, told)
	_, problems := c.List()
	assert.Equal(t, []nodegroups.Problem{p}, problems, "kept once")

	refresh(t, f, c)
	_, problems = c.List()
	assert.Equal(t, []nodegroups.Problem{p}, problems, "the stack has failed")

	f.move(st, "UPDATE_COMPLETE", nil)
	refresh(t, f, c)
	_, problems = c.List()
	assert.Empty(t, problems)
}

func TestRemovalsAreCounted(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	var stack string
	var sum int
	c, w := newTestCloud(f, func(o *Options) {
		o.Removed = func(s string, verified, wrong int) { stack, sum = s, sum+verified*10+wrong }
	})
	refresh(t, f, c)
	w.hooks.removed("a", 2, 1)
	assert.Equal(t, "stack-a", stack)
	assert.Equal(t, 21, sum)
	w.hooks.removed("unknown", 0, 1)
	assert.Equal(t, "unknown", stack)

	_, silent := newTestCloud(f, nil)
	assert.NotPanics(t, func() { silent.hooks.removed("a", 1, 0) })
}

// Heat's classic engine shows the old template until an update has ended, and its end does not move updated_time.
func TestATemplateThatWasReadDuringAnUpdateIsReadAgain(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 1)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.clock.Step(time.Second)
	f.move(st, "UPDATE_IN_PROGRESS", nil)
	refresh(t, f, c)
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls(), "once is enough while it runs")

	f.move(st, "UPDATE_COMPLETE", nil)
	st.template = groupTemplate(map[string]any{"removal_policies_mode": "update"})
	refresh(t, f, c)
	assert.Contains(t, f.takeCalls(), "GetTemplate a")
	facts, err := w.hooks.template(t.Context(), stackRef{ID: "a"})
	require.NoError(t, err)
	assert.Equal(t, removalUpdate, facts.RemovalMode)
	assert.False(t, facts.Outdated)
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls())
}
