package simulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingIsDueWhenNothingIsUnderWay(t *testing.T) {
	c := newCloud(t)
	_, due := c.NextEvent()
	assert.False(t, due)
	c.flat("g", 2)
	_, due = c.NextEvent()
	assert.False(t, due, "not even the timeout of an action that has ended")
}

func TestFastForward(t *testing.T) {
	c := newCloud(t)
	id, err := c.CreateStack("demo", StackSpec{Name: "g", Template: flatTemplate})
	require.NoError(t, err)
	before := c.Now()
	c.FastForward(time.Minute)
	assert.Equal(t, time.Minute, c.Now().Sub(before))
	assert.Equal(t, "CREATE_COMPLETE", c.stack(id).Status)
}

func TestSpeed(t *testing.T) {
	c := newCloud(t, func(o *Options) { o.Speed = 60 })
	id, err := c.CreateStack("demo", StackSpec{Name: "g", Template: flatTemplate})
	require.NoError(t, err)
	c.clock.Step(time.Second)
	assert.Equal(t, "CREATE_COMPLETE", c.stack(id).Status)
}

func TestAnUpdateTimesOut(t *testing.T) {
	timing := DefaultTiming()
	timing.Build = 2 * time.Hour
	c := newCloud(t, func(o *Options) { o.Timing = &timing })
	id, err := c.CreateStack("demo", StackSpec{Name: "g", Template: flatTemplate, TimeoutMinutes: 30})
	require.NoError(t, err)
	c.clock.Step(31 * time.Minute)
	st := c.stack(id)
	assert.Equal(t, "CREATE_FAILED", st.Status)
	assert.Equal(t, "Timed out", st.Reason)
}
