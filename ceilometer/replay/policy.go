package replay

import (
	"fmt"
	"math"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/forecast"
)

// Policy wants a size each minute.
type Policy interface {
	// Want is asked each minute; newest is the number of the newest bucket that is known, -1 for none.
	Want(minute, newest int) int
}

// Reactive is the policy that follows the load as HorizontalPodAutoscaler does.
type Reactive struct {
	loads    []float64
	target   float64
	min, max int
	wanted   int
	recent   [downWindow]int
}

// NewReactive makes a policy that aims at target, whatever the one is that a replay is judged by.
func NewReactive(loads []float64, s Setup, target float64) *Reactive {
	r := &Reactive{loads: loads, target: target, min: s.Min, max: s.Max, wanted: s.Start}
	return r
}

// Want implements Policy.
func (r *Reactive) Want(minute, newest int) int {
	recommended := r.wanted
	if newest >= 0 {
		load := r.loads[newest]
		if ratio := load / (r.target * float64(r.wanted)); math.Abs(ratio-1) > tolerance {
			recommended = int(math.Ceil(load / r.target))
		}
	}
	recommended = max(r.min, min(recommended, r.max))
	r.recent[minute%downWindow] = recommended
	wanted := recommended
	for _, n := range r.recent {
		wanted = max(wanted, n)
	}
	r.wanted = wanted
	return wanted
}

// Foreseen is Reactive with a forecast below it as a floor.
type Foreseen struct {
	*Reactive
	// Sizes are those that the forecast wants after each bucket; 0 for no opinion.
	Sizes []int
}

// Want implements Policy.
func (f *Foreseen) Want(minute, newest int) int {
	wanted := f.Reactive.Want(minute, newest)
	for i := max(0, newest-foreseenFor+1); i <= newest; i++ {
		wanted = max(wanted, f.Sizes[i])
	}
	return min(wanted, f.max)
}

// NewForeseen makes the policy of setup with forecasts at that quantile. The forecasts see each bucket only after it has passed.
func NewForeseen(loads []float64, s Setup, quantile float64) (*Foreseen, error) {
	bucket := time.Duration(s.Bucket) * time.Minute
	f, err := forecast.New(forecast.Options{Bucket: bucket, BootTime: time.Duration(s.Boot) * time.Minute, Quantile: quantile})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	sizes := make([]int, len(loads))
	end := time.Unix(0, 0)
	for i, load := range loads {
		end = end.Add(bucket)
		f.Observe(end, load)
		if upper, ok := f.Upper(); ok {
			sizes[i] = Size(upper, s.Target)
		}
	}
	return &Foreseen{NewReactive(loads, s, s.Target), sizes}, nil
}

// Size is the size for which a foreseen load is well: half of the tolerance above the target. A floor at the target itself would keep
// more than the reactive policy does in all calm times; one at the end of the tolerance leaves nothing for an error.
func Size(upper, target float64) int {
	return int(math.Ceil(upper/(target*(1+tolerance/2)) - 1e-9))
}

// SizeFor is how many machines carry that load at the target, between the limits.
func (s Setup) SizeFor(load float64) int {
	return max(s.Min, min(int(math.Ceil(load/s.Target-1e-9)), s.Max))
}
