package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	applyRights = "apply deploy/kubernetes/cluster-autoscaler-openstack.yaml anew, or helm upgrade with rbac.create=true"
	// reviewsAtOnce is how many questions the API server gets side by side.
	reviewsAtOnce = 8
)

// serviceAccount is the autoscaler's, with its namespace; "" if it is not known.
func (w *World) serviceAccount() (namespace, name string) {
	name = w.Setup.ServiceAccount
	if name == "" {
		name = w.program.ServiceAccount
	}
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		return namespace, rest
	}
	return w.Setup.Namespace, name
}

func checkPermissions(ctx context.Context, w *World, f *findings) {
	namespace, account := w.serviceAccount()
	if account == "" {
		f.skip("service account", "name it by --service-account, or the namespace by --autoscaler-namespace",
			"no Deployment in namespace %s runs the autoscaler%s", w.Setup.Namespace, because(w.program.err))
		return
	}
	all, err := w.rights()
	if err != nil {
		f.fail("service account", "report it", "%v", err)
		return
	}
	thing := fmt.Sprintf("service account %s/%s", namespace, account)
	allowed := make([]bool, len(all))
	var g errgroup.Group
	g.SetLimit(reviewsAtOnce)
	for i, r := range all {
		g.Go(func() (err error) {
			allowed[i], err = w.may(ctx, serviceaccount.MakeUsername(namespace, account),
				append(serviceaccount.MakeGroupNames(namespace), user.AllAuthenticated), r)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		f.skip(thing, "run this with a kubeconfig that may create subjectaccessreviews", "%s", unanswered(err))
		return
	}
	missing := 0
	for i, r := range all {
		if allowed[i] {
			continue
		}
		missing++
		found := "it may not " + r.String()
		if r.why != "" {
			found += ", which is needed for " + r.why
		}
		f.fail(thing, applyRights, "%s", found)
	}
	if missing == 0 {
		f.ok(thing, "has all of the %d rights that are needed", len(all))
	}
	w.checkBootstrapper(ctx, f)
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

func unanswered(err error) string {
	if apierrors.IsForbidden(err) {
		return "you may not ask what others may do: " + err.Error()
	}
	return "the API server does not say: " + err.Error()
}

// may asks the API server whether somebody has a right.
func (w *World) may(ctx context.Context, who string, groups []string, r right) (bool, error) {
	review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{
		User: who, Groups: groups,
		ResourceAttributes: &authorization.ResourceAttributes{
			Group: r.group, Version: "*", Resource: r.resource, Subresource: r.subresource, Name: r.name, Verb: r.verb, Namespace: r.namespace,
		},
	}}
	answer, err := w.Kubernetes.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return answer.Status.Allowed, nil
}

// checkBootstrapper looks whether a machine with a minted token may ask for a certificate.
func (w *World) checkBootstrapper(ctx context.Context, f *findings) {
	if w.Snapshot == nil || !w.mints() {
		return
	}
	thing := "group " + bootstrap.TokenGroup
	ok, err := w.may(ctx, bootstrap.UserPrefix+"aaaaaa", []string{bootstrap.TokenGroup, user.AllAuthenticated},
		right{group: "certificates.k8s.io", resource: "certificatesigningrequests", verb: "create"})
	switch {
	case err != nil:
		f.skip(thing, "", "%s", unanswered(err))
	case !ok:
		f.fail(thing, applyRights, "a machine with a minted token may not ask for a certificate: it can't join")
	default:
		f.ok(thing, "a machine with a minted token may ask for a certificate")
	}
}

// checkApproval looks whether anybody approves certificates without proof.
func checkApproval(ctx context.Context, w *World, f *findings) {
	minted := slices.ContainsFunc(w.Snapshot.Groups(), func(g *nodegroups.Group) bool { return g.Config.TokenSource == nodegroups.TokenMinted })
	yes, why, err := bootstrap.ApprovesBlindly(ctx, w.Kubernetes)
	switch thing := "kube-controller-manager"; {
	case err != nil:
		f.skip(thing, "run this with a kubeconfig that may create subjectaccessreviews", "%s", unanswered(err))
	case yes:
		f.warn(thing, bootstrap.BlindApprovalRemedy, "it approves whatever certificate a bootstrap token asks for, without proof (%s)", why)
	default:
		f.ok(thing, "it approves no certificate of a machine that joins; the autoscaler does, with proof")
	}
	if !minted {
		return
	}
	if !w.program.Provider.Bool("approve-node-certificates", true) {
		f.warn("--approve-node-certificates", "leave the flag out, or approve by hand in time", "it is false: machines with minted tokens wait for somebody who approves their certificates")
	}
}
