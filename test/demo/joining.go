package main

import (
	"context"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// Who is spoken of in the timeline when machines join.
const (
	tokenWho   = "token"
	requestWho = "join"
)

// tokens shows the bootstrap tokens that the autoscaler mints, by their public part.
func tokens(ctx context.Context, w *world.World) ([]sight, error) {
	list, err := w.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	// There always is one, so that the end of the last token is noticed. It has nothing to say and is not printed.
	sights := []sight{{who: tokenWho}}
	for _, token := range list {
		sights = append(sights, sight{tokenWho, token.ID, "is minted for new machines of " + token.Group})
	}
	return sights, nil
}

// revoked is what is said of a token that is not there any more.
const revoked = "is revoked"

// gone are the tokens that were there before.
func gone(seen map[string]string, now []sight) []sight {
	if len(now) == 0 || now[0].who != tokenWho {
		return nil
	}
	var sights []sight
	for key := range seen {
		id, isToken := strings.CutPrefix(key, tokenWho+"/")
		if isToken && !slices.ContainsFunc(now, func(s sight) bool { return s.key == id }) {
			sights = append(sights, sight{tokenWho, id, revoked})
		}
	}
	return sights
}

// requests shows what machines ask for in order to join, and what comes of it.
func requests(ctx context.Context, w *world.World) ([]sight, error) {
	list, err := w.Requests(ctx)
	if err != nil {
		return nil, err
	}
	sights := make([]sight, 0, len(list))
	for _, request := range list {
		text := "asks for a node's certificate"
		for _, condition := range request.Status.Conditions {
			text = "has its request " + strings.ToLower(string(condition.Type)) + ": " + condition.Message
		}
		sights = append(sights, sight{requestWho, world.NodeOf(&request), text})
	}
	return sights, nil
}
