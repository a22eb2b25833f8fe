package credential

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/ground"
)

// handOver puts the credential everywhere it was asked to go. If that fails, it is deleted where nobody has its secret, since it is of
// no use to anybody, and stays where somebody has: what was there before is overwritten already.
func (c *command) handOver(ctx context.Context, g *ground.Ground, made *access.Credential) (places []string, err error) {
	places, err = c.write(ctx, g, made)
	switch {
	case err == nil:
		return places, nil
	case len(places) > 0:
		return nil, fmt.Errorf("%w; %s stays, since it is in %s", err, made, strings.Join(places, " and "))
	}
	if undone := access.Delete(context.WithoutCancel(ctx), g.Session, made); undone != nil {
		return nil, errors.Join(err, undone)
	}
	return nil, fmt.Errorf("%w; %s is deleted again", err, made)
}

// write goes on to the end of the list only if nothing fails. places are those that have it, or may have it, in any case.
func (c *command) write(ctx context.Context, g *ground.Ground, made *access.Credential) (places []string, err error) {
	if c.file != "" {
		text, err := made.CloudsYAML()
		if err != nil {
			return places, err
		}
		if err := access.WriteFile(c.file, text); err != nil {
			return places, fmt.Errorf("--file: %w", err)
		}
		places = append(places, "file "+c.file)
	}
	if c.secret != "" {
		place, err := c.writeSecret(ctx, g, made)
		if place != "" {
			places = append(places, place)
		}
		if err != nil {
			return places, err
		}
	}
	if c.show {
		text, err := made.CloudsYAML()
		if err != nil {
			return places, err
		}
		if _, err := c.Out.Write(text); err != nil {
			return places, fmt.Errorf("--show: %w", err)
		}
	}
	return places, nil
}

// writeSecret returns where the credential is, or may be: an answer that got lost says nothing about the write.
func (c *command) writeSecret(ctx context.Context, g *ground.Ground, made *access.Credential) (place string, err error) {
	namespace, err := c.Namespace()
	if err != nil {
		return "", err
	}
	place = fmt.Sprintf("Secret %s/%s, key %s", namespace, c.secret, access.CloudConfKey)
	writing, cancel := ground.Bounded(ctx)
	defer cancel()
	if err = access.WriteSecret(writing, g.Client, namespace, c.secret, made); err == nil {
		return place, nil
	}
	reading, cancel := ground.Bounded(context.WithoutCancel(ctx))
	defer cancel()
	switch holds, unread := access.SecretHolds(reading, g.Client, namespace, c.secret, made); {
	case unread != nil:
		return "perhaps " + place, errors.Join(err, unread)
	case holds:
		return place, nil
	}
	return "", err
}
