package simulator

import (
	_ "embed"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
)

//go:embed testdata/flat.yaml
var flatTemplate string

//go:embed testdata/nested.yaml
var nestedTemplate string

//go:embed testdata/member.yaml
var memberTemplate string

// tester is a *testing.T or a *rapid.T.
type tester interface {
	require.TestingT
	Helper()
}

// cloud is a simulator on a fake clock, with what tests ask of it all the time.
type cloud struct {
	*Simulator
	t     tester
	clock *clocktesting.FakeClock
}

func newCloud(t *testing.T, options ...func(*Options)) *cloud {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	o := Options{Clock: clock}
	for _, f := range options {
		f(&o)
	}
	c := &cloud{New(o), t, clock}
	t.Cleanup(c.Close)
	return c
}

// settle lets time pass until nothing is under way and returns how much has.
func (c *cloud) settle() time.Duration {
	c.t.Helper()
	start := c.Now()
	for !c.Settled() {
		require.Less(c.t, c.Now().Sub(start), 3*time.Hour, "the cloud does not come to rest")
		next, ok := c.NextEvent()
		require.True(c.t, ok, "something is under way and nothing will happen")
		c.clock.Step(max(next, time.Millisecond))
	}
	return c.Now().Sub(start)
}

func (c *cloud) flat(name string, count int, tags ...string) string {
	c.t.Helper()
	id, err := c.CreateStack("demo", StackSpec{Name: name, Template: flatTemplate, Parameters: map[string]any{"node_count": count}, Tags: tags})
	require.NoError(c.t, err)
	c.settle()
	return id
}

func (c *cloud) nested(name string, count int) string {
	c.t.Helper()
	id, err := c.CreateStack("demo", StackSpec{Name: name, Template: nestedTemplate, Files: map[string]string{"member.yaml": memberTemplate},
		Parameters: map[string]any{"node_count": count}})
	require.NoError(c.t, err)
	c.settle()
	return id
}

func (c *cloud) patch(id string, parameters map[string]any) {
	c.t.Helper()
	require.NoError(c.t, c.PatchStack(id, parameters))
}

func (c *cloud) stack(id string) Stack {
	c.t.Helper()
	st, ok := c.Stack(id)
	require.True(c.t, ok)
	return st
}

func (c *cloud) indices(id string) []string {
	c.t.Helper()
	list := []string{}
	for _, m := range c.stack(id).Members {
		list = append(list, m.Index)
	}
	return list
}

// causes tells of every death since the count-th.
func (c *cloud) causes(since int) map[string]Cause {
	out := map[string]Cause{}
	for _, d := range c.Deaths()[since:] {
		out[d.Index] = d.Cause
	}
	return out
}
