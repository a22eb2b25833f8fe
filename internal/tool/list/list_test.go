package list

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

// group is a node group that is well, with two Ready members.
func group(name string, changes ...func(*model.NodeGroup)) model.NodeGroup {
	g := model.NodeGroup{
		Name: name, MinSize: ptr.To(0), MaxSize: ptr.To(10), TargetSize: ptr.To(2), ReadyNodes: ptr.To(2), Flavor: "m1.small", Zone: "nova",
		Stacks: []model.Stack{{ID: "1", Name: name + "-stack", Status: "UPDATE_COMPLETE", TargetSize: ptr.To(2)}},
		Members: []model.Member{
			{Index: "0", Server: "s0", State: "running", Node: "n0", Ready: ptr.To(true)}, {Index: "1", Server: "s1", State: "running", Node: "n1", Ready: ptr.To(true)},
		},
	}
	for _, change := range changes {
		change(&g)
	}
	g.Judge()
	return g
}

func everything() *sight.Sight {
	read := now.Add(-3 * time.Second)
	return &sight.Sight{
		At: now, Source: model.Source{Kind: model.SourceOpenStack, From: "OpenStack project p1", ReadAt: &read, Notes: []string{"no permission to list nodes"}},
		Problems: []model.Problem{{Code: "MisspeltTag", Stack: "odd", Key: "node-group-max-sise", Value: "3", Message: "no annotation has this name", Remedy: "write node-group-max-size"}},
		Groups: []model.NodeGroup{
			group("at-max", func(g *model.NodeGroup) { g.MaxSize = ptr.To(2) }),
			group("backed-off", func(g *model.NodeGroup) {
				g.Core = &model.Core{ScaleUp: "Backoff", BackoffCode: "QuotaExceeded", BackoffMessage: "Quota exceeded for ram: Requested 16384, but already used 0 of 12288 ram (HTTP 403)"}
			}),
			group("blocked", func(g *model.NodeGroup) {
				g.Blocked = &model.Problem{Code: "MissingLimit", Blocking: true, Key: "node-group-max-size", Message: "the node group has no maximum size"}
				g.MaxSize = nil
			}),
			group("failing", func(g *model.NodeGroup) {
				g.TargetSize = ptr.To(3)
				g.Members = append(g.Members, model.Member{State: "failed", FailureCode: "NoValidHost", FailureMessage: "No valid host was found.\nThere are not enough hosts\x1b[31m."})
			}),
			group("floored", func(g *model.NodeGroup) { g.Floor = &model.Floor{Size: 2, Reason: "floor 2: cpu"} }),
			group("growing", func(g *model.NodeGroup) {
				g.TargetSize = ptr.To(3)
				g.Members = append(g.Members, model.Member{State: "creating"})
			}),
			group("many-stacks", func(g *model.NodeGroup) {
				for _, name := range []string{"b", "c", "d", "e"} {
					g.Stacks = append(g.Stacks, model.Stack{Name: name, Status: "UPDATE_FAILED"})
				}
			}),
			group("ok"),
			group("shrinking", func(g *model.NodeGroup) {
				g.Members[1].State = "deleting"
				g.TargetSize = ptr.To(1)
				g.ReadyNodes = ptr.To(1)
			}),
			group("unknown", func(g *model.NodeGroup) {
				g.ReadyNodes, g.TargetSize, g.FloorUnknown, g.Flavor, g.Stacks = nil, nil, true, "", nil
			}),
			group("unready", func(g *model.NodeGroup) { g.ReadyNodes = ptr.To(1) }),
		},
	}
}

func newLister(output string, names ...string) (l *lister, out, errs *bytes.Buffer) {
	streams, _, out, errs := genericiooptions.NewTestIOStreams()
	o := cli.NewOptions("tool", streams)
	o.Output, o.Clock = output, testingclock.NewFakeClock(now)
	return &lister{o: o, names: names, shown: map[string]string{}}, out, errs
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test ./internal/tool/list -update writes it anew")
}

func TestForms(t *testing.T) {
	for output, file := range map[string]string{cli.Table: "list.txt", cli.Wide: "list-wide.txt", cli.JSON: "list.json", cli.YAML: "list.yaml"} {
		l, out, errs := newLister(output)
		require.NoError(t, l.show(everything(), true))
		golden(t, file, out.String())
		if l.o.IsStructured() {
			require.Empty(t, errs.String(), "what is for people is not beside what is for programs")
			continue
		}
		golden(t, "list-errors.txt", errs.String())
	}
}

func TestNothing(t *testing.T) {
	l, out, errs := newLister(cli.Table)
	require.NoError(t, l.show(&sight.Sight{At: now}, true))
	require.Empty(t, out.String())
	require.Contains(t, errs.String(), "No node groups found.")
	l, out, _ = newLister(cli.JSON)
	require.NoError(t, l.show(&sight.Sight{At: now}, true))
	require.Contains(t, out.String(), `"items": []`)
}

func TestNames(t *testing.T) {
	l, out, _ := newLister(cli.Table, "ok", "growing")
	require.NoError(t, l.show(everything(), true))
	require.Equal(t, 3, bytes.Count(out.Bytes(), []byte("\n")))
	l, _, _ = newLister(cli.Table, "ok", "growin")
	require.EqualError(t, l.show(everything(), true), `there is no node group "growin"; did you mean "growing"?`)
}

func TestWatchPrintsChangesOnly(t *testing.T) {
	l, out, _ := newLister(cli.Table)
	s := everything()
	require.NoError(t, l.show(s, true))
	out.Reset()
	require.NoError(t, l.show(s, false))
	require.Empty(t, out.String(), "nothing has changed")
	s.Groups[7] = group("ok", func(g *model.NodeGroup) { g.ReadyNodes = ptr.To(1) })
	s.Groups = append(s.Groups[:1], s.Groups[2:]...)
	require.NoError(t, l.show(s, false))
	golden(t, "watch.txt", out.String())
	out.Reset()
	require.NoError(t, l.show(s, false))
	require.Empty(t, out.String(), "what is gone is told once")
}
