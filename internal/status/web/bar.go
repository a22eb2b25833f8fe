package web

import (
	"fmt"
)

// bar shows a size between 0 and the maximum, in percent.
type bar struct {
	Target, Ready, Floor string
	Text                 string
}

// Bar is the group's size as a picture; nil for a group whose maximum is 0.
func (v *groupView) Bar() *bar {
	if v.MaxSize <= 0 {
		return nil
	}
	part := func(n int) string { return coordinate(100 * min(float64(n)/float64(v.MaxSize), 1)) }
	ready := 0
	if v.Counts.Ready != nil {
		ready = *v.Counts.Ready
	}
	b := &bar{Target: part(v.TargetSize), Ready: part(min(ready, v.TargetSize)), Text: fmt.Sprintf("%s Ready and %d ordered of at most %d", v.Ready, v.TargetSize, v.MaxSize)}
	if v.Floor != nil {
		b.Floor = part(v.Floor.Size)
		b.Text += fmt.Sprintf(", floor %d", v.Floor.Size)
	}
	return b
}
