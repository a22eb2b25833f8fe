package cluster

import (
	"context"
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WaitForRights waits until the API server lets a service account do what rules say in a namespace, or in the cluster if that is empty. It learns
// of roles and bindings a moment after they were made, and refuses until then.
func (c *Cluster) WaitForRights(ctx context.Context, account *v1.ServiceAccount, namespace string, rules []rbacv1.PolicyRule) error {
	for _, right := range Attributes(namespace, rules) {
		what := strings.Join(strings.Fields(fmt.Sprintf("the right of %s/%s to %s %s %s in %q",
			account.Namespace, account.Name, right.Verb, right.Group, right.Resource, namespace)), " ")
		if err := c.wait(ctx, what, func(ctx context.Context) (bool, error) {
			review, err := c.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{
					User:   "system:serviceaccount:" + account.Namespace + ":" + account.Name,
					Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + account.Namespace, "system:authenticated"}, ResourceAttributes: &right,
				},
			}, metav1.CreateOptions{})
			return err == nil && review.Status.Allowed, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Attributes takes rules apart: one for each verb on each resource, by name where the rule has names. Those about paths are left out. No
// namespace is all of them.
func Attributes(namespace string, rules []rbacv1.PolicyRule) []authorizationv1.ResourceAttributes {
	var all []authorizationv1.ResourceAttributes
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, both := range rule.Resources {
				resource, sub, _ := strings.Cut(both, "/")
				for _, verb := range rule.Verbs {
					for _, name := range append(rule.ResourceNames[:len(rule.ResourceNames):len(rule.ResourceNames)], "")[:max(1, len(rule.ResourceNames))] {
						all = append(all, authorizationv1.ResourceAttributes{
							Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: sub, Name: name,
						})
					}
				}
			}
		}
	}
	return all
}

// rulesOf are the rules of Roles among objects.
func rulesOf(objects []metav1.Object) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, object := range objects {
		if role, ok := object.(*rbacv1.Role); ok {
			rules = append(rules, role.Rules...)
		}
	}
	return rules
}
