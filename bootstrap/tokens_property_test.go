package bootstrap

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	groups "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// lastBreath is how long after the last scale-up a token of ours may still be valid.
const lastBreath = DefaultProvisionTime + DefaultSharing + 2*time.Second

// machine is a member of a node group in the world of the property test. It may try to join until deadline, which begins
// with the scale-up that ordered it.
type machine struct {
	nodegroups.Member
	token    string
	deadline time.Time
	joined   bool
}

// update is a change of a stack between the making of its token and its arrival at Heat.
type update struct {
	group, token string
	by           int
	minted       time.Time
	sender       int // the instance that sends it; it dies with it
}

// instance is one autoscaler, with a clock of its own and with what it last read.
type instance struct {
	clock  *clocktesting.FakeClock
	tokens *Tokens
	sight  Sight
}

// world is an API server, a cloud and two autoscalers, of which both may think for a moment that they lead.
type world struct {
	api       *apiServer
	instances [2]*instance
	groups    map[string][]*machine
	updates   []update
	servers   int
	// lastScaleUp is when a token was last asked for.
	lastScaleUp time.Time
	handedOut   map[string]bool
}

func newWorld() *world {
	w := &world{api: newAPIServer(), groups: map[string][]*machine{"a": nil, "b": nil}, handedOut: map[string]bool{}}
	w.lastScaleUp = w.now()
	for i := range w.instances {
		w.instances[i] = &instance{clock: clocktesting.NewFakeClock(w.now())}
		w.restart(i)
	}
	return w
}

func (w *world) now() time.Time { return w.api.clock.Now() }

// restart makes an instance anew. What it was sending is lost.
func (w *world) restart(i int) {
	in := w.instances[i]
	in.tokens = NewTokens(w.api, TokensOptions{Clock: in.clock})
	in.sight = Sight{Snapshot: nodegroups.NewSnapshot(nil, nil)}
	var left []update
	for _, u := range w.updates {
		if u.sender != i {
			left = append(left, u)
		}
	}
	w.updates = left
}

// refresh lets an instance read the cloud.
func (w *world) refresh(i int) {
	var stacks []*nodegroups.Stack
	for _, name := range []string{"a", "b"} {
		machines, ok := w.groups[name]
		if !ok {
			continue
		}
		s := groups.Stack(name, 0)
		for _, m := range machines {
			s.Members = append(s.Members, m.Member)
		}
		s.Target = len(s.Members)
		stacks = append(stacks, s)
	}
	merged, problems := nodegroups.Merge(stacks, nil)
	in := w.instances[i]
	in.sight = Sight{Snapshot: nodegroups.NewSnapshot(merged, problems), Read: in.clock.Now()}
}

// scaleUp asks for a token, as a writer does before its update.
func (w *world) scaleUp(t *rapid.T, i int, group string, by int) {
	if _, ok := w.groups[group]; !ok {
		w.groups[group] = nil
	}
	token, err := w.instances[i].tokens.Token(t.Context(), group, DefaultProvisionTime)
	require.NoError(t, err)
	w.lastScaleUp = w.now()
	w.handedOut[token] = true
	require.True(t, w.api.accepts(t, token))
	require.GreaterOrEqual(t, w.api.expires(t, token).Sub(w.now()), DefaultProvisionTime-time.Second, "it dies before its machines")
	w.updates = append(w.updates, update{group, token, by, w.now(), i})
}

// deliver lets Heat take the first update that is on its way. It makes machines without a server yet.
func (w *world) deliver() {
	if len(w.updates) == 0 {
		return
	}
	u := w.updates[0]
	w.updates = w.updates[1:]
	if _, ok := w.groups[u.group]; !ok {
		return // the stack was deleted
	}
	for range u.by {
		w.servers++
		m := &machine{token: u.token, deadline: u.minted.Add(DefaultProvisionTime)}
		m.State, m.Placeholder = nodegroups.Creating, fmt.Sprint("placeholder-", w.servers)
		w.groups[u.group] = append(w.groups[u.group], m)
	}
}

// live goes on with a machine's life: it gets a server, starts, joins, dies.
func (w *world) live(t *rapid.T, group string) {
	machines := w.groups[group]
	if len(machines) == 0 {
		return
	}
	n := rapid.IntRange(0, len(machines)-1).Draw(t, "machine")
	m := machines[n]
	switch {
	case m.ServerID == "":
		w.servers++
		m.ServerID, m.Placeholder = groups.UUID(fmt.Sprint(w.servers)), ""
		// Nova's clock differs a little.
		m.Created = w.now().Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "novaClock")) * time.Second)
	case m.State == nodegroups.Creating && rapid.IntRange(0, 3).Draw(t, "luck") == 0:
		m.State, m.Failure = nodegroups.Failed, &nodegroups.Failure{}
	case m.State == nodegroups.Creating:
		m.State = nodegroups.Running
	case m.State == nodegroups.Running && !m.joined && w.now().Before(m.deadline):
		require.True(t, w.api.accepts(t, m.token), "a machine within its time can't join")
		m.joined = true
	default:
		w.groups[group] = append(machines[:n:n], machines[n+1:]...)
	}
}

// nodes are those that have joined.
func (w *world) nodes() nodeList {
	var nodes nodeList
	for _, machines := range w.groups {
		for _, m := range machines {
			if m.joined {
				nodes = append(nodes, m.ServerID)
			}
		}
	}
	return nodes
}

// pass lets time pass, but not so much that an update is longer on its way than it can be.
func (w *world) pass(d time.Duration) {
	for _, u := range w.updates {
		d = min(d, max(u.minted.Add(DefaultSettle).Sub(w.now()), 0))
	}
	w.api.clock.SetTime(w.now().Add(d))
	for _, in := range w.instances {
		in.clock.Step(d)
	}
	for len(w.updates) > 0 && !w.now().Before(w.updates[0].minted.Add(DefaultSettle)) {
		w.deliver()
	}
}

// shift sets an instance's clock. The time since its last reading is measured by a clock that nobody sets, as Go does it.
func (w *world) shift(i int, d time.Duration) {
	in := w.instances[i]
	in.clock.SetTime(in.clock.Now().Add(d))
	if !in.sight.Read.IsZero() {
		in.sight.Read = in.sight.Read.Add(d)
	}
}

func (w *world) revoke(t *rapid.T, i int) {
	require.NoError(t, w.instances[i].tokens.Revoke(t.Context(), w.instances[i].sight, w.nodes()))
}

// Whatever happens between minting, handing to Heat and revoking, and whoever it happens to: no token outlives its bound,
// no machine within its time is left without one, and in the end all are gone.
func TestTokensAtEveryCrashPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		who := func(t *rapid.T) int { return rapid.IntRange(0, 1).Draw(t, "instance") }
		group := func(t *rapid.T) string { return rapid.SampledFrom([]string{"a", "b"}).Draw(t, "group") }
		seconds := rapid.IntRange(1, 240)
		t.Repeat(map[string]func(*rapid.T){
			"scale up":          func(t *rapid.T) { w.scaleUp(t, who(t), group(t), rapid.IntRange(1, 2).Draw(t, "by")) },
			"an update arrives": func(*rapid.T) { w.deliver() },
			"a crash":           func(t *rapid.T) { w.restart(who(t)) },
			"a machine lives":   func(t *rapid.T) { w.live(t, group(t)) },
			"another one lives": func(t *rapid.T) { w.live(t, group(t)) },
			"refresh":           func(t *rapid.T) { w.refresh(who(t)) },
			"revoke":            func(t *rapid.T) { w.revoke(t, who(t)) },
			"refresh, revoke": func(t *rapid.T) {
				i := who(t)
				w.refresh(i)
				w.revoke(t, i)
			},
			"time passes":    func(t *rapid.T) { w.pass(time.Duration(seconds.Draw(t, "seconds")) * time.Second) },
			"a clock is set": func(t *rapid.T) { w.shift(who(t), time.Duration(rapid.IntRange(-900, 900).Draw(t, "by"))*time.Second) },
			"a group goes":   func(t *rapid.T) { delete(w.groups, group(t)) },
			"": func(t *rapid.T) {
				for token := range w.handedOut {
					if w.now().After(w.lastScaleUp.Add(lastBreath)) {
						require.False(t, w.api.accepts(t, token), "a token has outlived the last scale-up")
					}
				}
			},
		})
		survivor := who(t)
		w.restart(survivor)
		for len(w.updates) > 0 { // time passes no further than an update may be on its way
			w.deliver()
		}
		w.pass(lastBreath)
		w.refresh(survivor)
		w.revoke(t, survivor)
		require.Empty(t, w.api.secrets(t))
	})
}
