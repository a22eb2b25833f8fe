package property

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

//go:embed testdata/flat.yaml
var flatTemplate string

//go:embed testdata/nested.yaml
var nestedTemplate string

//go:embed testdata/member.yaml
var memberTemplate string

// world is one history: a cloud, an autoscaler that uses it, and what is allowed to happen.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	sim   *simulator.Simulator
	clock *clocktesting.FakeClock
	cloud *heatstack.Cloud
	user  *clients
	log   []string
	late  bool // Heat's workers may come late

	mu         sync.Mutex
	mayDie     map[string]bool      // servers that somebody has named or given up
	givenUp    map[string]bool      // stack and index of members that were named because they had failed; stack and * if it was shrunk
	served     map[string]bool      // servers that the autoscaler has taken for ones that stay
	leaving    map[string]time.Time // servers that it has taken for ones that go, and since when
	helped     map[string]bool      // strays whose end a human has ordered
	wrong      int
	lastReport []string
}

// projectName is the project of everything in a world.
const projectName = "prod"

func newWorld(t *testing.T, seed uint64, late bool) *world {
	w := &world{
		t: t, late: late, rng: rand.New(rand.NewPCG(seed, 7)), //nolint:gosec // repeatable on purpose
		clock:  clocktesting.NewFakeClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
		mayDie: map[string]bool{}, givenUp: map[string]bool{}, served: map[string]bool{}, helped: map[string]bool{}, leaving: map[string]time.Time{},
	}
	timing := simulator.DefaultTiming()
	timing.Group = time.Duration(w.rng.IntN(3)) * 500 * time.Millisecond
	if late { // as a real cloud
		timing.Retry = 2 * time.Second
		timing.Nested = time.Duration(1+w.rng.IntN(5)) * 200 * time.Millisecond
		timing.Visit = time.Duration(1+w.rng.IntN(5)) * 200 * time.Millisecond
	}
	w.sim = simulator.New(simulator.Options{Clock: w.clock, Seed: seed, Classic: w.rng.IntN(4) == 0, Timing: &timing})
	t.Cleanup(w.sim.Close)
	project := w.sim.AddProject(projectName, simulator.DefaultQuota())
	w.sim.AddUser("autoscaler", "secret", false, projectName)
	var err error
	w.user, err = signIn(t.Context(), w.sim, "autoscaler", "secret", project.ID)
	require.NoError(t, err)
	for n := range 1 + w.rng.IntN(2) {
		w.addStack(n)
	}
	w.settle()
	w.restart()
	return w
}

func (w *world) addStack(n int) {
	spec := simulator.StackSpec{
		Name: fmt.Sprintf("workers-%d", n), Template: flatTemplate,
		Parameters: map[string]any{"node_count": w.rng.IntN(6)},
		Tags:       []string{"autoscaled", "node-group-min-size=0", "node-group-max-size=30"},
	}
	if w.rng.IntN(3) == 0 {
		spec.Template, spec.Files = nestedTemplate, map[string]string{"member.yaml": memberTemplate}
	} else if w.rng.IntN(3) == 0 {
		spec.Parameters["mode"] = "update"
	}
	_, err := w.sim.CreateStack(projectName, spec)
	require.NoError(w.t, err)
}

// restart begins with a new autoscaler that remembers nothing.
func (w *world) restart() {
	if w.cloud != nil {
		w.cloud.Close()
	}
	w.cloud = heatstack.New(heatstack.NewHeat(w.user), heatstack.NewNova(w.user), heatstack.Options{
		Discovery: []heatstack.Discovery{{Tags: []string{"autoscaled"}}},
		Clock:     w.clock,
		Jitter:    func() float64 { return 0.5 },
		Removed: func(_ string, _, wrong int) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.wrong += wrong
		},
		Reporter: nodegroups.ReporterFunc(func(p nodegroups.Problem) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if n := len(w.lastReport); n == 0 || w.lastReport[n-1] != p.Error() {
				w.lastReport = append(w.lastReport, p.Error())
			}
		}),
	})
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, w.clock.Now().Format("04:05.0 ")+fmt.Sprintf(format, args...))
}

// during runs f while time goes on, at the pace at which f waits for it.
func (w *world) during(f func(ctx context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	for n := 1; ; n++ {
		select {
		case <-done:
			if ctx.Err() != nil {
				w.fail("an order did not end")
			}
			return
		case <-time.After(20 * time.Microsecond):
			if w.clock.HasWaiters() {
				w.clock.Step(time.Duration(min(1+n/50, 10)) * 200 * time.Millisecond) // whoever waits for long does not mind
			}
		}
	}
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	for range d / (500 * time.Millisecond) {
		w.clock.Step(500 * time.Millisecond)
	}
}

// settle lets time go by until the cloud is at rest.
func (w *world) settle() {
	for n := 0; !w.sim.Settled(); n++ {
		if n > 4000 {
			w.fail("the cloud does not come to rest")
		}
		w.clock.Step(500 * time.Millisecond)
	}
}

func (w *world) refresh() {
	w.during(func(ctx context.Context) {
		if err := w.cloud.Refresh(ctx); err != nil {
			w.note("refresh: %v", err)
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.stacks() {
		for _, m := range s.Members {
			_, isLeaving := w.leaving[m.ServerID]
			switch {
			case m.State == nodegroups.Running:
				w.served[m.ServerID] = true
			case m.State == nodegroups.Deleting && !isLeaving:
				w.leaving[m.ServerID] = w.clock.Now()
			}
		}
	}
}

func (w *world) stacks() []*nodegroups.Stack {
	list, _ := w.cloud.List()
	return list
}

// fail ends the test with the whole story.
func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, line := range w.log {
		fmt.Fprintln(&b, line)
	}
	for _, u := range w.sim.Updates() {
		fmt.Fprintf(&b, "%s update of %s by %s: %v -> %d lost=%v\n", u.At.Format("04:05.0"), u.StackName, u.By, u.Parameters, u.Status, u.Lost)
	}
	for _, birth := range w.sim.Births() {
		fmt.Fprintf(&b, "%s birth of %.8s, %s of %s\n", birth.At.Format("04:05.0"), birth.ServerID, birth.Index, birth.StackName)
	}
	for _, d := range w.sim.Deaths() {
		fmt.Fprintf(&b, "%s death of %.8s, %s of %s: %s by %s, had run: %t, excluded %s\n", d.At.Format("04:05.0"), d.ServerID, d.Index, d.StackName,
			d.Cause, d.By, d.WasRunning, d.Excluded.Format("04:05.0"))
	}
	for _, st := range w.sim.Stacks() {
		fmt.Fprintf(&b, "%s %s %s count=%s list=%s\n", st.Name, st.Status, st.Reason, st.Parameters["node_count"], st.Parameters["nodes_to_remove"])
		for _, m := range st.Members {
			fmt.Fprintln(&b, "   ", m.Index, m.Status, m.ServerID, m.Reason)
		}
	}
	for _, s := range w.stacks() {
		fmt.Fprintf(&b, "seen: %s %s target=%d blocked=%v\n", s.Name, s.Status, s.Target, s.Blocked)
		for _, m := range s.Members {
			fmt.Fprintln(&b, "   ", m.Index, m.State, m.ID(), m.Failure)
		}
	}
	fmt.Fprintln(&b, "reported:", strings.Join(w.lastReport, "\n  "))
	w.t.Fatalf(format+"\n%s", append(args, b.String())...)
}

// judge looks at who has died.
func (w *world) judge() {
	w.t.Helper()
	deaths := w.sim.Deaths()
	w.mu.Lock()
	var guilty *simulator.Death
	for n, d := range deaths {
		if d.WasRunning && d.By != "human" && !w.mayDie[d.ServerID] && !w.wasStillborn(d) && !w.wasTakenLate(d) {
			guilty = &deaths[n]
			break
		}
	}
	wrong := w.wrong
	w.mu.Unlock()
	if guilty != nil {
		w.fail("server %s (%s, index %s) died at %s of %q by %s and nobody had named it", guilty.ServerID, guilty.StackName,
			guilty.Index, guilty.At.Format("04:05.0"), guilty.Cause, guilty.By)
	}
	if wrong > 0 {
		w.fail("a false alarm about a wrong removal")
	}
}

// youth is the age up to which a server cannot have become a node.
const youth = 15 * time.Second

// wasStillborn tells a server of a failed member whose removal, or whose order's withdrawal, was asked for: between our look at the member
// and Heat's carrying out of the order its server may change, or come to be. What Heat makes later, for a member that it should not make
// again, is none of these, unless it goes at once, or has been shown as one that goes before it went, and never as one that stays: the
// autoscaler does not approve its certificate. It needs the lock.
func (w *world) wasStillborn(d simulator.Death) bool {
	server, ok := w.sim.Server(d.ServerID)
	isGivenUp := w.givenUp[d.Stack+"/"+d.Index] || w.givenUp[d.Stack+"/*"]
	since, isLeaving := w.leaving[d.ServerID]
	wasLeaving := isLeaving && !since.After(d.At) && !w.served[d.ServerID]
	return ok && isGivenUp && (d.At.Sub(server.Created) < youth || server.Created.Before(d.Excluded) || wasLeaving)
}

// wasTakenLate tells a server that a late worker of Heat's has taken away, for an update before the one that had ordered it. It came late by
// less than it takes a server to become a node; the member is ordered again. It needs the lock.
func (w *world) wasTakenLate(d simulator.Death) bool {
	server, ok := w.sim.Server(d.ServerID)
	return w.late && ok && d.Cause == simulator.CountLowered && d.At.Sub(server.Created) < youth
}

// giveUp allows a failed member to be removed, with whatever server Heat makes for it at that moment.
func (w *world) giveUp(m nodegroups.Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mayDie[m.ServerID] = true
	w.givenUp[m.StackID+"/"+m.Index] = true
}

func (w *world) allow(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.mayDie[id] = true
	}
}

// size is a stack's size parameter.
func size(st simulator.Stack) int {
	n, err := strconv.Atoi(st.Parameters["node_count"])
	if err != nil {
		panic(err)
	}
	return n
}
