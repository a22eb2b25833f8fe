package installed

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Labels of the autoscaler's pods: those of the Helm chart and those of deploy/kubernetes.
var usual = []string{"app.kubernetes.io/name=" + project, "app=" + project}

// The chart gives its other pods the same name and another component: a test of the set-up, the descheduler.
const (
	componentLabel = "app.kubernetes.io/component"
	component      = "autoscaler"
)

// Where says where the autoscaler is looked for.
type Where struct {
	// Namespace is that of its pods.
	Namespace string
	// Selector picks its pods by their labels, and nothing else is looked at then. Empty: the usual labels, else flags.
	Selector string
}

// selectors are label selectors in the order in which they are tried.
func (w Where) selectors() []string {
	if w.Selector != "" {
		return []string{w.Selector}
	}
	return usual
}

// isOther says that a pod with the usual labels is one of the chart's others.
func (w Where) isOther(of map[string]string) bool {
	return w.Selector == "" && of[componentLabel] != "" && of[componentLabel] != component
}

// labelled says whether a pod with these labels is the autoscaler's by them. An error says that the selector is none.
func (w Where) labelled(of map[string]string) (bool, error) {
	var parsed []labels.Selector
	for _, text := range w.selectors() {
		selector, err := labels.Parse(text)
		if err != nil {
			return false, err
		}
		parsed = append(parsed, selector)
	}
	return !w.isOther(of) && slices.ContainsFunc(parsed, func(s labels.Selector) bool { return s.Matches(labels.Set(of)) }), nil
}

// by is what to list for a selector.
func by(selector string) metav1.ListOptions { return metav1.ListOptions{LabelSelector: selector} }
