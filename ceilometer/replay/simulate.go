package replay

import "math"

// Setup is what a replay is played under.
type Setup struct {
	// Bucket is the width of the trace's buckets, in minutes.
	Bucket int
	// Boot is how long a machine takes to start, in minutes.
	Boot int
	// Target is the load of a machine that is aimed at, as a part of 1.
	Target float64
	// Min and Max are the limits of the size.
	Min, Max int
	// Start is the size at the beginning; all machines are ready.
	Start int
	// Skip is how many minutes at the beginning are played but not judged.
	Skip int
}

const (
	// tolerance is how far the load may be off target before the size follows, as a part of it.
	tolerance = .1
	// delay is how many minutes after its end a bucket is known.
	delay = 1
	// downWindow is for how many minutes the largest recommendation is kept.
	downWindow = 10
)

// foreseenFor is how many buckets a forecast counts.
const foreseenFor = 3

// Result is what came of a replay.
type Result struct {
	// NodeHours counts machines that start, too.
	NodeHours float64
	// Minutes are those judged, Above those of them in which the load per ready machine was above target x (1 + tolerance).
	Minutes, Above int
	// Started is how many machines were started.
	Started int
}

// Violation is the part of the time that was above target.
func (r Result) Violation() float64 {
	if r.Minutes == 0 {
		return 0
	}
	return float64(r.Above) / float64(r.Minutes)
}

// Step is one minute of a replay, for those who draw it.
type Step func(minute int, load float64, wanted, ready, starting int)

// Simulate plays loads, in fully used machines per bucket, under a policy.
func Simulate(loads []float64, s Setup, p Policy, each Step) Result {
	var r Result
	ready := s.Start
	var starting []int // the minutes at which they are ready, in order
	nodeMinutes := 0
	for t := range len(loads) * s.Bucket {
		for len(starting) > 0 && starting[0] <= t {
			starting = starting[1:]
			ready++
		}
		newest := -1
		if t >= delay {
			newest = (t-delay)/s.Bucket - 1
		}
		wanted := p.Want(t, newest)
		for more := wanted - ready - len(starting); more > 0; more-- {
			starting = append(starting, t+s.Boot)
			if t >= s.Skip {
				r.Started++
			}
		}
		if less := ready + len(starting) - wanted; less > 0 {
			booting := min(less, len(starting))
			starting = starting[:len(starting)-booting] // those that were ordered last
			ready -= less - booting
		}
		load := between(loads, t, s.Bucket)
		if each != nil {
			each(t, load, wanted, ready, len(starting))
		}
		if t < s.Skip {
			continue
		}
		r.Minutes++
		nodeMinutes += ready + len(starting)
		if load > s.Target*(1+tolerance)*float64(ready)*(1+1e-9) {
			r.Above++
		}
	}
	r.NodeHours = float64(nodeMinutes) / 60
	return r
}

// between is the load in the middle of minute t. A bucket's load is its mean, which stands for its middle; between the middles the
// load goes straight.
func between(loads []float64, t, bucket int) float64 {
	at := (float64(t)+.5)/float64(bucket) - .5
	i := int(math.Floor(at))
	if i < 0 {
		return loads[0]
	}
	if i+1 >= len(loads) {
		return loads[len(loads)-1]
	}
	return loads[i] + (at-float64(i))*(loads[i+1]-loads[i])
}
