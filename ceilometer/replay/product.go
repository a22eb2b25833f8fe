package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/forecast"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Product is the policy that the autoscaler itself has: ceilometer.Floors, with the annotations of a node group, the clock of the trace,
// and a telemetry that tells each bucket a minute after its end.
//
// What it is told is the load per machine that worked at the end of the bucket, in percent, and as machines that run those that
// work. The CPU of a machine stops at 100 %, and other loads do not: the telemetry stops at mostLoad, the most that floors believe.
type Product struct {
	floors *ceilometer.Floors
	clock  *testclock.FakeClock
	tape   *tape
	config nodegroups.Config
	group  *nodegroups.Group
	begin  time.Time
	size   int
}

// groupName is the node group of a replay.
const groupName = "replay"

// NewProduct makes the policy that the autoscaler has of a trace's node group with these annotations. The limits and the
// size at the beginning are the setup's. The metric is CPU and the target the setup's; annotations that say otherwise are an error.
func NewProduct(t *Trace, s Setup, annotations map[nodegroups.Key]string) (*Product, error) {
	text, err := json.Marshal(annotations)
	if err != nil {
		return nil, err
	}
	own := []string{
		string(nodegroups.KeyLoadMetric) + "=" + ceilometer.MetricCPU,
		fmt.Sprintf("%s=%g", nodegroups.KeyLoadTarget, 100*s.Target),
		fmt.Sprintf("%s=%dm", nodegroups.KeyForecastBootTime, s.Boot),
	}
	config, problems := nodegroups.ParseConfig(groupName, own, string(text))
	config.SetLimits(s.Min, s.Max)
	p := &Product{
		clock: testclock.NewFakeClock(t.Begin), config: config, begin: t.Begin, size: s.Start,
		tape: &tape{loads: t.Loads, bucket: time.Duration(t.Bucket) * time.Minute, begin: t.Begin, newest: -1},
	}
	p.tape.worked = make([]int, len(t.Loads))
	p.floors = ceilometer.NewFloors(ceilometer.Options{
		Sources:       map[string]ceilometer.Source{ceilometer.SourceGnocchi: p.tape},
		Clock:         p.clock,
		NewForecaster: newForecaster,
	})
	p.order(s.Start, s.Start)
	_, more, _ := ceilometer.PolicyOf(p.group, &ceilometer.Defaults{})
	var wrong []string
	for _, problem := range append(nodegroups.WithoutLimits(problems), more...) {
		wrong = append(wrong, fmt.Sprintf("annotation %s=%s: %s; %s", problem.Key, problem.Value, problem.Message, problem.Remedy))
	}
	if wrong != nil {
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	return p, nil
}

// newForecaster makes the forecasters that the autoscaler makes.
func newForecaster(o ceilometer.ForecastOptions) (ceilometer.Forecaster, error) {
	f, err := forecast.New(forecast.Options{Bucket: o.Bucket, BootTime: o.BootTime, Quantile: o.Quantile})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// order makes the node group one of that many members, of which so many run. Groups are never changed, so it is a new one.
func (p *Product) order(size, running int) {
	members := make([]*nodegroups.Member, size)
	for i := range members {
		members[i] = &nodegroups.Member{ServerID: fmt.Sprint(i), State: nodegroups.Running, Created: p.begin}
		if i >= running {
			members[i].State = nodegroups.Creating
		}
	}
	p.group = &nodegroups.Group{
		Name: groupName, Config: p.config, MinSize: p.config.MinSize, MaxSize: p.config.MaxSize, Target: size, Members: members,
	}
	p.size, p.tape.running = size, running
}

// Want implements Policy. The size wanted is the floor: nothing else grows the group, and nothing keeps it larger.
func (p *Product) Want(now Moment) int {
	at := p.begin.Add(time.Duration(now.Minute) * time.Minute)
	p.clock.SetTime(at)
	if size := now.Ready + now.Starting; size != p.size || now.Ready != p.tape.running {
		p.order(size, now.Ready)
	}
	p.tape.pass(at, now)
	floor, ok := p.floors.Update(context.Background(), []*nodegroups.Group{p.group})[groupName]
	if !ok {
		return p.size
	}
	return floor.Size
}

// tape is a telemetry that plays a trace.
type tape struct {
	loads  []float64
	bucket time.Duration
	begin  time.Time
	// newest is the newest bucket that is known; running the machines that work now, and worked those that did at the end of a bucket.
	newest, running int
	worked          []int
}

// mostLoad is the load of a machine, in percent, at which telemetry stops.
const mostLoad = 200

// pass tells what is so at a minute.
func (t *tape) pass(at time.Time, now Moment) {
	t.newest = now.Newest
	if ended := int(at.Sub(t.begin)/t.bucket) - 1; at.Sub(t.begin)%t.bucket == 0 && ended >= 0 {
		t.worked[ended] = now.Ready
	}
}

// Read implements ceilometer.Source.
func (t *tape) Read(_ context.Context, r ceilometer.Request) (map[string]ceilometer.Sample, error) {
	if t.newest < 0 {
		return nil, nil
	}
	end := func(i int) time.Time { return t.begin.Add(time.Duration(i+1) * t.bucket) }
	sum, n := 0., 0.
	for i := t.newest; i >= 0 && (i == t.newest || end(i).After(r.Now.Add(-r.Window))); i-- {
		sum += min(100*t.loads[i]/float64(t.worked[i]), mostLoad)
		n++
	}
	return map[string]ceilometer.Sample{groupName: {
		Load: sum / n, Machines: t.worked[t.newest], At: end(t.newest), Granularity: t.bucket,
	}}, nil
}
