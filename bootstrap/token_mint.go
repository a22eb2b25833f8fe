package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cluster-bootstrap/token/util"
	"k8s.io/klog/v2"
)

// mintTries is how many ids are tried. There are two billion of them, so that a second try is rare already.
const mintTries = 3

// mint makes a token that is valid until expires, or up to a second longer.
func (t *Tokens) mint(ctx context.Context, group string, expires time.Time) (*token, error) {
	expires = expires.Add(time.Second - 1).Truncate(time.Second) // a Secret has whole seconds
	for range mintTries {
		text, err := util.GenerateBootstrapToken()
		if err != nil {
			return nil, fmt.Errorf("no random numbers: %w", err)
		}
		id, secret, _ := strings.Cut(text, ".")
		fresh := &token{id: id, secret: hide(secret), group: group, instance: t.opts.Instance, expires: expires}
		made, err := t.client.CoreV1().Secrets(TokenNamespace).Create(unlogged(ctx), fresh.object(), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			continue
		}
		// Also if nobody knows whether it exists: whatever was made has to be looked after.
		t.lookSoon()
		if err != nil {
			return nil, fresh.hideIn(err)
		}
		fresh.created, fresh.uid = made.CreationTimestamp.Time, made.UID
		t.opts.Observer.TokenMinted(group)
		klog.FromContext(ctx).Info("Made a bootstrap token", "nodeGroup", group, "id", id, "expires", expires)
		return fresh, nil
	}
	return nil, errors.New("every token id that was tried is taken")
}

// list reads our tokens, not those of other autoscalers.
func (t *Tokens) list(ctx context.Context) ([]*token, error) {
	selector := ManagedByLabel + "=" + ManagedBy
	if t.opts.Instance != "" {
		selector += "," + InstanceLabel + "=" + t.opts.Instance
	}
	secrets, err := t.client.CoreV1().Secrets(TokenNamespace).List(unlogged(ctx), metav1.ListOptions{
		LabelSelector: selector,
	})
	if err != nil {
		return nil, fmt.Errorf("listing bootstrap tokens: %w", err)
	}
	tokens := make([]*token, 0, len(secrets.Items))
	for i := range secrets.Items {
		if k, ok := tokenOf(&secrets.Items[i]); ok && k.instance == t.opts.Instance {
			tokens = append(tokens, k)
		}
	}
	return tokens, nil
}

// unlogged keeps client-go from logging the bodies of requests and answers, as it does from --v=8 on: they hold secrets.
func unlogged(ctx context.Context) context.Context { return klog.NewContext(ctx, klog.Logger{}) }

// hideIn returns err with the token's secret blotted out. Nobody is known to repeat it, but an admission webhook might.
func (t *token) hideIn(err error) error {
	if text := err.Error(); strings.Contains(text, t.secret.reveal()) {
		return errors.New(strings.ReplaceAll(text, t.secret.reveal(), hiddenText))
	}
	return err
}
