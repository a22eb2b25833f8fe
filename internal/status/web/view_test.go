package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

func TestHeadlines(t *testing.T) {
	ready := func(n int) status.Counts { return status.Counts{Running: n, Ready: &n} }
	fine := status.NodeGroup{Name: "fine", MaxSize: 5, TargetSize: 2, Counts: ready(2)}
	failing := status.NodeGroup{Name: "failing", MaxSize: 5, TargetSize: 2, Counts: status.Counts{Failed: 1}}
	paused := status.NodeGroup{Name: "paused", MaxSize: 5, TargetSize: 2, Counts: ready(2), BackOff: &status.BackOff{}}
	base := status.Report{At: noon, Mode: status.ModeEmbedded, Leading: true, Reading: status.Reading{At: &noon}, NodeGroups: []status.NodeGroup{fine}}
	for name, test := range map[string]struct {
		change func(r *status.Report)
		state  string
		text   string
	}{
		"in order":         {func(*status.Report) {}, stateGood, "Everything is in order."},
		"stands by":        {func(r *status.Report) { r.Leading, r.Leader = false, "other" }, stateWarn, "This replica does not lead. It stands by and knows nothing of the node groups: ask other."},
		"is not asked":     {func(r *status.Report) { r.Leading, r.Mode = false, status.ModeExternal }, stateWarn, "No cluster-autoscaler asks this replica: another one may be at work. What is shown may be old."},
		"cloud unreadable": {func(r *status.Report) { r.Reading.Error = "401" }, stateBad, "The cloud can't be read, so nothing is resized. What is shown is what was known before."},
		"not read yet":     {func(r *status.Report) { r.Reading.At = nil }, stateBusy, "The cloud has not been read yet."},
		"blocked":          {func(r *status.Report) { r.Problems = []status.Problem{{Blocking: true}, {}} }, stateBad, "1 problem to be mended; what is concerned is left alone."},
		"failing":          {func(r *status.Report) { r.NodeGroups = append(r.NodeGroups, failing) }, stateBad, "In trouble: failing."},
		"paused":           {func(r *status.Report) { r.NodeGroups = append(r.NodeGroups, paused) }, stateWarn, "To be watched: paused."},
		"many paused": {func(r *status.Report) {
			other := paused
			other.Name = "other"
			r.NodeGroups = []status.NodeGroup{paused, other, paused, other, paused}
		}, stateWarn, "To be watched: paused, other, paused and 2 other node groups."},
		"warned": {func(r *status.Report) { r.Problems = []status.Problem{{}, {}} }, stateWarn, "2 warnings. Everything is served all the same."},
		"none":   {func(r *status.Report) { r.NodeGroups = nil }, stateWarn, "There is no node group: no stack carries the tags that are looked for."},
	} {
		t.Run(name, func(t *testing.T) {
			r := base
			test.change(&r)
			v := newView(&r, choice{})
			require.Equal(t, test.state, v.State)
			require.Equal(t, test.text, v.Headline)
		})
	}
}

func TestStatesOfNodeGroups(t *testing.T) {
	two := 2
	for name, test := range map[string]struct {
		g     status.NodeGroup
		state string
		word  string
	}{
		"blocked":    {status.NodeGroup{Blocked: &status.Problem{}}, stateBad, "Blocked"},
		"can't grow": {status.NodeGroup{GrowthBlocked: &status.Problem{}}, stateWarn, "Can't grow"},
		"paused":     {status.NodeGroup{BackOff: &status.BackOff{}, Counts: status.Counts{Failed: 1}}, stateWarn, "Paused"},
		"failed":     {status.NodeGroup{Counts: status.Counts{Lost: 1}}, stateBad, "Failing"},
		"growing":    {status.NodeGroup{Counts: status.Counts{Creating: 1}}, stateBusy, "Growing"},
		"shrinking":  {status.NodeGroup{Counts: status.Counts{Deleting: 1}}, stateBusy, "Shrinking"},
		"not ready":  {status.NodeGroup{TargetSize: 3, Counts: status.Counts{Ready: &two}}, stateWarn, "Not ready"},
		"unknown":    {status.NodeGroup{TargetSize: 3}, stateGood, "OK"},
	} {
		t.Run(name, func(t *testing.T) {
			v := groupView{NodeGroup: &test.g}
			v.judge()
			require.Equal(t, test.state, v.State)
			require.Equal(t, test.word, v.Word)
		})
	}
	v := groupView{NodeGroup: &status.NodeGroup{TargetSize: 3}}
	v.fill(&status.Report{}, choice{})
	require.Equal(t, "?", v.Ready, "what is not known is not 0")
}

func TestCharts(t *testing.T) {
	five, load := 5, 1.5
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	g := &status.NodeGroup{History: []status.Point{
		{At: at(0), TargetSize: 0}, {At: at(1), TargetSize: 10, Floor: &five, Load: &load}, {At: at(2), TargetSize: 10}, {At: at(10), TargetSize: 5},
	}}
	c := sizeChart(g)
	require.Len(t, c.Lines, 2, "nothing is known of Ready nodes, so that there is no line")
	require.Equal(t, line{Class: "target", Name: "target", Path: "M0 92H48V4H96V4M480 48", Now: "5"}, c.Lines[0], "after a gap it begins anew")
	require.Equal(t, line{Class: "floor", Name: "floor", Path: "M48 48", Now: "unknown"}, c.Lines[1])
	require.Equal(t, "From 12:00 to 12:10 UTC: target between 0 and 10, now 5; floor 5, now unknown.", c.Text)
	require.Equal(t, "10", c.Top)

	cpu := 60.0
	g.Floor = &status.Floor{Signals: []status.Signal{{Metric: "cpu", Target: &cpu}}}
	c = loadChart(g)
	require.Equal(t, "Load (cpu), as a part of its target", c.Title)
	require.Equal(t, "M48 4", c.Lines[0].Path)
	require.Equal(t, coordinate(4+88*(1-1/1.5)), c.Mark)

	g.Floor.Signals[0].Target = nil
	require.Empty(t, loadChart(g).Mark)
	for _, history := range [][]status.Point{nil, g.History[:1], {g.History[0], g.History[0]}} {
		require.Nil(t, sizeChart(&status.NodeGroup{History: history}))
	}
	require.Nil(t, loadChart(&status.NodeGroup{History: g.History[2:]}), "no load")
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 3: "3", 0.63333: "0.633", 85.06: "85.1", 999.6: "1000", 123456.7: "123457", -2500: "-2500", 1e-9: "0.000000001"} {
		require.Equal(t, want, number(x))
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		require.Equal(t, want, thousands(n))
	}
	for d, want := range map[time.Duration]string{-time.Hour: "0 s", 90 * time.Second: "90 s", 3 * time.Minute: "3 min", 5 * time.Hour: "5 h", 72 * time.Hour: "3 d"} {
		require.Equal(t, want, ago(d))
	}
	require.Equal(t, "/?from=500&group=a%26b%3D%22", link(`a&b="`, 500))
}

func TestSignals(t *testing.T) {
	value, target, age := 85.0, 60.0, 65.0
	held := noon.Add(time.Minute)
	v := newSignalView(&status.Signal{Metric: "cpu", Value: &value, Target: &target, AgeSeconds: &age, Opinion: true}, noon)
	require.Equal(t, "cpu 85 of 60", v.summary())
	require.Equal(t, "65 s", v.Age)
	v = newSignalView(&status.Signal{Metric: "cpu", HeldUntil: &held}, noon)
	require.Equal(t, "cpu: no opinion", v.summary())
	require.Equal(t, "12:01:00 UTC", v.Held)
	require.Equal(t, "–", v.Value)
}
