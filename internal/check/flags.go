package check

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// priorityConfigMap is where the priority expander reads its priorities (cluster-autoscaler/expander/priority).
const priorityConfigMap = "cluster-autoscaler-priority-expander"

// hurtful is a flag whose value is known to do harm.
type hurtful struct {
	flag string
	// wrong says what is wrong, "" for nothing. fails: it is a failure, else a warning.
	wrong  func(w *World, p *program) (wrong string, fails bool)
	remedy string
}

var hurtfulFlags = []hurtful{
	{"enforce-node-group-min-size", func(w *World, p *program) (string, bool) {
		switch {
		case p.Core.Bool("enforce-node-group-min-size", !p.External):
			return "", false
		case w.anyGroup(func(g *nodegroups.Group) bool { return g.Config.Load.Given() }):
			return "it is not set: a node group that follows load does not grow until pods pend", true
		case w.anyGroup(func(g *nodegroups.Group) bool { return g.Target < g.MinSize }):
			return "it is not set: a node group below its least size does not grow to it", true
		}
		return "it is not set: node groups don't grow to their least size by themselves", false
	}, "give cluster-autoscaler --enforce-node-group-min-size"},
	{"scale-down-delay-type-local", func(w *World, p *program) (string, bool) {
		if p.Core.Bool("scale-down-delay-type-local", !p.External) || !w.anyGroup(func(g *nodegroups.Group) bool { return g.Config.Load.Given() }) {
			return "", false
		}
		return "it is not set: a node group that grows with load keeps all others from shrinking", false
	}, "give cluster-autoscaler --scale-down-delay-type-local"},
	{"scan-interval", func(_ *World, p *program) (string, bool) {
		if p.Core.Duration("scan-interval", 10*time.Second) >= 5*time.Second {
			return "", false
		}
		return p.Core.Last("scan-interval") + ": each loop costs at least two requests to the cloud", false
	}, "10s, the default, is enough: pods that pend start a loop anyway (--frequent-loops-enabled)"},
	{"max-node-provision-time", func(_ *World, p *program) (string, bool) {
		if p.Core.Duration("max-node-provision-time", joinTime) >= 5*time.Minute {
			return "", false
		}
		return p.Core.Last("max-node-provision-time") + ": machines may be removed before they have joined", false
	}, "give them 15m, the default, or what Heat, the image and the boot take"},
	{"scale-down-enabled", func(_ *World, p *program) (string, bool) {
		if p.Core.Bool("scale-down-enabled", true) {
			return "", false
		}
		return "false: no node is ever removed", false
	}, "leave the flag out"},
	{"dry-run", func(_ *World, p *program) (string, bool) {
		if !p.Provider.Bool("dry-run", false) {
			return "", false
		}
		return "true: it decides and reports, and changes nothing", false
	}, "leave the flag out when you have seen enough"},
	{"write-status-configmap", func(_ *World, p *program) (string, bool) {
		if p.Core.Bool("write-status-configmap", true) {
			return "", false
		}
		return "false: nobody can see what cluster-autoscaler thinks", false
	}, "leave the flag out"},
	{"max-nodes-total", func(w *World, p *program) (string, bool) {
		most := p.Core.Int("max-nodes-total", 0)
		if most <= 0 || w.Snapshot == nil {
			return "", false
		}
		sum := 0
		for _, g := range w.Snapshot.Groups() {
			sum += g.MaxSize
		}
		if sum <= most {
			return "", false
		}
		return p.Core.Last("max-nodes-total") + ": it keeps node groups from their greatest sizes", false
	}, "raise it, or lower node-group-max-size"},
	{"zero-or-max-node-scaling", func(w *World, p *program) (string, bool) {
		all := func(g *nodegroups.Group) bool {
			return g.Config.Options.ZeroOrMaxNodeScaling != nil && *g.Config.Options.ZeroOrMaxNodeScaling
		}
		if !p.External || !w.anyGroup(all) {
			return "", false
		}
		return "a node group that is scaled to all or nothing never shrinks with a stock cluster-autoscaler: it does not see that its nodes are of one group", false
	}, "use the embedded mode for such node groups"},
}

func (w *World) anyGroup(is func(*nodegroups.Group) bool) bool {
	return w.Snapshot != nil && slices.ContainsFunc(w.Snapshot.Groups(), is)
}

func (w *World) checkFlags(ctx context.Context, f *findings) {
	p := w.program
	if p.Name == "" {
		return
	}
	harmless := true
	for _, h := range hurtfulFlags {
		wrong, fails := h.wrong(w, p)
		switch {
		case wrong == "":
			continue
		case fails:
			f.fail("--"+h.flag, h.remedy, "%s", wrong)
		default:
			f.warn("--"+h.flag, h.remedy, "%s", wrong)
		}
		harmless = false
	}
	if strings.Contains(p.Core.Last("expander"), "priority") {
		_, err := w.Kubernetes.CoreV1().ConfigMaps(w.home).Get(ctx, priorityConfigMap, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			f.warn("--expander", "make it, or choose another expander", "the priority expander has no ConfigMap %s in namespace %s: it chooses at random", priorityConfigMap, w.home)
			harmless = false
		}
	}
	if harmless {
		f.ok("flags", "none of those that are known to do harm")
	}
}
