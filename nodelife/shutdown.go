package nodelife

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// stopPoll is the time between two looks at a server that is shutting down.
const stopPoll = 2 * time.Second

// Shutdown shuts machines down before they are removed; it is a nodegroups.Stopper. Should this process end in between, the
// machine stays off: its Node carries StoppedAnnotation, and Nova's record says who stopped it, so that it is not taken for
// broken; cluster-autoscaler removes it as a node that is not ready.
type Shutdown struct {
	machines Machines
	cluster  *Cluster
	reporter nodegroups.Reporter
	clock    clock.WithTicker
}

// NewShutdown returns a Shutdown. A nil reporter drops all reports, a nil clock is the real one.
func NewShutdown(machines Machines, cluster *Cluster, reporter nodegroups.Reporter, c clock.WithTicker) *Shutdown {
	if reporter == nil {
		reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if c == nil {
		c = clock.RealClock{}
	}
	return &Shutdown{machines: machines, cluster: cluster, reporter: reporter, clock: c}
}

// Stop implements nodegroups.Stopper. A server that Nova can't show for a while is asked for again until atMost has passed.
func (d *Shutdown) Stop(ctx context.Context, member nodegroups.Member, atMost time.Duration) {
	logger := klog.FromContext(ctx).WithValues("server", member.ServerID, "name", member.Name)
	start := d.clock.Now()
	node := d.nodeOf(member.ServerID)
	isOrdered := false
	for {
		server, err := d.machines.Server(ctx, member.ServerID)
		switch {
		case errors.Is(err, nodegroups.ErrNoServer), err == nil && server.Status == nodegroups.ServerShutOff:
			logger.V(1).Info("The machine is off", "after", d.clock.Since(start))
			return
		case err != nil:
			logger.V(2).Info("A server that is to shut down can't be read", "err", err)
		case server.TaskState == nodegroups.TaskPoweringOff:
			isOrdered = true // perhaps by an earlier call
		case server.Status != nodegroups.ServerActive, server.TaskState != "":
			d.tell(member, node, fmt.Sprintf("its server is %s %s and can't be shut down", server.Status, server.TaskState))
			return
		case !isOrdered:
			if isOrdered = d.order(ctx, member, node); !isOrdered {
				return
			}
			logger.V(1).Info("Shutting a machine down before its removal", "atMost", atMost)
		}
		wait := min(stopPoll, atMost-d.clock.Since(start))
		if wait <= 0 {
			d.tell(member, node, fmt.Sprintf("its machine was not off after %s", atMost))
			return
		}
		timer := d.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}

// order tells a server to shut down and says whether it will. Nova answers with a conflict if it is doing so already.
func (d *Shutdown) order(ctx context.Context, member nodegroups.Member, node string) bool {
	d.mark(ctx, node)
	err := d.machines.Stop(ctx, member.ServerID)
	if err == nil {
		return true
	}
	if server, again := d.machines.Server(ctx, member.ServerID); again == nil &&
		(server.TaskState == nodegroups.TaskPoweringOff || server.Status == nodegroups.ServerShutOff) {
		return true
	}
	d.tell(member, node, fmt.Sprintf("it can't be shut down: %v", err))
	return false
}

// mark writes on the Node that its machine is being shut down. It is for people, and for the next process: Nova's own record
// does as well, so that an error only is logged.
func (d *Shutdown) mark(ctx context.Context, nodeName string) {
	node, err := d.cluster.find(nodeName)
	if err != nil {
		return // it has none
	}
	err = d.cluster.annotate(ctx, node, map[string]*string{StoppedAnnotation: ptr.To(d.clock.Now().UTC().Format(time.RFC3339))})
	if err != nil {
		klog.FromContext(ctx).Error(err, "That a node is being shut down can't be written on it")
	}
}

// nodeOf is the name of a server's node, empty if it is not known.
func (d *Shutdown) nodeOf(serverID string) string {
	nodes, err := d.cluster.nodes()
	if err != nil {
		return ""
	}
	for _, node := range nodes {
		if id, err := nodegroups.ServerIDFromNode(node); err == nil && id == serverID {
			return node.Name
		}
	}
	return ""
}

// tell reports a machine that is removed without having been shut down.
func (d *Shutdown) tell(member nodegroups.Member, node, message string) {
	d.reporter.Report(nodegroups.Problem{
		Reason: nodegroups.ReasonShutdownFailed, Severity: nodegroups.Warning, Node: node, Key: "server", Value: member.ServerID,
		Message: message + "; it is removed all the same",
		Remedy:  fmt.Sprintf("see whether its guest obeys the power button; Nova gives it 60 s by default, and %s should be more", nodegroups.KeyGracefulShutdown),
	})
}
