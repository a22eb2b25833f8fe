package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestBadGroupsAreReported: groups that are configured wrongly are told as Events and in a metric, with group, key and value,
// and left alone; the good one works.
func TestBadGroupsAreReported(t *testing.T) {
	t.Parallel()
	s := newScene(t, "report")
	tags := func(more ...string) []string {
		return append([]string{"cluster-autoscaler-enabled", "cluster=report"}, more...)
	}
	cases := []struct {
		spec   world.GroupSpec
		reason string
		// words must be in the Event.
		words []string
	}{
		{world.GroupSpec{Name: "minmax", Min: 5, Max: 2}, "MinAboveMax", []string{"5", "2"}},
		{world.GroupSpec{Name: "tag", Max: 2, Tags: tags("node-group-mxa-size=3")}, "MisspeltTag", []string{"node-group-mxa-size"}},
		{world.GroupSpec{Name: "key", Max: 2, Annotations: map[string]string{"colour": "blue"}}, "UnknownAnnotation", []string{"colour"}},
		{world.GroupSpec{Name: "value", Max: 2, Annotations: map[string]string{"node-group-max-size": "many"}}, "BadAnnotation", []string{"node-group-max-size", "many"}},
		{world.GroupSpec{Name: "parameter", Max: 2, Annotations: map[string]string{"size-parameter": "workers"}}, "MissingParameter", []string{"workers", "size-parameter"}},
		{world.GroupSpec{Name: "flavor", Max: 2, Annotations: map[string]string{"flavor-parameter": "image"}}, "UnknownFlavor", []string{"node-image"}},
	}
	var bad []*world.Group
	for _, c := range cases {
		bad = append(bad, s.group(c.spec))
	}
	good := s.group(world.GroupSpec{Name: "good", Max: 3})
	before := len(s.sim.Updates())
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m"})
	s.runs("app", 1)
	s.size(good, 1)

	for i, c := range cases {
		s.until("an Event about "+bad[i].Name, func(ctx context.Context) error {
			return s.eventAbout(ctx, c.reason, append(c.words, bad[i].Name))
		})
		problems, err := s.Autoscaler.Samples(t.Context(), "cluster_autoscaler_openstack_problems", map[string]string{"reason": c.reason}, "node_group")
		require.NoError(t, err)
		require.Equal(t, map[string]float64{bad[i].Name: 1}, problems, "metric for %s", c.reason)
	}
	for _, update := range s.sim.Updates()[before:] {
		require.Equal(t, good.Name, update.StackName, "only the good stack was written to")
	}
}

// eventAbout looks for an Event of a reason whose message has all of these words.
func (s *scene) eventAbout(ctx context.Context, reason string, words []string) error {
	events, err := s.Events(ctx, reason)
	if err != nil {
		return err
	}
	var messages []string
	for _, event := range events {
		missing := false
		for _, word := range words {
			missing = missing || !strings.Contains(event.Message, word)
		}
		if !missing {
			return nil
		}
		messages = append(messages, event.Message)
	}
	return fmt.Errorf("no Event with %q among %q", words, messages)
}
