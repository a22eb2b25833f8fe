// Package events tells operators of problems where they look: as Kubernetes Events on the ConfigMap that holds
// cluster-autoscaler's status, on the Node for what concerns one node, and as lines in the log.
package events

import (
	"context"
	"maps"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// repeatAfter is when a problem that still holds is told again. Events live for an hour by default (kube-apiserver
	// --event-ttl), so that `kubectl get events` always shows what holds.
	repeatAfter = 50 * time.Minute
	// reworded is how soon the same problem is told again if its message has changed.
	reworded = time.Minute
	// remembered bounds the memory: more problems than this at once are told more than once.
	remembered = 5000
)

// Reporter is a nodegroups.Reporter that writes log lines and Events. A problem that holds is reported at every refresh;
// it is told once and again every 50 minutes. Safe for concurrent use.
type Reporter struct {
	logger   klog.Logger
	recorder record.EventRecorder
	status   v1.ObjectReference
	clock    clock.PassiveClock

	mu   sync.Mutex
	told map[nodegroups.Problem]telling // by the problem without its message
}

type telling struct {
	at      time.Time
	message string
}

// NewReporter returns a Reporter whose Events go through recorder; without one (nil) it only logs. namespace and
// configMap name cluster-autoscaler's status ConfigMap. A nil clock is the real one. The logger comes from ctx.
func NewReporter(ctx context.Context, recorder record.EventRecorder, namespace, configMap string, c clock.PassiveClock) *Reporter {
	if c == nil {
		c = clock.RealClock{}
	}
	return &Reporter{
		logger:   klog.FromContext(ctx),
		recorder: recorder,
		status:   v1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: configMap},
		clock:    c,
		told:     map[nodegroups.Problem]telling{},
	}
}

// Report tells p, unless it has just been told.
func (r *Reporter) Report(p nodegroups.Problem) {
	if !r.isNews(p) {
		r.logger.V(4).Info("Problem holds", "reason", p.Reason, "nodeGroup", p.Group, "stack", p.Stack, "problem", p.Error())
		return
	}
	r.log(p)
	if r.recorder == nil {
		return
	}
	text := p.Error()
	r.recorder.Event(&r.status, v1.EventTypeWarning, p.Reason, text)
	if p.Node != "" {
		// The UID is the node's name, as in the kubelet's and core's own Events: `kubectl describe node` looks for that.
		node := &v1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: p.Node, UID: nodeUID(p.Node)}
		r.recorder.Event(node, v1.EventTypeWarning, p.Reason, text)
	}
}

// isNews notes that p is told now, and says whether it should be.
func (r *Reporter) isNews(p nodegroups.Problem) bool {
	now := r.clock.Now()
	key, message := p, p.Message
	key.Message = ""
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.told[key]; ok {
		since := now.Sub(last.at)
		if since < reworded || last.message == message && since < repeatAfter {
			return false
		}
	}
	if len(r.told) >= remembered {
		maps.DeleteFunc(r.told, func(_ nodegroups.Problem, t telling) bool { return now.Sub(t.at) >= repeatAfter })
	}
	if len(r.told) >= remembered {
		clear(r.told)
	}
	r.told[key] = telling{now, message}
	return true
}

func (r *Reporter) log(p nodegroups.Problem) {
	values := []any{"reason", p.Reason}
	for _, field := range []struct{ name, value string }{
		{"nodeGroup", p.Group}, {"stack", p.Stack}, {"node", p.Node}, {"key", p.Key}, {"value", p.Value}, {"remedy", p.Remedy},
	} {
		if field.value != "" {
			values = append(values, field.name, field.value)
		}
	}
	if p.Severity == nodegroups.Blocking {
		r.logger.Error(nil, "Left alone: "+p.Message, values...)
		return
	}
	r.logger.Info("Warning: "+p.Message, values...)
}
