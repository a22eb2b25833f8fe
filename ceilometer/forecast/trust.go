package forecast

// trust is the record of the blend itself: how much of the time the load stayed within the upper bound.
type trust struct {
	held []bool
	next int
	sum  int
}

// trustMargin is how far the coverage may be below the quantile before forecasts are no longer believed.
const trustMargin = .25

// near is how far above the upper bound a load may be and still count as within it. In a load that hardly varies, misses are many at a time
// and of no weight.
const near = .05

func newTrust(size int) *trust { return &trust{held: make([]bool, 0, max(size, minResiduals))} }

func (t *trust) add(held bool) {
	if len(t.held) < cap(t.held) {
		t.held = append(t.held, held)
	} else {
		if t.held[t.next] {
			t.sum--
		}
		t.held[t.next] = held
		t.next = (t.next + 1) % len(t.held)
	}
	if held {
		t.sum++
	}
}

// coverage is the part of the time that held; 0 while too little is known.
func (t *trust) coverage() float64 {
	if len(t.held) < minResiduals {
		return 0
	}
	return float64(t.sum) / float64(len(t.held))
}
