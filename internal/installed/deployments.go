package installed

import (
	"cmp"
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Deployment is the autoscaler as a Deployment runs it.
type Deployment struct {
	Program
	// Name is the Deployment's; that of the provider's, if the stock cluster-autoscaler has one of its own.
	Name, ServiceAccount string
	// Wanted and Ready are how many replicas there should be, and are.
	Wanted, Ready int32
}

// Deployments finds the Deployments that run the autoscaler, none if there are none: those whose flags name node groups come first, and
// among them those that want replicas; else they are in the order of their names. Where a stock cluster-autoscaler has a Deployment of its own, beside one provider that serves it, its
// flags and its image are the loop's. Errors are those of the API server, or of a selector that is none.
func Deployments(ctx context.Context, client kubernetes.Interface, where Where) ([]Deployment, error) {
	list, err := client.AppsV1().Deployments(where.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found []Deployment
	var stock []Program
	for i := range list.Items {
		template := &list.Items[i].Spec.Template
		labelled, err := where.labelled(template.Labels)
		if err != nil {
			return nil, err
		}
		p, isAutoscaler := programOf(&template.Spec, labelled)
		switch {
		case isAutoscaler && (labelled || where.Selector == "") && !where.isOther(template.Labels):
			found = append(found, deployment(&list.Items[i], p))
		case p.External && p.Provider == nil:
			stock = append(stock, p)
		}
	}
	for i := range found {
		if len(stock) == 1 && found[i].isAlone() {
			found[i].Core, found[i].Image, found[i].External = stock[0].Core, stock[0].Image, true
		}
	}
	slices.SortStableFunc(found, func(a, b Deployment) int { return cmp.Compare(b.rank(), a.rank()) })
	return found, nil
}

// rank is the greater the likelier it is the one that is meant.
func (d *Deployment) rank() int {
	rank := 0
	if d.tells() {
		rank += 2
	}
	if d.Wanted > 0 {
		rank++
	}
	return rank
}

func deployment(d *appsv1.Deployment, p Program) Deployment {
	out := Deployment{
		Program: p, Name: d.Name, ServiceAccount: cmp.Or(d.Spec.Template.Spec.ServiceAccountName, "default"), Wanted: 1, Ready: d.Status.ReadyReplicas,
	}
	if d.Spec.Replicas != nil {
		out.Wanted = *d.Spec.Replicas
	}
	return out
}
