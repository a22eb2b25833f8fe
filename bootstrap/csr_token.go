package bootstrap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
	tokenutil "k8s.io/cluster-bootstrap/token/util"
	"k8s.io/utils/clock"
)

// SecretTokens finds the node group of a token in the token's Secret. It implements TokenBook.
type SecretTokens struct {
	client kubernetes.Interface
	clock  clock.PassiveClock
}

// NewSecretTokens returns a TokenBook that reads Secrets through client. A nil clock is the real one.
func NewSecretTokens(client kubernetes.Interface, c clock.PassiveClock) *SecretTokens {
	if c == nil {
		c = clock.RealClock{}
	}
	return &SecretTokens{client: client, clock: c}
}

// NodeGroup implements TokenBook. Only a Secret that carries our label and that the API server takes for a token of TokenGroup
// counts. No part of it but its labels and its expiry gets out of here.
func (t *SecretTokens) NodeGroup(ctx context.Context, tokenID string) (group string, found bool, err error) {
	secret, err := t.client.CoreV1().Secrets(TokenNamespace).Get(ctx, tokenutil.BootstrapTokenSecretName(tokenID), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("reading the Secret of token %s: %w", tokenID, err)
	}
	group = secret.Annotations[NodeGroupAnnotation]
	groups := strings.Split(string(secret.Data[bootstrapapi.BootstrapTokenExtraGroupsKey]), ",")
	switch {
	case secret.DeletionTimestamp != nil, secret.Type != bootstrapapi.SecretTypeBootstrapToken,
		secret.Labels[ManagedByLabel] != ManagedBy, group == "", !slices.Contains(groups, TokenGroup),
		string(secret.Data[bootstrapapi.BootstrapTokenIDKey]) != tokenID,
		!t.isAlive(secret):
		return "", false, nil
	}
	return group, true, nil
}

// isAlive says whether a token has not expired. One that never does is not ours.
func (t *SecretTokens) isAlive(secret *v1.Secret) bool {
	until, err := time.Parse(time.RFC3339, string(secret.Data[bootstrapapi.BootstrapTokenExpirationKey]))
	return err == nil && t.clock.Now().Before(until)
}
