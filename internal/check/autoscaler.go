package check

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/corestatus"
)

const (
	// statusLate is how old cluster-autoscaler's status may be: it writes it in every loop, of 10 s by default.
	statusLate = 2 * time.Minute
	// leaseLate is what a lease may be behind in addition to its own duration.
	leaseLate = 10 * time.Second
)

func checkAutoscaler(ctx context.Context, w *World, f *findings) {
	p := w.program
	switch {
	case p.err != nil:
		f.skip("Deployment", "", "the Deployments of namespace %s can't be listed: %v", w.Setup.Namespace, p.err)
	case p.Name == "":
		f.skip("Deployment", "name the namespace by --autoscaler-namespace", "none in namespace %s runs the autoscaler; it may run outside of the cluster", w.Setup.Namespace)
	case p.Ready == 0:
		f.fail("Deployment "+p.Name, "see kubectl -n "+w.Setup.Namespace+" describe deployment "+p.Name, "none of %d replicas is ready", p.Wanted)
	default:
		f.ok("Deployment "+p.Name, "%d of %d replicas are ready", p.Ready, p.Wanted)
	}
	w.checkLease(ctx, f)
	w.checkStatus(ctx, f)
	w.checkFlags(ctx, f)
	w.checkVersion(f)
}

func (w *World) checkLease(ctx context.Context, f *findings) {
	thing := "lease " + w.home + "/" + w.Setup.Lease
	if !w.program.Core.Bool("leader-elect", true) {
		if w.program.Wanted > 1 {
			f.fail(thing, "leave out --leader-elect=false, or run one replica", "%d replicas run without leader election: each of them scales", w.program.Wanted)
			return
		}
		f.skip(thing, "", "leader election is switched off")
		return
	}
	lease, err := w.Kubernetes.CoordinationV1().Leases(w.home).Get(ctx, w.Setup.Lease, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		f.fail(thing, "start the autoscaler, or name its namespace by --autoscaler-namespace", "it is not there: no autoscaler has led yet")
	case err != nil:
		f.skip(thing, "", "it can't be read: %v", err)
	case lease.Spec.RenewTime == nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "":
		f.fail(thing, "see the log of the autoscaler's pods", "nobody holds it")
	default:
		age := w.now().Sub(lease.Spec.RenewTime.Time).Round(time.Second)
		most := leaseLate
		if lease.Spec.LeaseDurationSeconds != nil {
			most += time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second
		}
		if age > most {
			f.fail(thing, "see the log of the autoscaler's pods", "%s renewed it %s ago, and nobody has taken over", *lease.Spec.HolderIdentity, age)
			return
		}
		f.ok(thing, "%s leads, renewed %s ago", *lease.Spec.HolderIdentity, max(0, age))
	}
}

func (w *World) checkStatus(ctx context.Context, f *findings) {
	thing := "status " + w.home + "/" + w.Setup.StatusConfigMap
	if !w.program.Core.Bool("write-status-configmap", true) {
		f.skip(thing, "", "writing it is switched off (--write-status-configmap=false)")
		return
	}
	found, err := w.Kubernetes.CoreV1().ConfigMaps(w.home).Get(ctx, w.Setup.StatusConfigMap, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		f.fail(thing, "see the log of the autoscaler's pods", "it is not there: no autoscaler has been through a loop")
		return
	case err != nil:
		f.skip(thing, "", "it can't be read: %v", err)
		return
	}
	core, err := corestatus.Parse(found.Data["status"])
	if err != nil {
		f.skip(thing, "", "it is there, and whether it is an old one can't be told: %v", err)
		return
	}
	if age := w.now().Sub(core.At).Round(time.Second); age > max(statusLate, 3*w.program.Core.Duration("scan-interval", 10*time.Second)) {
		f.fail(thing, "see the log of the autoscaler's pods: its loop does not get through", "it was last written %s ago", age)
		return
	}
	switch {
	case core.Initializing:
		f.ok(thing, "cluster-autoscaler has just been started")
	case core.Health.Word == "":
		f.skip(thing, "", "cluster-autoscaler does not say there how the cluster is")
	case core.Health.Word != "Healthy":
		f.fail(thing, "see kubectl get nodes: too many are not Ready, so that nothing is scaled (--max-total-unready-percentage, --ok-total-unready-count)",
			"cluster-autoscaler takes the cluster for %s: %d of %d nodes are Ready", core.Health.Word, core.Ready, core.Registered)
	default:
		f.ok(thing, "cluster-autoscaler runs, and takes the cluster for %s", core.Health.Word)
	}
}

var minor = regexp.MustCompile(`v?1\.([0-9]+)`)

// minorOf is the minor version in a text such as v1.33.0, 0 if there is none.
func minorOf(version string) int {
	found := minor.FindStringSubmatch(version)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

// checkVersion compares cluster-autoscaler's version with the cluster's: it simulates the scheduler of its own.
func (w *World) checkVersion(f *findings) {
	server, err := w.Kubernetes.Discovery().ServerVersion()
	if err != nil {
		f.skip("version", "", "the API server does not tell its version: %v", err)
		return
	}
	core := w.Setup.Core
	if w.program.External {
		core = w.program.Image[strings.LastIndexByte(w.program.Image, ':')+1:]
	}
	own, theirs := minorOf(core), minorOf(server.GitVersion)
	switch {
	case own == 0 || theirs == 0:
		f.skip("version", "", "cluster-autoscaler is %q, Kubernetes %s; they can't be compared", core, server.GitVersion)
	case w.program.External && own != theirs:
		f.warn("version", "use the stock image of the cluster's minor version (the chart does so by itself)", "cluster-autoscaler is %s, Kubernetes %s", core, server.GitVersion)
	case own-theirs > 1 || theirs-own > 1:
		f.warn("version", "use the external mode, with the stock image of the cluster's minor version: docs/how-to/stock-cluster-autoscaler.md",
			"cluster-autoscaler is %s, Kubernetes %s: what the scheduler does is not what it simulates", core, server.GitVersion)
	default:
		f.ok("version", "cluster-autoscaler is %s, Kubernetes %s", core, server.GitVersion)
	}
}
