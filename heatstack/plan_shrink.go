package heatstack

import (
	"errors"
	"fmt"
	"strings"
)

// sizing is the indices that will remain while a plan is being made.
type sizing struct {
	view            *view
	intended, named indexSet
}

// errNothingToShrink is wrapped when fewer members than asked for have never been made.
var errNothingToShrink = errors.New("not that many members are ordered and not made")

// shrink takes away by indices that no server has. Unlisted ones can only be taken from the top, by the count: Heat ignores
// a name that is no member. Members listed without a server are named; failed ones go first.
func (s sizing) shrink(by int) (sizing, error) {
	out := sizing{view: s.view, intended: s.intended.minus(nil), named: s.named.minus(nil)}
	if by <= 0 {
		return s, fmt.Errorf("shrinking by %d", by)
	}
	for range by {
		top := out.intended.top()
		if top >= 0 && !out.view.living[top] {
			delete(out.intended, top)
			continue
		}
		unmade := out.unmade()
		if unmade < 0 {
			return s, fmt.Errorf("%w: %d are wanted, and a missing member below a living one cannot be named before Heat lists it", errNothingToShrink, by)
		}
		delete(out.intended, unmade)
		out.named[unmade] = true
	}
	return out, nil
}

// unmade is the member without a server that goes first, -1 if there is none.
func (s sizing) unmade() int {
	best, bestFailed := -1, false
	for i := range s.intended {
		row := s.view.rows[i]
		if !s.view.living[i] || row.ServerID != "" {
			continue
		}
		isFailed := strings.HasSuffix(row.Status, "_FAILED")
		if best < 0 || (isFailed && !bestFailed) || (isFailed == bestFailed && i > best) {
			best, bestFailed = i, isFailed
		}
	}
	return best
}
