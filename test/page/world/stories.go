package world

import (
	"context"
	"errors"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Hostile is what a cloud may say, for whatever reason.
const Hostile = `<script>document.title="taken"</script><img src="https://evil.example/x" onerror="document.title='taken'">"'><b id="injected">`

// Story makes a world as people see it.
type Story func(ctx context.Context) (*World, error)

// Stories are all of them, by the names under which test/page/serve shows them.
var Stories = map[string]Story{"day": Day, "empty": Empty, "standby": Standby, "unread": Unread, "many": Many}

// Day is a node group that has followed its load up and down, one that is refused by the cloud in hostile words, one that is left alone,
// and one without members.
func Day(ctx context.Context) (*World, error) {
	w, err := New(ctx, Options{Mode: Embedded, Stacks: []Stack{
		{Name: "workers", Size: 3, Tags: []string{"node-group-min-size=2", "node-group-max-size=10", "load-metric=cpu", "load-target=60", "load-scale-down-window=5m"}},
		{Name: "gpu", Flavor: "m1.large", Size: 1, Tags: []string{"node-group-min-size=0", "node-group-max-size=4"}},
		{Name: "batch", Size: 0, Tags: []string{"node-group-min-size=0", "node-group-max-size=20"}},
		{Name: "legacy", Size: 2, Tags: []string{"node-group-max-size=many"}},
	}})
	if err != nil {
		return nil, err
	}
	return w, errors.Join(w.followLoad(), w.beRefused())
}

// followLoad: 3 members for 10 minutes, 5 for 30, 3 for 20.
func (w *World) followLoad() error {
	w.Load.Set("workers", 50)
	if err := w.minutes(10); err != nil {
		return err
	}
	w.Load.Set("workers", 85)
	if err := w.minutes(2); err != nil {
		return err
	}
	if err := w.Grow("workers", 2); err != nil {
		return err
	}
	w.Load.Set("workers", 55)
	if err := w.minutes(28); err != nil {
		return err
	}
	w.Load.Set("workers", 20)
	if err := w.minutes(8); err != nil {
		return err
	}
	if err := w.Remove("workers", 2); err != nil {
		return err
	}
	w.Load.Set("workers", 38)
	return w.minutes(12)
}

// beRefused: a member can't be made, and the cloud says so in hostile words; then telemetry falls silent.
func (w *World) beRefused() error {
	w.Sim.FailBuilds("m1.large", "No valid host was found. "+Hostile, 100)
	group, ok := w.Provider.NodeGroup("gpu")
	if !ok {
		return errors.New("there is no node group gpu")
	}
	if err := group.IncreaseSize(1); err != nil {
		return err
	}
	err := w.Until(func() bool { return w.Manager.Snapshot().Group("gpu").Count(nodegroups.Failed) == 1 })
	if err != nil {
		return err
	}
	w.Book.BackedOff("gpu", w.Clock.Now().Add(5*time.Minute), "OutOfResources", "NoValidHost", "No valid host was found. "+Hostile)
	w.Book.CSRDecided("kubernetes.io/kube-apiserver-client-kubelet", "approved", "NewMember")
	w.Book.CSRDecided("kubernetes.io/kube-apiserver-client-kubelet", "denied", "UnknownToken")
	return w.Minute()
}

func (w *World) minutes(n int) error {
	for range n {
		if err := w.Minute(); err != nil {
			return err
		}
	}
	return nil
}

// Grow orders members as cluster-autoscaler does, and waits until they run.
func (w *World) Grow(name string, by int) error {
	group, ok := w.Provider.NodeGroup(name)
	if !ok {
		return errors.New("there is no node group " + name)
	}
	before := w.Running(name)
	if err := group.IncreaseSize(by); err != nil {
		return err
	}
	return w.Until(func() bool { return w.Running(name) == before+by })
}

// Remove has the last members of a group removed as cluster-autoscaler does, and waits until they are gone and that is verified.
func (w *World) Remove(name string, n int) error {
	group, ok := w.Provider.NodeGroup(name)
	if !ok {
		return errors.New("there is no node group " + name)
	}
	all := w.Manager.Snapshot().Group(name).Members
	var nodes []*v1.Node
	for _, m := range all[len(all)-n:] {
		nodes = append(nodes, Node(m))
	}
	if err := group.DeleteNodes(nodes); err != nil {
		return err
	}
	return w.Until(func() bool {
		for _, d := range w.Book.Status().Decisions {
			if d.Kind == "verify" && d.Group == name {
				return len(w.Manager.Snapshot().Group(name).Members) == len(all)-n
			}
		}
		return false
	})
}

// Empty is a cloud without node groups.
func Empty(ctx context.Context) (*World, error) { return New(ctx, Options{Mode: Embedded}) }

// Standby is a replica that another one has relieved.
func Standby(ctx context.Context) (*World, error) {
	w, err := New(ctx, Options{Mode: External})
	if err == nil {
		w.Book.Lead(false)
		w.Book.NewLeader("")
	}
	return w, err
}

// Unread is a cloud that can't be read any more.
func Unread(ctx context.Context) (*World, error) {
	w, err := New(ctx, Options{Mode: Embedded, Stacks: []Stack{{Name: "workers", Size: 2, Tags: []string{"node-group-max-size=5"}}}})
	if err != nil {
		return nil, err
	}
	if err := w.minutes(5); err != nil {
		return nil, err
	}
	w.Sim.Close()
	if err := w.Minute(); err == nil {
		return nil, errors.New("a cloud that is gone was read")
	}
	return w, nil
}

// Many is a node group of 3,000 members among 20 small ones.
func Many(ctx context.Context) (*World, error) {
	stacks := []Stack{{Name: "crowd", Size: 3000, Tags: []string{"node-group-max-size=4000"}}}
	for i := range 20 {
		stacks = append(stacks, Stack{Name: "small-" + string(rune('a'+i)), Size: 2, Tags: []string{"node-group-max-size=5"}})
	}
	w, err := New(ctx, Options{Mode: Embedded, Stacks: stacks})
	if err != nil {
		return nil, err
	}
	return w, w.minutes(30)
}
