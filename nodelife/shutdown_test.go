package nodelife

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

var member = nodegroups.Member{ServerID: fake.ServerID("a", 0), Name: "a-0", State: nodegroups.Running}

// shutdown is a rig whose nodes have been seen, with a Shutdown.
func shutdown(t *testing.T, onStop func(*machine) error) (*rig, *Shutdown) {
	t.Helper()
	r := newRig(t, nil, fake.Stack("a", 2))
	r.look()
	r.nova.onStop = onStop
	return r, NewShutdown(r.nova, r.cluster, r.reports, r.clock)
}

// stop runs Stop, letting time pass second by second, and returns how long it took.
func (r *rig) stop(ctx context.Context, d *Shutdown, atMost time.Duration, each func(second int)) time.Duration {
	start := r.clock.Now()
	ended := make(chan struct{})
	go func() { defer close(ended); d.Stop(ctx, member, atMost) }()
	for second := 1; ; second++ {
		for !r.clock.HasWaiters() {
			select {
			case <-ended:
				return r.clock.Since(start)
			case <-time.After(100 * time.Microsecond):
			}
		}
		if each != nil {
			each(second)
		}
		r.clock.Step(time.Second)
	}
}

func poweringOff(m *machine) error {
	m.TaskState = nodegroups.TaskPoweringOff
	return nil
}

func TestStopWaitsUntilTheMachineIsOff(t *testing.T) {
	r, d := shutdown(t, poweringOff)
	took := r.stop(t.Context(), d, time.Minute, func(second int) {
		if second == 5 {
			r.nova.change(member.ServerID, func(m *machine) { m.Status, m.TaskState = "SHUTOFF", "" })
		}
	})
	assert.Equal(t, 6*time.Second, took)
	assert.Equal(t, []string{member.ServerID}, r.nova.stops)
	assert.Empty(t, r.reports.All())
	assert.NotEmpty(t, r.node(member.ServerID).Annotations[StoppedAnnotation])

	// Should the removal not come, because this process ends, nobody takes it for broken.
	r.breaks("a", 0, "SHUTOFF")
	r.after(time.Hour)
	assert.Empty(t, r.orders())
	assert.Equal(t, map[Held]int{{"a", heldStoppedByUs}: 1}, r.counts.held)
}

func TestStopGivesUpInTime(t *testing.T) {
	r, d := shutdown(t, poweringOff)
	assert.Equal(t, 45*time.Second, r.stop(t.Context(), d, 45*time.Second, nil))
	assert.True(t, r.told(nodegroups.ReasonShutdownFailed, "was not off after 45s", nodeName(member.ServerID)))
}

func TestStopOfAMachineThatIsOffOrGone(t *testing.T) {
	r, d := shutdown(t, nil)
	r.nova.change(member.ServerID, func(m *machine) { m.Status = "SHUTOFF" })
	assert.Zero(t, r.stop(t.Context(), d, time.Minute, nil))
	delete(r.nova.machines, member.ServerID)
	assert.Zero(t, r.stop(t.Context(), d, time.Minute, nil))
	assert.Empty(t, r.nova.stops)
	assert.Empty(t, r.reports.All())
}

func TestStopThatIsRefused(t *testing.T) {
	refused := errors.New("policy does not allow it")
	r, d := shutdown(t, func(*machine) error { return refused })
	assert.Zero(t, r.stop(t.Context(), d, time.Minute, nil), "the removal does not wait in vain")
	assert.True(t, r.told(nodegroups.ReasonShutdownFailed, "policy does not allow it"))
	for _, status := range []string{"ERROR", "PAUSED"} {
		r, d := shutdown(t, nil)
		r.nova.change(member.ServerID, func(m *machine) { m.Status = status })
		assert.Zero(t, r.stop(t.Context(), d, time.Minute, nil))
		assert.True(t, r.told(nodegroups.ReasonShutdownFailed, status))
		assert.Empty(t, r.nova.stops)
	}
}

// A second call while the first one waits orders nothing, and waits as well.
func TestStopOfAMachineThatIsShuttingDown(t *testing.T) {
	r, d := shutdown(t, nil)
	r.nova.change(member.ServerID, func(m *machine) { m.TaskState = nodegroups.TaskPoweringOff })
	took := r.stop(t.Context(), d, time.Minute, func(second int) {
		if second == 9 {
			r.nova.change(member.ServerID, func(m *machine) { m.Status, m.TaskState = "SHUTOFF", "" })
		}
	})
	assert.Equal(t, 10*time.Second, took)
	assert.Empty(t, r.nova.stops)

	// Both look at the same moment: the second order is a conflict.
	r, d = shutdown(t, func(m *machine) error {
		m.TaskState = nodegroups.TaskPoweringOff
		return errors.New("conflict")
	})
	took = r.stop(t.Context(), d, time.Minute, func(second int) {
		if second == 3 {
			r.nova.change(member.ServerID, func(m *machine) { m.Status, m.TaskState = "SHUTOFF", "" })
		}
	})
	assert.Equal(t, 4*time.Second, took)
	assert.Empty(t, r.reports.All())
}

func TestStopWhileNovaIsAway(t *testing.T) {
	r, d := shutdown(t, poweringOff)
	r.nova.change(member.ServerID, func(m *machine) { m.err = errNova })
	took := r.stop(t.Context(), d, time.Minute, func(second int) {
		if second == 7 {
			r.nova.change(member.ServerID, func(m *machine) { m.err, m.Status = nil, "ACTIVE" })
		}
		if second == 11 {
			r.nova.change(member.ServerID, func(m *machine) { m.Status, m.TaskState = "SHUTOFF", "" })
		}
	})
	assert.Equal(t, 12*time.Second, took)
	assert.Len(t, r.nova.stops, 1)
}

func TestStopEndsWithItsContext(t *testing.T) {
	r, d := shutdown(t, poweringOff)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Stop(ctx, member, time.Minute) }()
	require.Eventually(t, r.clock.HasWaiters, time.Minute, time.Millisecond)
	cancel()
	<-ended
	assert.Empty(t, r.reports.All())
}

func TestStopOfAMachineWithoutANode(t *testing.T) {
	r, _ := shutdown(t, func(m *machine) error {
		m.Status = "SHUTOFF"
		return nil
	})
	d := NewShutdown(r.nova, NewCluster(r.client), nil, r.clock) // the nodes are not watched yet
	r.stop(t.Context(), d, time.Minute, nil)
	assert.Len(t, r.nova.stops, 1)
	assert.NotContains(t, r.node(member.ServerID).Annotations, StoppedAnnotation)
	assert.NotNil(t, NewShutdown(r.nova, r.cluster, nil, nil).clock)
}
