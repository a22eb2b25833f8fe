package ceilometer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A group that has just grown is not small because its new machines are not measured yet.
func TestYoungMachinesAreNoReasonToShrink(t *testing.T) {
	for name, tag := range map[string]string{"target": "load-target=60", "steps": "load-steps=70:+2;20:-1"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 3, 1, 9, "load-metric=cpu", tag)
			assert.Equal(t, 5, r.after(30*time.Second, 85, 3))
			r.group = groupOf(t, "workers", 5, 1, 9, "load-metric=cpu", tag)
			// The two new ones do their part and have no points for as long as Ceilometer takes: three old ones at 51 % are not all.
			assert.Equal(t, 5, r.after(20*time.Minute, 51, 3))
			assert.Equal(t, 5, r.after(20*time.Minute, 51, 5))
		})
	}
}

func TestYoungMachinesDoNotHideWhatIsKnown(t *testing.T) {
	tags := []string{"load-metric=cpu", "load-target=60"}
	r := newRig(t, 5, 1, 9, tags...)
	assert.Equal(t, 7, r.after(30*time.Second, 100, 4), "one that is idle would not change that four are too busy")
	r = newRig(t, 5, 1, 9, tags...)
	assert.Equal(t, 5, r.after(10*time.Minute, 60, 5))
	assert.Equal(t, 3, r.after(10*time.Minute, 18, 4), "one that is as busy as it should be leaves four with 72 %: three are enough")
	r = newRig(t, 5, 0, 9, tags...)
	assert.Equal(t, 2, r.after(10*time.Minute, 0, 3), "from the start on, too")
}
