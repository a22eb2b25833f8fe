package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cluster-bootstrap/token/util"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// ErrOtherInstance says that another autoscaler of the cluster has minted a token: what is asked with it is for that one to decide.
var ErrOtherInstance = errors.New("another autoscaler of this cluster has minted the token")

// NodeGroup returns the node group for whose machines the token with this id was minted. found is false if there is no such
// token of ours, or if it is valid no more. An error means that nobody knows, or ErrOtherInstance. It asks the API server, not a cache: a token
// that was revoked a moment ago is not found.
func (t *Tokens) NodeGroup(ctx context.Context, tokenID string) (group string, found bool, err error) {
	if !util.IsValidBootstrapTokenID(tokenID) {
		return "", false, nil
	}
	secret, err := t.client.CoreV1().Secrets(TokenNamespace).Get(unlogged(ctx), secretName(tokenID), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("reading bootstrap token %s: %w", tokenID, err)
	}
	k, ok := tokenOf(secret)
	if !ok {
		return "", false, nil
	}
	if k.instance != t.opts.Instance {
		return "", false, ErrOtherInstance
	}
	now, err := t.time.now(ctx)
	if err != nil {
		return "", false, err
	}
	if k.isExpired(now) {
		return "", false, nil
	}
	return k.group, true, nil
}

// ValidFor is how long a token for new machines of the node group has to be valid: as long as they may take to become nodes.
func (t *Tokens) ValidFor(snapshot *nodegroups.Snapshot, group string) time.Duration {
	if g := snapshot.Group(group); g != nil {
		return provisionTime(g, t.opts.ProvisionTime)
	}
	return t.opts.ProvisionTime
}
