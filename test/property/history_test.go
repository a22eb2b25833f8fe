package property

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

var (
	histories = flag.Int("histories", 2000, "how many random histories to play")
	seed      = flag.Uint64("seed", 1, "the seed of the first history")
)

// TestRandomHistories plays random histories and expects that no server dies that nobody named, that none is left over, and
// that every group ends with the size that was ordered.
func TestRandomHistories(t *testing.T) { playAll(t, *histories, false) }

// TestHistoriesWithLateWorkers plays a few of them in clouds that may carry out twice what has overtaken something, see simulator.Timing.Retry.
func TestHistoriesWithLateWorkers(t *testing.T) { playAll(t, *histories/8, true) }

func playAll(t *testing.T, histories int, late bool) {
	t.Helper()
	silence(t)
	var next atomic.Uint64
	var wait sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) { // a history waits now and then
		wait.Add(1)
		go func() {
			defer wait.Done()
			for !t.Failed() {
				n := next.Add(1) - 1
				if n >= uint64(histories) { //nolint:gosec // not negative
					return
				}
				t.Run(fmt.Sprintf("seed=%d", *seed+n), func(t *testing.T) { play(t, *seed+n, late) })
			}
		}()
	}
	wait.Wait()
}

// silence drops the logs: there are thousands of errors on purpose.
func silence(t *testing.T) {
	t.Helper()
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "stderrthreshold": "FATAL"} {
		if err := flags.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	klog.SetOutput(io.Discard)
}

// play plays one history.
func play(t *testing.T, seed uint64, late bool) {
	w := newWorld(t, seed, late)
	defer func() { w.cloud.Close() }()
	w.refresh()
	for range 4 + w.rng.IntN(12) {
		w.act()
		w.judge()
		if w.rng.IntN(2) == 0 {
			w.pass(time.Duration(w.rng.IntN(15)) * time.Second)
		}
		if w.rng.IntN(3) > 0 {
			w.refresh()
		}
		w.judge()
	}
	w.converge()
	w.lastOrders()
}

// act lets one thing happen.
func (w *world) act() {
	switch n := w.rng.IntN(20); {
	case n < 4:
		w.orders(true, false)
	case n < 7:
		w.orders(false, true)
	case n < 9:
		w.orders(true, true)
	case n < 11:
		w.cleanUp()
	case n < 14:
		w.human()
	case n < 15:
		w.outOfBand()
	case n < 17:
		w.weather()
	case n < 18:
		w.note("restart")
		w.restart()
		w.refresh()
	case n < 19:
		if w.rng.IntN(2) == 0 {
			w.hurry()
		} else {
			w.race()
		}
	default:
		w.pass(time.Duration(w.rng.IntN(60)) * time.Second)
	}
}

// orders gives orders to one stack, or to all of them at once, some of them at the same time.
func (w *world) orders(grow, remove bool) {
	var calls []func(context.Context) (string, error)
	for _, s := range w.stacks() {
		if w.rng.IntN(3) == 0 {
			continue
		}
		if by := 1 + w.rng.IntN(3); grow && s.Target+by <= 12 {
			w.note("grow %s by %d", s.Name, by)
			calls = append(calls, func(ctx context.Context) (string, error) {
				return fmt.Sprintf("grow %s by %d", s.Name, by), w.cloud.Grow(ctx, s.ID, by)
			})
		}
		if !remove {
			continue
		}
		for _, victims := range w.victims(s) {
			w.note("remove %s", describe(victims))
			calls = append(calls, func(ctx context.Context) (string, error) {
				return "remove " + describe(victims), w.cloud.Remove(ctx, s.ID, victims)
			})
		}
	}
	w.call(calls)
}

// call makes calls at the same time. Some are given little time, like those of a caller that loses its patience.
func (w *world) call(calls []func(context.Context) (string, error)) {
	results := make([]string, len(calls))
	impatient := w.rng.IntN(6) == 0
	w.during(func(ctx context.Context) {
		var wait sync.WaitGroup
		for n, call := range calls {
			wait.Add(1)
			go func() {
				defer wait.Done()
				ctx := ctx
				if impatient {
					limited, cancel := context.WithCancel(ctx)
					defer cancel()
					timer := w.clock.NewTimer(3 * time.Second)
					defer timer.Stop()
					go func() {
						select {
						case <-timer.C():
							cancel()
						case <-limited.Done():
						}
					}()
					ctx = limited
				}
				what, err := call(ctx)
				results[n] = fmt.Sprintf("%s: %v", what, err)
			}()
		}
		wait.Wait()
	})
	for _, r := range results {
		w.note("  %s", r)
	}
}

// victims chooses members to remove and allows their servers to die, in one order or in one for each.
func (w *world) victims(s *nodegroups.Stack) [][]nodegroups.Member {
	var chosen []nodegroups.Member
	for _, m := range s.Members {
		if m.ServerID != "" && w.rng.IntN(4) == 0 {
			chosen = append(chosen, m)
			if m.State == nodegroups.Running {
				w.allow(m.ServerID)
			} else {
				w.giveUp(m)
			}
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	if w.rng.IntN(2) == 0 {
		return [][]nodegroups.Member{chosen}
	}
	var out [][]nodegroups.Member
	for _, m := range chosen {
		out = append(out, []nodegroups.Member{m})
	}
	return out
}

func describe(members []nodegroups.Member) string {
	var out []string
	for _, m := range members {
		out = append(out, fmt.Sprintf("%s=%.8s", m.Index, m.ID()))
	}
	return strings.Join(out, " ")
}

// cleanUp takes failed members away, as cluster-autoscaler does: by name where they have one, else by shrinking.
func (w *world) cleanUp() {
	var calls []func(context.Context) (string, error)
	for _, s := range w.stacks() {
		var named []nodegroups.Member
		unmade := 0
		for _, m := range s.Members {
			switch {
			case m.State != nodegroups.Failed && m.State != nodegroups.Lost:
			case m.ServerID != "" || m.Index != "":
				named = append(named, m)
				w.giveUp(m)
			default:
				unmade++
			}
		}
		if len(named) > 0 {
			w.note("clean up %s", describe(named))
			calls = append(calls, func(ctx context.Context) (string, error) {
				return "clean up", w.cloud.Remove(ctx, s.ID, named)
			})
		}
		if unmade > 0 {
			w.note("shrink %s by %d", s.Name, unmade)
			w.giveUp(nodegroups.Member{StackID: s.ID, Index: "*"})
			calls = append(calls, func(ctx context.Context) (string, error) {
				return "shrink", w.cloud.Shrink(ctx, s.ID, unmade)
			})
		}
	}
	w.call(calls)
}

// pick is a random stack as the cloud itself knows it.
func (w *world) pick() simulator.Stack {
	all := w.sim.Stacks()
	return all[w.rng.IntN(len(all))]
}

// human lets somebody else change a stack.
func (w *world) human() {
	st := w.pick()
	isAtRest := strings.HasSuffix(st.Status, "_COMPLETE") && len(st.Members) == size(st) && len(st.Members) > 0
	switch n := w.rng.IntN(5); {
	case n == 0 && isAtRest: // removes one, properly
		m := st.Members[w.rng.IntN(len(st.Members))]
		w.allow(m.ServerID)
		list := append(names(st), m.Index)
		w.note("human removes %s of %s", m.Index, st.Name)
		w.humanPatch(st, map[string]any{"node_count": size(st) - 1, "nodes_to_remove": list})
	case n == 1 && isAtRest: // lowers the count, so that the highest goes
		highest := st.Members[0]
		for _, m := range st.Members {
			if number(m.Index) > number(highest.Index) {
				highest = m
			}
		}
		w.allow(highest.ServerID)
		w.note("human lowers %s to %d", st.Name, size(st)-1)
		w.humanPatch(st, map[string]any{"node_count": size(st) - 1})
	case n == 2:
		w.note("human updates %s", st.Name)
		w.humanPatch(st, map[string]any{"group": "workers"})
	case n == 3:
		w.note("human checks %s", st.Name)
		if err := w.sim.Act(st.ID, "check"); err != nil {
			w.note("  %v", err)
		}
	default:
		w.note("human raises %s to %d", st.Name, size(st)+1)
		w.humanPatch(st, map[string]any{"node_count": size(st) + 1})
	}
}

func (w *world) humanPatch(st simulator.Stack, parameters map[string]any) {
	if err := w.sim.PatchStack(st.ID, parameters); err != nil {
		w.note("  %v", err)
	}
}

func names(st simulator.Stack) []string {
	if st.Parameters["nodes_to_remove"] == "" {
		return nil
	}
	return strings.Split(st.Parameters["nodes_to_remove"], ",")
}

func number(index string) int {
	n, err := strconv.Atoi(index)
	if err != nil {
		panic(err)
	}
	return n
}

// outOfBand deletes a server behind Heat's back.
func (w *world) outOfBand() {
	all := w.sim.Servers()
	if len(all) == 0 {
		return
	}
	s := all[w.rng.IntN(len(all))]
	w.note("human deletes server %s=%.8s of %s", s.Index, s.ID, s.StackName)
	w.sim.DeleteServer(s.ID)
}

// weather changes what the cloud can do.
func (w *world) weather() {
	switch w.rng.IntN(6) {
	case 0:
		n := len(w.sim.Servers()) + w.rng.IntN(3)
		w.note("quota %d", n)
		w.sim.SetQuota(projectName, simulator.Quota{Instances: n, Cores: 1000000, RAMMiB: -1, Ports: -1})
	case 1:
		w.note("no valid host")
		w.sim.SetNoValidHost("m1.small", true)
	case 2:
		w.note("fair weather")
		w.fairWeather()
	case 3:
		w.note("tokens expire")
		w.sim.ExpireTokens()
	default:
		f := fault(w.rng)
		w.note("fault %+v", f)
		w.sim.Inject(f)
	}
}

// fault is a random thing that goes wrong with a few requests.
func fault(rng *rand.Rand) simulator.Fault {
	f := simulator.Fault{Service: simulator.Heat, Times: 1 + rng.IntN(4), Skip: rng.IntN(3)}
	switch rng.IntN(4) {
	case 0:
		f.Service = simulator.Nova
	case 1:
		f.Method = http.MethodPatch
	}
	switch rng.IntN(6) {
	case 0:
		f.Drop = true
	case 1:
		f.Drop, f.Done = true, true
	case 2:
		f.Status, f.Body, f.Done = http.StatusGatewayTimeout, "<html>504</html>", true
	case 3:
		f.Status, f.Body = http.StatusTooManyRequests, "slow down"
	case 4:
		f.Status, f.Body = http.StatusServiceUnavailable, "<html>503</html>"
	default:
		f.Truncate = 20
	}
	return f
}

func (w *world) fairWeather() {
	w.sim.ClearFaults()
	w.sim.SetQuota(projectName, simulator.DefaultQuota())
	w.sim.SetNoValidHost("m1.small", false)
}

// race lets Heat lose one of our next updates.
func (w *world) race() {
	st := w.pick()
	switch w.rng.IntN(3) {
	case 0:
		w.note("Heat will carry out an update of %s twice", st.Name)
		w.sim.CarryOutTwice(st.ID, 1)
		return
	case 1:
		w.note("Heat will lose an update of %s", st.Name)
		w.sim.LoseUpdates(st.ID, 1)
		return
	}
	w.note("a human will update %s at the same moment", st.Name)
	w.sim.DuringNextPatch(st.ID, func() {
		if now, ok := w.sim.Stack(st.ID); ok {
			_ = w.sim.PatchStack(st.ID, map[string]any{"node_count": size(now) + 1}) // 409 of a busy classic engine is no harm
		}
	})
}
