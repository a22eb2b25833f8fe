package bootstrap

import (
	"context"
	"fmt"

	authorization "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/kubernetes"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// BlindApprovalRemedy says what to do where ApprovesBlindly.
const BlindApprovalRemedy = "delete the ClusterRoleBinding to the ClusterRole system:certificates.k8s.io:certificatesigningrequests:nodeclient, " +
	"or narrow it to groups other than " + bootstrapapi.BootstrapDefaultGroup + ", " + TokenGroup + " and " + user.AllAuthenticated

// ApprovesBlindly asks whether the cluster approves whatever the bearer of a token of ours asks for, and why. kube-controller-manager's
// approver asks just that question and approves if the answer is yes (kubernetes, pkg/controller/certificates/approver,
// sarapprove.go): any node name, without any proof, and most often before we have looked.
//
// Its other question, selfnodeclient, is about nodes that renew their certificates: that is wanted.
func ApprovesBlindly(ctx context.Context, client kubernetes.Interface) (yes bool, why string, err error) {
	review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{
		User:   UserPrefix + "aaaaaa",
		Groups: []string{bootstrapapi.BootstrapDefaultGroup, TokenGroup, user.AllAuthenticated},
		ResourceAttributes: &authorization.ResourceAttributes{
			Group: "certificates.k8s.io", Version: "*", Resource: "certificatesigningrequests", Subresource: "nodeclient", Verb: "create",
		},
	}}
	answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, "", err
	}
	why = answer.Status.Reason
	if why == "" {
		why = "no reason was given"
	}
	return answer.Status.Allowed, why, nil
}

// lookAtSetup reports that the cluster approves blindly.
func (a *Approver) lookAtSetup(ctx context.Context) {
	if !a.opts.Joining {
		return
	}
	allowed, why, err := ApprovesBlindly(ctx, a.client)
	switch {
	case apierrors.IsForbidden(err):
		a.opts.Reporter.Report(nodegroups.Problem{
			Reason: nodegroups.ReasonNoPermission, Severity: nodegroups.Warning, Key: "subjectaccessreviews",
			Message: "it can't be told whether the cluster approves nodes' certificates blindly: " + err.Error(),
			Remedy:  "apply deploy/kubernetes/cluster-autoscaler-openstack.yaml anew",
		})
	case err != nil:
		if ctx.Err() == nil {
			klog.FromContext(ctx).Error(err, "It can't be told whether the cluster approves nodes' certificates blindly; asked again", "after", setupInterval)
		}
	case allowed:
		a.opts.Reporter.Report(nodegroups.Problem{
			Reason: nodegroups.ReasonBlanketApproval, Severity: nodegroups.Warning, Key: "certificatesigningrequests/nodeclient",
			Message: fmt.Sprintf("kube-controller-manager approves whatever certificate a bootstrap token asks for, without proof (%s)", why),
			Remedy:  BlindApprovalRemedy,
		})
	}
}
