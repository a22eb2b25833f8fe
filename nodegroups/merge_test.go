package nodegroups_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// merge merges and indexes.
func merge(stacks ...*nodegroups.Stack) *nodegroups.Snapshot { return mergeAfter(nil, stacks...) }

func mergeAfter(before *nodegroups.Snapshot, stacks ...*nodegroups.Stack) *nodegroups.Snapshot {
	groups, problems := nodegroups.Merge(stacks, before)
	return nodegroups.NewSnapshot(groups, problems)
}

func reasons(problems []nodegroups.Problem) []string {
	out := make([]string, 0, len(problems))
	for _, p := range problems {
		out = append(out, p.Reason)
	}
	return out
}

func TestMergeOneStack(t *testing.T) {
	s := fake.Stack("a", 3, func(s *nodegroups.Stack) { s.BootVolumeGiB = 50 })
	snapshot := merge(s)
	assert.Empty(t, snapshot.Problems())
	g := snapshot.Group("a")
	require.NotNil(t, g)
	assert.Nil(t, g.Blocked)
	assert.Equal(t, []int{0, 10, 3, 3}, []int{g.MinSize, g.MaxSize, g.Target, len(g.Members)})
	assert.Equal(t, []string{"zone-1", "region-1", "amd64", "m1.small"}, []string{g.Zone, g.Region, g.Arch, g.Flavor.Name})
	assert.Equal(t, 50, g.BootVolumeGiB)
	assert.Same(t, s, g.Stack(s.ID))
	assert.Nil(t, g.Stack("other"))
	assert.Equal(t, 3, g.Count(nodegroups.Running))
	assert.Equal(t, 0, g.Count(nodegroups.Failed))
	owner, m := snapshot.ByServer(fake.ServerID("a", 1))
	assert.Same(t, g, owner)
	assert.Same(t, &s.Members[1], m)
	owner, m = snapshot.ByServer("other")
	assert.Nil(t, owner)
	assert.Nil(t, m)
	assert.Nil(t, snapshot.Group("other"))
}

func TestMergeShards(t *testing.T) {
	in := fake.InGroup("workers", 1, 9)
	snapshot := merge(fake.Stack("c", 3), fake.Stack("b", 2, in, func(s *nodegroups.Stack) { s.Zone = "zone-2" }),
		fake.Stack("a", 1, in), fake.Stack("a", 1, in))
	assert.Empty(t, snapshot.Problems())
	require.Len(t, snapshot.Groups(), 2)
	assert.Equal(t, "c", snapshot.Groups()[0].Name)
	g := snapshot.Groups()[1]
	assert.Equal(t, "workers", g.Name)
	require.Len(t, g.Stacks, 2, "a stack that is found twice is one shard")
	assert.Equal(t, []string{"a", "b"}, []string{g.Stacks[0].Name, g.Stacks[1].Name})
	assert.Equal(t, []int{1, 9, 3, 3}, []int{g.MinSize, g.MaxSize, g.Target, len(g.Members)})
	assert.Empty(t, g.Zone, "the shards are in different zones")
	assert.Equal(t, "amd64", g.Arch)
}

// What one shard gives and the others don't holds for the group, for every annotation there is.
func TestMergeTakesWhatOneShardGives(t *testing.T) {
	var tags []string
	for _, doc := range nodegroups.Annotations() {
		if doc.Key != nodegroups.KeyName {
			tags = append(tags, string(doc.Key)+"="+doc.Example)
		}
	}
	full, problems := nodegroups.ParseConfig("workers", tags, "")
	require.Empty(t, problems)
	bare, problems := nodegroups.ParseConfig("b", []string{"node-group=workers"}, "")
	require.Empty(t, problems)
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		snapshot := merge(
			fake.Stack(order[0], 1, func(s *nodegroups.Stack) { s.Config = full }),
			fake.Stack(order[1], 1, func(s *nodegroups.Stack) { s.Config = bare }),
		)
		assert.Empty(t, snapshot.Problems())
		got := snapshot.Group("workers").Config
		want := full
		want.Parameters = snapshot.Group("workers").Stacks[0].Config.Parameters
		want.TokenSource = "" // of each stack, as the names of its parameters
		assert.Empty(t, cmp.Diff(want, got))
	}
}

// Every annotation but those of the single stack must agree.
func TestMergeReportsConflicts(t *testing.T) {
	other := map[nodegroups.Key]string{
		nodegroups.KeyMinSize: "2", nodegroups.KeyMaxSize: "11", nodegroups.KeyCPU: "4", nodegroups.KeyMemory: "8Gi",
		nodegroups.KeyEphemeralDisk: "1Gi", nodegroups.KeyMaxPods: "20", nodegroups.KeyGPUType: "amd.com/gpu",
		nodegroups.KeyGPUCount: "1", nodegroups.KeyLabels: "pool=slow", nodegroups.KeyTaints: "dedicated=gpu:NoExecute",
		nodegroups.KeyArch: "s390x", nodegroups.KeyKubeReserved: "cpu=200m", nodegroups.KeySystemReserved: "memory=1Gi",
		nodegroups.KeyEvictionHard: "memory.available<1Gi", nodegroups.KeyUtilizationThreshold: "0.2",
		nodegroups.KeyGPUUtilizationThreshold: "0.2", nodegroups.KeyUnneededTime: "1m", nodegroups.KeyUnreadyTime: "1m",
		nodegroups.KeyMaxNodeProvisionTime: "1m", nodegroups.KeyZeroOrMax: "false", nodegroups.KeyIgnoreDaemonSets: "false",
		nodegroups.KeyAutoRepair: "true", nodegroups.KeyGracefulShutdown: "2m",
		nodegroups.KeyLoadMetric: "none", nodegroups.KeyLoadTarget: "50;70", nodegroups.KeyLoadSteps: "80:+1", nodegroups.KeyLoadTolerance: "0.2",
		nodegroups.KeyLoadWindow: "1m", nodegroups.KeyLoadScaleUpWindow: "1m", nodegroups.KeyLoadScaleDownWindow: "1m",
		nodegroups.KeyLoadGranularity: "2m", nodegroups.KeyLoadPollingInterval: "1m", nodegroups.KeyLoadMaxAge: "1m", nodegroups.KeyLoadHold: "1m",
		nodegroups.KeyLoadServerGroup: "other", nodegroups.KeySchedule: "0 8 * * 1-5/10h@Europe/Berlin=5", nodegroups.KeyHeadroom: "2",
		nodegroups.KeyForecast: "true", nodegroups.KeyForecastQuantile: "0.8", nodegroups.KeyForecastBootTime: "1m",
	}
	for _, doc := range nodegroups.Annotations() {
		value, shared := other[doc.Key]
		if !shared {
			continue
		}
		t.Run(string(doc.Key), func(t *testing.T) {
			stack := func(name, value string) *nodegroups.Stack {
				return fake.Stack(name, 1, func(s *nodegroups.Stack) {
					tags := []string{string(doc.Key) + "=" + value}
					if doc.Key != nodegroups.KeyMaxSize {
						tags = append(tags, "node-group-max-size=12")
					}
					s.Config, _ = nodegroups.ParseConfig("workers", tags, "")
				})
			}
			snapshot := merge(stack("a", doc.Example), stack("b", value))
			g := snapshot.Group("workers")
			require.NotNil(t, g, "a blocked group stays visible")
			require.NotNil(t, g.Blocked)
			require.Equal(t, []string{nodegroups.ReasonConflictingStacks}, reasons(snapshot.Problems()))
			p := snapshot.Problems()[0]
			assert.Equal(t, p, *g.Blocked)
			assert.Equal(t, []string{"workers", "b", string(doc.Key)}, []string{p.Group, p.Stack, p.Key})
			assert.Contains(t, p.Message, `stack "a" has "`)
			assert.Equal(t, 2, g.Target)
		})
	}
	assert.Len(t, other, len(nodegroups.Annotations())-8, "name, parameter names and the source of tokens may differ, all others are tried here")
}

func TestMergeChecksLimits(t *testing.T) {
	noMax := func(s *nodegroups.Stack) { s.Config = nodegroups.Config{Name: s.Name} }
	tests := map[string]struct {
		change func(*nodegroups.Stack)
		want   string
	}{
		"no maximum":        {noMax, nodegroups.ReasonMissingLimit},
		"minimum above":     {fake.InGroup("a", 3, 2), nodegroups.ReasonMinAboveMax},
		"negative minimum":  {fake.InGroup("a", -1, 2), nodegroups.ReasonBadAnnotation},
		"maximum 0 is fine": {fake.InGroup("a", 0, 0), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot := merge(fake.Stack("a", 1, test.change))
			g := snapshot.Group("a")
			require.NotNil(t, g)
			if test.want == "" {
				assert.Nil(t, g.Blocked)
				return
			}
			require.NotNil(t, g.Blocked)
			assert.Equal(t, test.want, g.Blocked.Reason)
			assert.Equal(t, []string{"a", "a"}, []string{g.Blocked.Group, g.Blocked.Stack})
			assert.Equal(t, []string{test.want}, reasons(snapshot.Problems()))
		})
	}
}

// The minimum of one shard and the maximum of another can contradict each other.
func TestMergeChecksLimitsOfAllShardsTogether(t *testing.T) {
	half := func(minSize, maxSize int) func(*nodegroups.Stack) {
		return func(s *nodegroups.Stack) {
			s.Config = nodegroups.Config{Name: "workers", MinSize: minSize, MaxSize: maxSize}
		}
	}
	snapshot := merge(fake.Stack("a", 1, half(5, 0)), fake.Stack("b", 1, half(0, 3)))
	assert.Equal(t, []string{nodegroups.ReasonMinAboveMax}, reasons(snapshot.Problems()))
	snapshot = merge(fake.Stack("a", 1, half(2, 0)), fake.Stack("b", 1, half(0, 3)))
	assert.Empty(t, snapshot.Problems())
	assert.Equal(t, []int{2, 3}, []int{snapshot.Group("workers").MinSize, snapshot.Group("workers").MaxSize})
}

// A misspelt maximum is one mistake and one report, not a missing maximum as well.
func TestMergeReportsTheCauseOfAMissingLimit(t *testing.T) {
	broken := fake.Stack("a", 1, func(s *nodegroups.Stack) {
		var problems []nodegroups.Problem
		s.Config, problems = nodegroups.ParseConfig("a", []string{"node-group=workers", "node-group-max-sise=3"}, "")
		s.Blocked = &problems[0]
	})
	bare := fake.Stack("b", 1, func(s *nodegroups.Stack) { s.Config = nodegroups.Config{Name: "workers"} })
	snapshot := merge(broken, bare)
	assert.Equal(t, []string{nodegroups.ReasonMisspeltTag}, reasons(snapshot.Problems()))
	assert.Equal(t, broken.Blocked, snapshot.Group("workers").Blocked)
}

func TestMergeBlockedShards(t *testing.T) {
	in := fake.InGroup("workers", 0, 9)
	a := fake.Stack("a", 1, in, fake.BlockedBy(nodegroups.ReasonUnsafeTemplate))
	snapshot := merge(a, fake.Stack("b", 2, in))
	g := snapshot.Group("workers")
	assert.Nil(t, g.Blocked, "one blocked shard does not block the group")
	assert.Equal(t, 3, g.Target)
	assert.Equal(t, []string{nodegroups.ReasonUnsafeTemplate}, reasons(snapshot.Problems()))

	snapshot = merge(a, fake.Stack("b", 2, in, fake.BlockedBy(nodegroups.ReasonStackState)))
	assert.Equal(t, a.Blocked, snapshot.Group("workers").Blocked)
	assert.Equal(t, 3, snapshot.Group("workers").Target)
}

func TestMergeRefusesOneNameInSeveralProjects(t *testing.T) {
	in := fake.InGroup("workers", 0, 9)
	for name, change := range map[string]func(*nodegroups.Stack){
		"project": func(s *nodegroups.Stack) { s.Project = "other" },
		"region":  func(s *nodegroups.Stack) { s.Region = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := merge(fake.Stack("a", 1, in), fake.Stack("b", 1, in, change), fake.Stack("c", 1))
			assert.Nil(t, snapshot.Group("workers"), "nobody is served")
			assert.NotNil(t, snapshot.Group("c"))
			require.Equal(t, []string{nodegroups.ReasonDuplicateGroup}, reasons(snapshot.Problems()))
			p := snapshot.Problems()[0]
			assert.Equal(t, []string{"workers", "b", "node-group", "workers"}, []string{p.Group, p.Stack, p.Key, p.Value})
			assert.Contains(t, p.Message, "other")
		})
	}
}

func TestMergeKeepsTheLastGoodSize(t *testing.T) {
	in := fake.InGroup("workers", 0, 9)
	a, b := fake.Stack("a", 1, in), fake.Stack("b", 2, in)
	unknown := fake.Stack("b", 0, in, fake.OfUnknownSize)

	first := merge(a, unknown)
	assert.Nil(t, first.Group("workers"), "a size that was never known is no size")
	assert.Equal(t, []string{nodegroups.ReasonStackUnreadable}, reasons(first.Problems()))

	known := mergeAfter(first, a, b)
	assert.Nil(t, known.Group("workers").Blocked)

	grown := fake.Stack("a", 4, in)
	again := mergeAfter(known, grown, unknown)
	g := again.Group("workers")
	require.NotNil(t, g)
	assert.Equal(t, 4+2, g.Target, "the new size of one, the last good size of the other")
	require.NotNil(t, g.Blocked)
	assert.Equal(t, nodegroups.ReasonStackUnreadable, g.Blocked.Reason)

	assert.Equal(t, 6, mergeAfter(again, grown, unknown).Group("workers").Target, "it is kept for as long as it takes")
	newcomer := mergeAfter(known, a, b, fake.Stack("c", 0, in, fake.OfUnknownSize)).Group("workers")
	assert.Equal(t, 3, newcomer.Target)
	assert.NotNil(t, newcomer.Blocked)

	healed := mergeAfter(again, grown, b).Group("workers")
	assert.Nil(t, healed.Blocked, "it must not stay blocked when the same stack is readable again")
	assert.Equal(t, 6, healed.Target)
}

func TestMergeUnknownSizeOfABlockedStack(t *testing.T) {
	s := fake.Stack("a", 0, fake.OfUnknownSize, fake.BlockedBy(nodegroups.ReasonMissingParameter))
	snapshot := merge(s)
	assert.Nil(t, snapshot.Group("a"))
	assert.Equal(t, []string{nodegroups.ReasonMissingParameter}, reasons(snapshot.Problems()), "the cause, once")
}

func TestMergeReusesGroupsThatHaveNotChanged(t *testing.T) {
	a, b := fake.Stack("a", 1), fake.Stack("b", 1, func(s *nodegroups.Stack) { s.Config = nodegroups.Config{Name: "b"} })
	before := merge(a, b)
	after := mergeAfter(before, a, b)
	assert.Same(t, before.Group("a"), after.Group("a"))
	assert.Equal(t, []string{nodegroups.ReasonMissingLimit}, reasons(after.Problems()), "its problems are still there")
	assert.NotSame(t, before.Group("a"), mergeAfter(before, fake.Stack("a", 1), b).Group("a"))
}

func TestMergeTakesTheSmallestFlavor(t *testing.T) {
	in := fake.InGroup("workers", 0, 9)
	with := func(f *nodegroups.Flavor, volume int) func(*nodegroups.Stack) {
		return func(s *nodegroups.Stack) { s.Flavor, s.BootVolumeGiB = f, volume }
	}
	large, small := fake.Flavor("large", 8, 16384, 80), fake.Flavor("small", 2, 4096, 20)
	snapshot := merge(fake.Stack("a", 1, in, with(nil, 0)), fake.Stack("b", 1, in, with(large, 0)), fake.Stack("c", 1, in, with(small, 30)))
	g := snapshot.Group("workers")
	assert.Equal(t, small, g.Flavor)
	assert.Equal(t, 30, g.BootVolumeGiB)
	assert.Nil(t, g.Blocked, "it is only a warning")
	require.Equal(t, []string{nodegroups.ReasonConflictingStacks}, reasons(snapshot.Problems()))
	assert.Equal(t, nodegroups.Warning, snapshot.Problems()[0].Severity)
	assert.Equal(t, "large", snapshot.Problems()[0].Value)

	annotated := func(s *nodegroups.Stack) {
		s.Config.Capacity.CPU, s.Config.Capacity.Memory = quantity("1"), quantity("1Gi")
	}
	assert.Empty(t, merge(fake.Stack("a", 1, in, annotated, with(large, 0)), fake.Stack("b", 1, in, with(small, 0))).Problems(),
		"annotations say what a node has")
	assert.Empty(t, merge(fake.Stack("a", 1, in, with(small, 0)), fake.Stack("b", 1, in, with(fake.Flavor("same", 2, 4096, 20), 0))).Problems())
	assert.NotEmpty(t, merge(fake.Stack("a", 1, in, with(small, 0)), fake.Stack("b", 1, in, with(small, 30))).Problems())
}

func TestSnapshotProblemsAreSortedAndUnique(t *testing.T) {
	problems := []nodegroups.Problem{
		{}, {Severity: nodegroups.Warning}, {Value: "x"}, {Key: "x"}, {Reason: "x"}, {Node: "x"}, {Stack: "x"}, {Group: "a"}, {Group: "b"},
		{Message: "x"}, {Remedy: "x"},
	}
	backwards := slices.Clone(problems)
	slices.Reverse(backwards)
	got := nodegroups.NewSnapshot(nil, slices.Concat(problems, backwards)).Problems()
	assert.ElementsMatch(t, problems, got, "problems that differ in any field are different, and each is there once")
	assert.Equal(t, []string{"a", "b"}, []string{got[9].Group, got[10].Group})
	assert.Equal(t, got, nodegroups.NewSnapshot(nil, backwards).Problems())
}

// Whatever stacks there are: nobody is lost, nobody is found twice, sizes add up.
func TestMergeKeepsCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "stacks")
		stacks, want := make([]*nodegroups.Stack, 0, n), map[string]int{}
		members, served := 0, map[string]bool{}
		for i := range n {
			group := rapid.SampledFrom([]string{"g1", "g2", "g3"}).Draw(t, "group")
			size := rapid.IntRange(0, 5).Draw(t, "size")
			s := fake.Stack(fmt.Sprintf("s%d", i), size, fake.InGroup(group, 0, rapid.SampledFrom([]int{8, 8, 8, 9}).Draw(t, "max")))
			if rapid.Bool().Draw(t, "blocked") {
				fake.BlockedBy(nodegroups.ReasonStackState)(s)
			}
			stacks = append(stacks, s)
			want[group] += size
			members += size
			served[group] = true
		}
		snapshot := merge(stacks...)
		require.Len(t, snapshot.Groups(), len(served))
		found := 0
		for _, g := range snapshot.Groups() {
			require.Equal(t, want[g.Name], g.Target)
			require.Len(t, g.Members, g.Target)
			found += len(g.Members)
			for _, m := range g.Members {
				owner, member := snapshot.ByServer(m.ServerID)
				require.Same(t, g, owner)
				require.Same(t, m, member)
			}
		}
		require.Equal(t, members, found)
	})
}

func BenchmarkByNode(b *testing.B) {
	snapshot := merge(manyStacks(50, 100, "")...)
	n := node("n", "openstack:///"+fake.ServerID("stack-25", 50), "")
	for b.Loop() {
		if g, _ := snapshot.ByNode(n); g == nil {
			b.Fatal("not found")
		}
	}
}

func BenchmarkByServer(b *testing.B) {
	snapshot := merge(manyStacks(50, 100, "")...)
	id := fake.ServerID("stack-25", 50)
	for b.Loop() {
		if g, _ := snapshot.ByServer(id); g == nil {
			b.Fatal("not found")
		}
	}
}

// BenchmarkRebuild builds a snapshot of 5,000 members in 50 groups, all of which have changed.
func BenchmarkRebuild(b *testing.B) {
	versions := [2][]*nodegroups.Stack{manyStacks(50, 100, ""), manyStacks(50, 100, "")}
	snapshot := merge(versions[0]...)
	for i := 1; b.Loop(); i++ {
		snapshot = mergeAfter(snapshot, versions[i%2]...)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/rebuild")
}

func manyStacks(n, size int, prefix string) []*nodegroups.Stack {
	stacks := make([]*nodegroups.Stack, 0, n)
	for i := range n {
		stacks = append(stacks, fake.Stack(fmt.Sprintf("%sstack-%d", prefix, i), size, func(s *nodegroups.Stack) {
			s.Config.MaxSize, s.Read = 2*size, time.Time{}
		}))
	}
	return stacks
}
