package nodegroups

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// driftTolerance is by what part memory and ephemeral storage may differ before it is called a drift: the template can
// only estimate what kernel and file system keep for themselves.
const driftTolerance = 0.05

// Kinds of differences.
const (
	DriftResource = "resource"
	DriftLabel    = "label"
	DriftTaint    = "taint"
)

// Difference is something in which a real node is not what the template promised, or has what the template did not tell.
type Difference struct {
	// Kind is one of the Drift constants; Name is the resource's name, the label's key or the taint's key.
	Kind, Name string
	// Template and Real are the two values, "" where one has none.
	Template, Real string
}

// String returns the difference for a log line.
func (d Difference) String() string {
	return fmt.Sprintf("%s %s: expected %q, found %q", d.Kind, d.Name, d.Template, d.Real)
}

// Drift compares a template node with a node that has really joined, sorted by kind and name: allocatable CPU, memory,
// ephemeral storage, pods and extended resources; labels that the template promised (those that only the node has
// are its own business); taints both ways, since either makes pods go where they were not expected. Names, older names of
// labels, and taints that come and go in a node's life are not compared.
func Drift(template, joined *v1.Node) []Difference {
	found := slices.Concat(resourceDrift(template, joined), labelDrift(template, joined), taintDrift(template, joined))
	slices.SortStableFunc(found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return found
}

func resourceDrift(template, joined *v1.Node) []Difference {
	names := map[v1.ResourceName]bool{}
	for _, list := range []v1.ResourceList{template.Status.Allocatable, joined.Status.Allocatable} {
		for name := range list {
			names[name] = true
		}
	}
	var found []Difference
	for name := range names {
		if !knowable(name) {
			continue
		}
		want, promised := template.Status.Allocatable[name]
		have, there := joined.Status.Allocatable[name]
		tolerance := 0.0
		if name == v1.ResourceMemory || name == v1.ResourceEphemeralStorage {
			tolerance = driftTolerance
			if !promised {
				continue // nothing was promised, because it could not be known
			}
		}
		a, b := want.AsApproximateFloat64(), have.AsApproximateFloat64()
		if math.Abs(a-b) <= tolerance*math.Max(a, b) {
			continue
		}
		d := Difference{Kind: DriftResource, Name: string(name)}
		if promised {
			d.Template = want.String()
		}
		if there {
			d.Real = have.String()
		}
		found = append(found, d)
	}
	return found
}

var nativeResources = []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, v1.ResourcePods}

// knowable says whether a resource is one that a template can know: the four native ones and devices.
func knowable(name v1.ResourceName) bool {
	return slices.Contains(nativeResources, name) || strings.Contains(string(name), "/")
}

func labelDrift(template, joined *v1.Node) []Difference {
	var found []Difference
	for _, key := range slices.Sorted(maps.Keys(template.Labels)) {
		old := strings.HasPrefix(key, "beta.kubernetes.io/") || strings.HasPrefix(key, "failure-domain.beta.kubernetes.io/")
		if key == v1.LabelHostname || old {
			continue
		}
		want := template.Labels[key]
		if have, ok := joined.Labels[key]; !ok || want != have {
			found = append(found, Difference{Kind: DriftLabel, Name: key, Template: want, Real: have})
		}
	}
	return found
}

func taintDrift(template, joined *v1.Node) []Difference {
	var found []Difference
	for _, t := range template.Spec.Taints {
		if !hasTaint(joined, t) {
			found = append(found, Difference{Kind: DriftTaint, Name: t.Key, Template: formatTaint(t)})
		}
	}
	for _, t := range joined.Spec.Taints {
		if !passing(t) && !hasTaint(template, t) {
			found = append(found, Difference{Kind: DriftTaint, Name: t.Key, Real: formatTaint(t)})
		}
	}
	return found
}

func hasTaint(node *v1.Node, t v1.Taint) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(o v1.Taint) bool {
		return o.Key == t.Key && o.Value == t.Value && o.Effect == t.Effect
	})
}

// passingTaints are beginnings of taint keys that Kubernetes and cluster-autoscaler put on and take off again.
var passingTaints = []string{
	"node.kubernetes.io/", "node.cloudprovider.kubernetes.io/",
	"ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler",
	"startup-taint.cluster-autoscaler.kubernetes.io/", "status-taint.cluster-autoscaler.kubernetes.io/",
	"ignore-taint.cluster-autoscaler.kubernetes.io/",
}

func passing(t v1.Taint) bool {
	return slices.ContainsFunc(passingTaints, func(prefix string) bool { return strings.HasPrefix(t.Key, prefix) })
}
