package bootstrap

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cluster-bootstrap/token/api"
	"k8s.io/cluster-bootstrap/token/util"
)

// hiddenText is what every secret looks like when it is printed.
const hiddenText = "******"

// secretText is the part of a token that nobody may see. However it is printed, it stays hidden: behind a pointer, because
// fmt does not ask the methods of a field that is not exported.
type secretText struct{ text *string }

func hide(text string) secretText { return secretText{&text} }

// reveal returns the text itself.
func (s secretText) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Format implements fmt.Formatter, which goes before every other way to print a value.
func (secretText) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hiddenText)) }

// MarshalText implements encoding.TextMarshaler, for loggers that write JSON.
func (secretText) MarshalText() ([]byte, error) { return []byte(hiddenText), nil }

// token is one bootstrap token of ours, as its Secret in the cluster has it.
type token struct {
	id     string
	secret secretText
	// instance is the autoscaler that minted it, TokensOptions.Instance.
	instance string
	// group is the node group whose new machines the token is for.
	group string
	// created and expires are in the API server's time. expires is zero if the Secret's can't be read: Kubernetes then takes
	// the token for expired (k8s.io/cluster-bootstrap/util/secrets, GetExpiration).
	created, expires time.Time
	uid              types.UID
}

// text is the token in the form in which its bearer shows it. It must go nowhere but into a stack's hidden parameter.
func (t *token) text() string { return util.TokenFromIDAndSecret(t.id, t.secret.reveal()) }

// isExpired tells whether the API server accepts it no more.
func (t *token) isExpired(now time.Time) bool { return !now.Before(t.expires) }

// secretName is the name that Kubernetes wants for a token's Secret.
func secretName(id string) string { return util.BootstrapTokenSecretName(id) }

// object is the Secret of a token that does not exist yet. The usage "signing" is left out: only a machine that learns the
// cluster's CA through the public ConfigMap cluster-info needs it (kubeadm join --discovery-token); our machines get the CA
// from their template, and kubeadm join with a discovery file does without.
func (t *token) object() *v1.Secret {
	labels := map[string]string{ManagedByLabel: ManagedBy}
	if t.instance != "" {
		labels[InstanceLabel] = t.instance
	}
	return &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: TokenNamespace, Name: secretName(t.id),
			Labels:      labels,
			Annotations: map[string]string{NodeGroupAnnotation: t.group},
		},
		Type: api.SecretTypeBootstrapToken,
		Data: map[string][]byte{
			api.BootstrapTokenIDKey:               []byte(t.id),
			api.BootstrapTokenSecretKey:           []byte(t.secret.reveal()),
			api.BootstrapTokenExpirationKey:       []byte(t.expires.UTC().Format(time.RFC3339)),
			api.BootstrapTokenUsageAuthentication: []byte("true"),
			api.BootstrapTokenExtraGroupsKey:      []byte(TokenGroup),
			api.BootstrapTokenDescriptionKey:      []byte("Made by " + ManagedBy + " for new machines of node group " + t.group),
		},
	}
}

// tokenOf reads a Secret. ok is false for one that is not a token of ours, whatever labels it carries: it is left alone.
func tokenOf(s *v1.Secret) (t *token, ok bool) {
	id := string(s.Data[api.BootstrapTokenIDKey])
	group := s.Annotations[NodeGroupAnnotation]
	if s.Type != api.SecretTypeBootstrapToken || s.Labels[ManagedByLabel] != ManagedBy || group == "" ||
		!util.IsValidBootstrapTokenID(id) || s.Name != secretName(id) ||
		string(s.Data[api.BootstrapTokenExtraGroupsKey]) != TokenGroup {
		return nil, false
	}
	t = &token{
		id: id, secret: hide(string(s.Data[api.BootstrapTokenSecretKey])), group: group,
		created: s.CreationTimestamp.Time, uid: s.UID, instance: s.Labels[InstanceLabel],
	}
	if expires, err := time.Parse(time.RFC3339, string(s.Data[api.BootstrapTokenExpirationKey])); err == nil {
		t.expires = expires
	}
	if s.DeletionTimestamp != nil || !util.IsValidBootstrapToken(t.text()) {
		t.expires = time.Time{} // Kubernetes does not accept it
	}
	return t, true
}
