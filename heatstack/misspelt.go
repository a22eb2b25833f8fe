package heatstack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// lookForMisspelt looks through the stacks that are no node groups for those that were most likely meant to be.
func (c *Cloud) lookForMisspelt(ctx context.Context) {
	now := c.opts.Clock.Now()
	c.mu.Lock()
	due := !now.Before(c.nextMisspelt) && len(c.opts.Discovery) > 0
	c.mu.Unlock()
	if !due {
		return
	}
	rows, err := c.heat.ListStacks(ctx, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nextMisspelt = c.refreshedAfter(misspeltInterval)
	if err != nil {
		klog.FromContext(ctx).Error(err, "Misspelt tags can't be looked for")
		return
	}
	c.misspelt = nil
	for i := range rows {
		if _, wanted := c.wanted(&rows[i]); wanted {
			continue
		}
		for _, d := range c.opts.Discovery {
			if problem := d.misspelt(&rows[i]); problem != nil {
				c.misspelt = append(c.misspelt, *problem)
				break
			}
		}
	}
}

// misspelt says how a stack that does not fit was most likely meant to, nil if it was not. A tag that only has another value is
// no slip: cluster=prod1 and cluster=prod2 are two clusters.
func (d Discovery) misspelt(row *StackRow) *nodegroups.Problem {
	problem := nodegroups.Problem{Reason: nodegroups.ReasonMisspeltTag, Severity: nodegroups.Warning, Stack: row.Name}
	anyOfOurs := false
	for _, want := range d.Tags {
		wantKey, wantValue, _ := strings.Cut(want, "=")
		if slices.ContainsFunc(row.Tags, func(tag string) bool { key, _, _ := strings.Cut(tag, "="); return key == wantKey }) {
			anyOfOurs = true
		}
		if slices.Contains(row.Tags, want) {
			continue
		}
		at := slices.IndexFunc(row.Tags, func(tag string) bool {
			key, value, _ := strings.Cut(tag, "=")
			return nodegroups.Misspelt(key, wantKey) && (value == wantValue || nodegroups.Misspelt(value, wantValue))
		})
		if at < 0 {
			return d.forgotten(row, anyOfOurs)
		}
		problem.Key, problem.Value, _ = strings.Cut(row.Tags[at], "=")
		problem.Message = fmt.Sprintf("the tag looks like %q, by which stacks are discovered; the stack is not served", want)
		problem.Remedy = fmt.Sprintf("call the tag %q", want)
	}
	if problem.Message == "" {
		return nil
	}
	return &problem
}

// forgotten: a stack has none of the wanted tags, not even with another value, and annotations of a node group all the same.
func (d Discovery) forgotten(row *StackRow, anyOfOurs bool) *nodegroups.Problem {
	if anyOfOurs {
		return nil
	}
	for _, tag := range row.Tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok {
			continue
		}
		if _, near := nodegroups.NearAnnotation(key); near || isAnnotation(key) {
			wanted := strings.Join(d.Tags, ", ")
			return &nodegroups.Problem{
				Reason: nodegroups.ReasonMisspeltTag, Severity: nodegroups.Warning, Stack: row.Name, Key: key, Value: value,
				Message: fmt.Sprintf("the stack has an annotation and none of the tags by which stacks are discovered (%s); it is not served", wanted),
				Remedy:  fmt.Sprintf("add the tags (%s), or take the annotation away", wanted),
			}
		}
	}
	return nil
}

func isAnnotation(key string) bool {
	_, known := nodegroups.CanonicalKey(key)
	return known
}
