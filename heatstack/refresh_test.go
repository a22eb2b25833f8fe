package heatstack

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

var idle = []string{"ListServers changed", "ListStacks [autoscaled]"}

func TestFirstRefreshReadsEverythingOnce(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2, "node-group=workers", "node-group-min-size=1")
	f.stack("b", 0)
	f.stacks["other"] = &stackFake{detail: StackDetail{StackRow: StackRow{ID: "other", Name: "other", Tags: []string{"web"}, Status: "CREATE_COMPLETE"}}}
	c, w := newTestCloud(f, func(o *Options) { o.Region = "RegionOne" })

	refresh(t, f, c)
	assert.Equal(t, []string{
		"GetStack a", "GetStack b", "GetTemplate a", "GetTemplate b", "ListFlavors", "ListServers all",
		"ListStacks []", "ListStacks [autoscaled]",
	}, f.takeCalls())

	list, problems := c.List()
	require.Len(t, list, 2)
	assert.Empty(t, problems)
	a := list[0]
	assert.Equal(t, "workers", a.Config.Name)
	assert.Equal(t, "p", a.Project)
	assert.Equal(t, "RegionOne", a.Region)
	assert.Equal(t, "nova", a.Zone)
	assert.Equal(t, 2, a.Target)
	assert.True(t, a.Known)
	assert.False(t, a.Busy || a.Failed)
	assert.Nil(t, a.Blocked)
	assert.Equal(t, "m1.small", a.Flavor.Name)
	assert.Equal(t, f.clock.Now(), a.Read)
	assert.Equal(t, nodegroups.Member{
		StackID: "a", Index: "1", ServerID: "a-1", Name: "node-1", State: nodegroups.Running,
		Status: "ACTIVE", Launched: true, Flavor: "m1.small", Zone: "nova", Created: f.servers["a-1"].Created,
	}, a.Members[1])
	assert.Empty(t, list[1].Members)
	assert.Equal(t, map[string]sighting{"a": {"CREATE_COMPLETE", true, 2}, "b": {"CREATE_COMPLETE", true, 0}}, w.seen)
}

func TestIdleRefreshCostsTwoCallsAndKeepsTheValues(t *testing.T) {
	f := newCloudFake()
	for i := range 50 {
		f.stack("s"+strconv.Itoa(i), 3)
	}
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	before := shown(t, c, "s7")
	for range 40 {
		f.takeCalls()
		refresh(t, f, c)
		assert.Equal(t, idle, f.takeCalls())
	}
	assert.Same(t, before, shown(t, c, "s7"), "a stack that did not move keeps its value")
}

func TestScalingStacksCostOneCallEachAtMost(t *testing.T) {
	f := newCloudFake()
	for i := range 10 {
		f.stack("s"+strconv.Itoa(i), 3)
	}
	f.stack("idle", 3)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)

	total, refreshes := 0, 0
	count := func() {
		refresh(t, f, c)
		total += len(f.takeCalls())
		refreshes++
	}
	for i := range 10 {
		w.write(t, "s"+strconv.Itoa(i), map[string]any{"node_count": 4})
	}
	f.takeCalls()
	count()
	for i := range 10 {
		s := f.member("s"+strconv.Itoa(i), 3)
		s.Status, s.Launched = "BUILD", false
	}
	count()
	assert.Equal(t, []string{"0 running", "1 running", "2 running", "3 creating"}, states(shown(t, c, "s4")))
	for i := range 10 {
		f.change("s"+strconv.Itoa(i)+"-3", func(s *Server) { s.Status, s.Launched = "ACTIVE", true })
	}
	count()
	for i := range 10 {
		f.move(f.stacks["s"+strconv.Itoa(i)], "UPDATE_COMPLETE", nil)
	}
	count()
	assert.Equal(t, []string{"0 running", "1 running", "2 running", "3 running"}, states(shown(t, c, "s4")))
	assert.LessOrEqual(t, total, refreshes*(2+10))
}

func TestFailingListsKeepWhatIsKnown(t *testing.T) {
	for _, call := range []string{"ListStacks [autoscaled]", "ListServers changed"} {
		t.Run(call, func(t *testing.T) {
			f := newCloudFake()
			f.stack("a", 2)
			c, _ := newTestCloud(f, nil)
			refresh(t, f, c)
			before, _ := c.List()
			down := errors.New("connection refused")
			f.fail[call] = down
			f.change("a-1", toDeleted)
			f.clock.Step(10 * time.Second)
			require.ErrorIs(t, c.Refresh(t.Context()), down)
			after, _ := c.List()
			assert.Equal(t, before, after)

			delete(f.fail, call)
			refresh(t, f, c)
			assert.Len(t, shown(t, c, "a").Members, 2, "a lost member and a running one")
			assert.Equal(t, "0 running", states(shown(t, c, "a"))[0])
		})
	}
}

func TestRefreshCutShortIsAnError(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	c, _ := newTestCloud(f, nil)
	ctx, cancel := context.WithCancel(t.Context())
	f.during["GetStack a"] = cancel
	f.fail["GetStack a"] = context.Canceled
	require.ErrorIs(t, c.Refresh(ctx), context.Canceled)
	_, problems := c.List()
	assert.Empty(t, problems, "that we gave up is no problem of the stack")
}

func TestAStackThatCannotBeReadIsItsOwnProblem(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	f.stack("b", 1)
	f.fail["GetStack a"] = answered(http.StatusInternalServerError)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)

	a := shown(t, c, "a")
	assert.False(t, a.Known)
	assert.Zero(t, a.Target)
	require.NotNil(t, a.Blocked)
	assert.Equal(t, nodegroups.ReasonStackUnreadable, a.Blocked.Reason)
	assert.Equal(t, "stack-a", a.Blocked.Group)
	assert.True(t, shown(t, c, "b").Known)
	require.ErrorAs(t, c.Grow(t.Context(), "a", 1), new(nodegroups.Problem))
	assert.Empty(t, w.orders)

	delete(f.fail, "GetStack a")
	refresh(t, f, c)
	assert.True(t, shown(t, c, "a").Known)
	assert.Nil(t, shown(t, c, "a").Blocked)

	// Later the size that was read last stays.
	f.fail["GetStack a"] = answered(http.StatusBadGateway)
	f.move(f.stacks["a"], "UPDATE_IN_PROGRESS", map[string]string{"node_count": "5"})
	refresh(t, f, c)
	assert.True(t, shown(t, c, "a").Known)
	assert.Equal(t, 1, shown(t, c, "a").Target)
	assert.NotNil(t, shown(t, c, "a").Blocked)
}

func TestAStackVanishesOnlyWhenHeatConfirmsIt(t *testing.T) {
	f := newCloudFake()
	a := f.stack("a", 2)
	f.stack("b", 1)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)

	hidden := a.detail.Tags
	unlist := func(tags []string) { a.detail.Tags = tags }
	// The list has a hole: the stack itself says that it is tagged.
	f.during["GetStack a"] = func() { unlist(hidden) }
	unlist(nil)
	refresh(t, f, c)
	assert.Len(t, shown(t, c, "a").Members, 2)

	// It can't be read: it stays, with a problem.
	delete(f.during, "GetStack a")
	f.fail["GetStack a"] = answered(http.StatusServiceUnavailable)
	unlist(nil)
	refresh(t, f, c)
	assert.Equal(t, nodegroups.ReasonStackUnreadable, shown(t, c, "a").Blocked.Reason)

	// It has lost its tag.
	delete(f.fail, "GetStack a")
	refresh(t, f, c)
	list, problems := c.List()
	assert.Len(t, list, 1)
	assert.Empty(t, problems)

	// It is deleted.
	delete(f.stacks, "b")
	refresh(t, f, c)
	list, _ = c.List()
	assert.Empty(t, list)
	require.ErrorIs(t, c.Grow(t.Context(), "b", 1), ErrUnknownStack)
}

func TestAStackDeletedBetweenListAndRead(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	f.fail["GetStack a"] = answered(http.StatusNotFound)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	list, problems := c.List()
	assert.Empty(t, list)
	assert.Empty(t, problems)
}

func TestNamedStacks(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1, "node-group-min-size=7")
	f.stacks["a"].detail.Tags = []string{"node-group-min-size=seven"}
	f.stack("b", 1)
	c, _ := newTestCloud(f, func(o *Options) {
		o.Named = []NamedStack{{Name: "stack-a", MinSize: 1, MaxSize: 4}, {Name: "stack-z", MinSize: 0, MaxSize: 2}}
	})
	refresh(t, f, c)
	a := shown(t, c, "a")
	assert.Equal(t, 1, a.Config.MinSize)
	assert.Equal(t, 4, a.Config.MaxSize)
	assert.Nil(t, a.Blocked, "the flag replaces the annotation, bad as it is")
	assert.True(t, shown(t, c, "b").Known, "tags work beside names")
	_, problems := c.List()
	require.Len(t, problems, 1)
	assert.Equal(t, nodegroups.ReasonStackNotFound, problems[0].Reason)
	assert.Equal(t, "0:2:stack-z", problems[0].Value)
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, []string{"ListServers changed", "ListStacks []"}, f.takeCalls())
}

func TestFitness(t *testing.T) {
	tests := map[string]struct {
		change         func(*stackFake)
		reason, key    string
		remedyMentions string
	}{
		"no size parameter":    {func(st *stackFake) { delete(st.detail.Parameters, "node_count") }, nodegroups.ReasonMissingParameter, "node_count", "size-parameter"},
		"no removal parameter": {func(st *stackFake) { delete(st.detail.Parameters, "nodes_to_remove") }, nodegroups.ReasonMissingParameter, "nodes_to_remove", "removal-parameter"},
		"size is no number":    {func(st *stackFake) { st.detail.Parameters["node_count"] = "******" }, nodegroups.ReasonMissingParameter, "node_count", "size-parameter"},
		"unsafe template":      {func(st *stackFake) { st.template = groupTemplate(map[string]any{"removal_policies": nil}) }, nodegroups.ReasonUnsafeTemplate, "node_count", "removal_policies"},
		"suspended":            {func(st *stackFake) { st.detail.Status = "SUSPEND_COMPLETE" }, nodegroups.ReasonStackState, "status", "resume"},
		"being deleted":        {func(st *stackFake) { st.detail.Status = "DELETE_IN_PROGRESS" }, nodegroups.ReasonStackState, "status", ""},
		"bad annotation":       {func(st *stackFake) { st.detail.Tags = append(st.detail.Tags, "node-group-min-size=x") }, nodegroups.ReasonBadAnnotation, "node-group-min-size", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newCloudFake()
			test.change(f.stack("a", 1))
			f.stack("b", 1)
			c, w := newTestCloud(f, nil)
			refresh(t, f, c)
			blocked := shown(t, c, "a").Blocked
			require.NotNil(t, blocked)
			assert.Equal(t, test.reason, blocked.Reason)
			assert.Equal(t, test.key, blocked.Key)
			assert.Equal(t, "stack-a", blocked.Stack)
			assert.Contains(t, blocked.Remedy, test.remedyMentions)
			assert.Equal(t, *blocked, c.Shrink(t.Context(), "a", 1))
			assert.Empty(t, w.orders)
			require.NoError(t, c.Grow(t.Context(), "b", 1), "the other stack works")
		})
	}
}

func TestASizeThatCannotBeReadAnyMoreStaysTheOldOne(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	f.move(st, "UPDATE_IN_PROGRESS", map[string]string{"node_count": ""})
	refresh(t, f, c)
	a := shown(t, c, "a")
	assert.True(t, a.Known)
	assert.Equal(t, 2, a.Target)
	assert.Equal(t, nodegroups.ReasonMissingParameter, a.Blocked.Reason)
}

func TestTemplatesAreReadAgainWhenOthersMoveTheStack(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 1)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.takeCalls()

	// Our own update.
	f.clock.Step(time.Second)
	w.write(t, "a", map[string]any{"node_count": 2})
	assert.Equal(t, 2, shown(t, c, "a").Target, "at once, not at the next refresh")
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls())

	// Somebody else's, with another template.
	st.template = groupTemplate(map[string]any{"count": 3})
	f.move(st, "UPDATE_IN_PROGRESS", nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"GetStack a", "GetTemplate a", idle[0], idle[1]}, f.takeCalls())
	assert.Equal(t, nodegroups.ReasonUnsafeTemplate, shown(t, c, "a").Blocked.Reason)
}

func TestARefusedUpdateOfOursDoesNotHideAnUpdateOfOthers(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 1)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.fail["Patch a"] = answered(http.StatusBadRequest)
	require.Error(t, w.heat.Patch(t.Context(), "stack-a", "a", nil))
	f.takeCalls()
	f.move(st, "UPDATE_IN_PROGRESS", nil)
	refresh(t, f, c)
	assert.Contains(t, f.takeCalls(), "GetTemplate a")
}

func TestAnUnreadableTemplateBlocks(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	f.fail["GetTemplate a"] = answered(http.StatusInternalServerError)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Equal(t, nodegroups.ReasonStackUnreadable, shown(t, c, "a").Blocked.Reason)
	_, err := w.hooks.template(t.Context(), stackRef{ID: "a"})
	require.ErrorAs(t, err, new(nodegroups.Problem))

	delete(f.fail, "GetTemplate a")
	facts, err := w.hooks.template(t.Context(), stackRef{ID: "a"})
	require.NoError(t, err)
	assert.Equal(t, "nodes", facts.Group)
	refresh(t, f, c)
	assert.Nil(t, shown(t, c, "a").Blocked)
	_, err = w.hooks.template(t.Context(), stackRef{ID: "z", Name: "z"})
	require.ErrorIs(t, err, ErrUnknownStack)
}

func TestBadCredentialsFileIsReported(t *testing.T) {
	f := newCloudFake()
	var bad error
	c, _ := newTestCloud(f, func(o *Options) { o.Reload = func(context.Context) error { return bad } })
	bad = errors.New("no password in it")
	refresh(t, f, c)
	_, problems := c.List()
	assert.Equal(t, []string{nodegroups.ReasonCredentialsRejected}, reasons(problems))
	bad = nil
	refresh(t, f, c)
	_, problems = c.List()
	assert.Empty(t, problems)
}
