package prometheus

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// vector is the result of an instant query.
type vector = model.Vector

// answer is what a service says to a query.
type answer struct {
	vector   vector
	warnings []string
}

// onlyVector refuses results that can't name groups.
func onlyVector(kind model.ValueType) error {
	if kind == model.ValVector {
		return nil
	}
	return fmt.Errorf("the result is a %s, not a vector with an element per node group; write an instant vector expression such as avg by (node_group) (...)", kind)
}

// at is when the data of an element of age ts was made, by the clock of request.Now. The element's own timestamp is the
// time of the question on the server's clock.
func at(request ceilometer.Request, asked model.Time, ts float64) time.Time {
	age := time.Duration((float64(asked)/1000 - ts) * float64(time.Second))
	return request.Now.Add(-max(age, 0))
}

// mostAhead is how far a scrape's time may be ahead of the question's. Exporters that give times of their own may have clocks
// that are a little fast.
const mostAhead = time.Minute

// checkTime judges a part "timestamp".
func checkTime(asked model.Time, ts float64) error {
	if math.IsNaN(ts) || math.IsInf(ts, 0) || ts < 0 {
		return fmt.Errorf("%w: the time of the data is %v", ceilometer.ErrAbsurd, ts)
	}
	if ahead := time.Duration((ts - float64(asked)/1000) * float64(time.Second)); ahead > mostAhead {
		return fmt.Errorf("%w: the data is from %s after the question", ceilometer.ErrAbsurd, ahead.Round(time.Second))
	}
	return nil
}

// absurd tells of values that no load has.
func absurd(value float64) bool {
	return math.IsNaN(value) || math.IsInf(value, 0) || value < 0
}
