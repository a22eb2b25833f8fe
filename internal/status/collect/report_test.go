package collect

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

func TestBeforeThereIsAnythingToSay(t *testing.T) {
	b := NewBook(Program{Name: "program", Mode: status.ModeExternal}, nil)
	b.NewLeader("other")
	s := b.Status()
	require.False(t, s.Leading)
	require.Equal(t, "other", s.Leader)
	require.Nil(t, s.Cloud)
	require.Nil(t, s.Reading.At)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.Contains(t, string(text), `"nodeGroups":[],"problems":[],"decisions":[]`, "lists are lists")
	b.Refreshed(0, errors.New("no cloud"))
	require.Empty(t, b.history)
}

func TestMembersAreShownWithTheirNodes(t *testing.T) {
	stack := nodegroupstest.Stack("a", 3, func(s *nodegroups.Stack) {
		s.Members[2].State, s.Members[2].Failure = nodegroups.Failed, &nodegroups.Failure{Class: nodegroups.OutOfResources, Code: "NoValidHost", Message: "No valid host"}
	})
	r := newRig(t, stack)
	require.Nil(t, r.Status().NodeGroups[0].Counts.Ready, "Nodes are not known: not 0")
	r.watchNodes(t, nodegroupstest.ServerID("a", 0))
	require.NoError(t, r.nodes.Add(node(nodegroupstest.ServerID("a", 1), v1.ConditionUnknown)))
	g := r.Status().NodeGroups[0]
	one := 1
	require.Equal(t, status.Counts{Running: 2, Failed: 1, Ready: &one}, g.Counts)
	require.True(t, *g.Members[0].Ready)
	require.False(t, *g.Members[1].Ready)
	require.Nil(t, g.Members[2].Ready)
	require.Empty(t, g.Members[2].Node)
	require.Equal(t, []string{"OutOfResources", "NoValidHost", "No valid host"}, []string{g.Members[2].FailureClass, g.Members[2].FailureCode, g.Members[2].FailureMessage})
	require.InEpsilon(t, time.Hour.Seconds(), *g.Members[0].AgeSeconds, 1e-9)
	require.Equal(t, "a", g.Members[0].Stack)
	require.Equal(t, []string{"region-1"}, r.Status().Cloud.Regions)
}

func TestFloorsAreExplained(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 3))
	r.manager = nodegroups.NewManager(r.stacks, nil, nodegroups.ManagerOptions{Floors: floors{"a": {Size: 5, Reason: "because"}}})
	require.NoError(t, r.manager.Refresh(t.Context()))
	r.Connect(Sources{Snapshot: r.manager.Snapshot, Reading: r.manager.Reading, Region: func() string { return "" }, Project: func() string { return "" }})
	require.Equal(t, &status.Floor{Size: 5, Reason: "because"}, r.Status().NodeGroups[0].Floor)

	now := r.clock.Now()
	state := ceilometer.State{
		Group: "a", At: now, Floor: 5, Applied: true, Schedule: 4, ScheduleText: "08:00-18:00=4", Forecast: 6, Shadow: true, Headroom: 1, Held: true, HeldUntil: now.Add(time.Minute),
		Signals: []ceilometer.SignalState{
			{Metric: "cpu", Source: "gnocchi", Value: 85, Machines: 3, At: now.Add(-time.Minute), Target: 60, Wanted: 5, Opinion: true},
			{Metric: "odd", Source: "prometheus", Value: math.NaN(), At: now, Err: ceilometer.ErrAbsurd, HeldUntil: now.Add(time.Minute)},
			{Metric: "none", Source: "gnocchi", Err: ceilometer.ErrNoData},
		},
	}
	r.ShowLoad(func() []ceilometer.State { return []ceilometer.State{state} })
	f := r.Status().NodeGroups[0].Floor
	require.Equal(t, 4, f.Schedule)
	require.True(t, f.ForecastShadow)
	require.Equal(t, now.Add(time.Minute), *f.HeldUntil)
	require.InEpsilon(t, 85.0, *f.Signals[0].Value, 1e-9)
	require.InEpsilon(t, 60.0, *f.Signals[0].AgeSeconds, 1e-9)
	require.Nil(t, f.Signals[1].Value)
	require.Equal(t, ceilometer.ErrAbsurd.Error(), f.Signals[1].Why)
	require.Nil(t, f.Signals[2].Value, "what is missing is not 0")
	require.Nil(t, f.Signals[2].AgeSeconds)
	_, err := json.Marshal(r.Status())
	require.NoError(t, err)

	r.clock.Step(time.Minute)
	r.Refreshed(0, nil)
	history := r.Status().NodeGroups[0].History
	last := history[len(history)-1]
	require.Equal(t, 5, *last.Floor)
	require.InEpsilon(t, 85.0/60, *last.Load, 1e-9)
	state.Signals = state.Signals[1:]
	r.clock.Step(time.Minute)
	r.Refreshed(0, nil)
	history = r.Status().NodeGroups[0].History
	require.Nil(t, history[len(history)-1].Load, "no opinion is no load")
}

func TestHistoryHasOnePointAMinuteAndForgetsGroupsThatAreGone(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1), nodegroupstest.Stack("b", 2))
	for range 12 {
		r.clock.Step(10 * time.Second)
		r.Refreshed(0, nil)
	}
	require.Len(t, r.Status().NodeGroups[1].History, 3)
	require.Nil(t, r.Status().NodeGroups[1].History[0].Ready)
	require.Equal(t, 2, r.Status().NodeGroups[1].History[0].TargetSize)
	r.stacks.Delete("b")
	r.clock.Step(time.Minute)
	r.refresh(t)
	require.Len(t, r.history, 1)
}

func TestPausesTokensRepairsAndCertificates(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1))
	until := r.clock.Now().Add(5 * time.Minute)
	for range 3 { // three members failed for one reason
		r.BackedOff("a", until, status.ClassOutOfResources, "QuotaExceeded", "Quota exceeded for cores")
	}
	require.Len(t, r.Status().Decisions, 1)
	require.Equal(t, &status.BackOff{Until: until, Class: "OutOfResources", Code: "QuotaExceeded", Message: "Quota exceeded for cores"}, r.Status().NodeGroups[0].BackOff)
	r.clock.Step(6 * time.Minute)
	require.Nil(t, r.Status().NodeGroups[0].BackOff, "it is over")
	r.BackedOff("a", until.Add(time.Hour), status.ClassOther, "X", "")
	r.BackOffEnded("a")
	require.Nil(t, r.Status().NodeGroups[0].BackOff)

	r.HeldBack(map[nodelife.Held]int{{Group: "a", Reason: "StackBusy"}: 2, {Group: "b", Reason: "StackBusy"}: 1})
	require.Equal(t, []status.HeldRepair{{Reason: "StackBusy", Members: 2}}, r.Status().NodeGroups[0].HeldRepairs)

	r.TokenMinted("a")
	expires := r.clock.Now().Add(time.Hour)
	r.TokensLive(map[string]bootstrap.Live{"a": {Count: 1, Expires: expires}})
	require.Equal(t, &status.Tokens{Valid: 1, Expires: &expires}, r.Status().NodeGroups[0].Tokens)
	r.TokensLive(map[string]bootstrap.Live{"a": {Count: 1, Expires: r.clock.Now().Add(-time.Second)}})
	require.Nil(t, r.Status().NodeGroups[0].Tokens, "it is over, whether or not anybody has said so")
	r.TokenRevoked("a", bootstrap.RevokedJoined)
	r.TokensLive(map[string]bootstrap.Live{})
	require.Nil(t, r.Status().NodeGroups[0].Tokens)

	before := len(r.Status().Decisions)
	r.CSRDecided("signer", "approved", "NewMember")
	require.Len(t, r.Status().Decisions, before, "an approval is only counted")
	r.CSRDecided("signer", "denied", "UnknownToken")
	r.CSRDecided("signer", "denied", "UnknownToken")
	require.Equal(t, 1, r.newest(t).Repeated)
	require.Equal(t, []status.CertificateCount{{Signer: "signer", Decision: "approved", Reason: "NewMember", Count: 1}, {Signer: "signer", Decision: "denied", Reason: "UnknownToken", Count: 2}}, r.Status().Certificates)
}

func TestRemovalsAreVerified(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 1, nodegroupstest.InGroup("g", 0, 5)))
	r.Removed("a", 2, 0)
	d := r.newest(t)
	require.Equal(t, []any{status.DecisionVerify, "g", "a", 2, status.ResultOK}, []any{d.Kind, d.Group, d.Stack, d.Count, d.Result})
	require.Contains(t, d.Reason, "and no others")
	r.Removed("a", 1, 1)
	all := r.Status().Decisions
	require.Equal(t, status.ResultWrong, all[0].Result)
	require.NotContains(t, all[1].Reason, "no others")
}

func TestFloorsThatChange(t *testing.T) {
	r := newRig(t)
	r.FloorChanged(t.Context(), ceilometer.Change{State: ceilometer.State{Group: "a", Reason: "cpu"}, From: 2, To: 5, Had: true, Has: true})
	d := r.newest(t)
	require.Equal(t, []any{status.DecisionFloor, 2, 5, "cpu"}, []any{d.Kind, *d.From, *d.To, d.Reason})
	r.FloorChanged(t.Context(), ceilometer.Change{State: ceilometer.State{Group: "a", Reason: "gone"}, From: 5, Had: true})
	require.Nil(t, r.newest(t).To)
	r.Panicked("NodeGroup.Nodes")
	require.Equal(t, "Panic", r.newest(t).Code)
}

// What is told and what is asked at the same time does no harm; the race detector looks.
func TestConcurrentUse(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 3))
	r.watchNodes(t, nodegroupstest.ServerID("a", 0))
	var all sync.WaitGroup
	for _, work := range []func(){
		func() { r.Report(silent("a")) },
		func() { _ = r.orders.Grow(context.Background(), "a", 0) },
		func() { r.clock.Step(time.Second); r.Refreshed(0, nil) },
		func() { r.BackedOff("a", r.clock.Now(), "Other", "X", "") },
		func() { r.HeldBack(map[nodelife.Held]int{{Group: "a"}: 1}) },
		func() { r.CSRDecided("s", "denied", "X") },
		func() { r.Lead(true); r.NewLeader("me") },
		func() { _, _ = json.Marshal(r.Status()) },
		func() { _, _ = json.Marshal(r.Status()) },
	} {
		all.Go(func() {
			for range 50 {
				work()
			}
		})
	}
	all.Wait()
}
