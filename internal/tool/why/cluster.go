package why

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// autoscalerReasons are why cluster-autoscaler as a whole does nothing.
func (f *facts) autoscalerReasons() []Reason {
	var reasons []Reason
	switch {
	case !f.CoreKnown:
	case f.Core == nil:
		reasons = append(reasons, Reason{
			Code: CodeAutoscalerMissing, Text: fmt.Sprintf("cluster-autoscaler does not run: it has written no ConfigMap %s", f.statusName),
			Remedy: "start it, or say where it runs (--autoscaler-namespace, --status-config-map-name)",
		})
	case !f.CoreIsFresh():
		reasons = append(reasons, Reason{
			Code:   CodeAutoscalerSilent,
			Text:   fmt.Sprintf("cluster-autoscaler does nothing: it wrote its status (ConfigMap %s) %s ago last", f.statusName, cli.Age(f.At, &f.Core.At)),
			Remedy: "look at its pods and their log: it is stopped, does not lead, or every loop ends with an error",
		})
	case f.Core.Initializing:
		reasons = append(reasons, Reason{
			Code: CodeAutoscalerStarts, Text: "cluster-autoscaler has just been started and has decided nothing yet", Remedy: "wait a minute",
		})
	}
	if f.CoreIsFresh() && f.Core.Health.Word == "Unhealthy" {
		reasons = append(reasons, Reason{
			Code:   CodeClusterUnhealthy,
			Text:   fmt.Sprintf("cluster-autoscaler does nothing because too many nodes are not Ready: %d of %d are", f.Core.Ready, f.Core.Registered),
			Remedy: "mend the nodes; how many may be unready: its flags --max-total-unready-percentage and --ok-total-unready-count",
		})
	}
	if f.flags().Bool("dry-run", false) {
		reasons = append(reasons, Reason{
			Code: CodeDryRun, Text: "the autoscaler only tells what it would do (--dry-run)", Remedy: "start it without --dry-run",
		})
	}
	return reasons
}

// limitReasons are why no group at all may grow.
func (f *facts) limitReasons() []Reason {
	most := f.flags().Int("max-nodes-total", 0)
	if most <= 0 || !f.NodesKnown || len(f.Nodes) < most {
		return nil
	}
	return []Reason{{
		Code: CodeMaxNodesTotal, Text: fmt.Sprintf("the cluster has %s, and cluster-autoscaler's --max-nodes-total=%d allows no more", cli.Count(len(f.Nodes), "node"), most),
		Remedy: "raise --max-nodes-total",
	}}
}

// sentence makes words of a cloud or of Kubernetes fit behind a colon.
func sentence(text string) string { return strings.TrimRight(cli.OneLine(text), ". ") }

// span is a length of time in few letters.
func span(d time.Duration) string { return duration.HumanDuration(d) }

// assumed says that flags are not known, for the list of what was not checked.
func (f *facts) assumed() []string {
	if len(f.Autoscaler.Pods) > 0 {
		return nil
	}
	return []string{"cluster-autoscaler's flags, whose defaults are assumed (none of its pods is found)"}
}
