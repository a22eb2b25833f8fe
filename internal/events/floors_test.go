package events_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
)

func TestAChangeOfAFloorIsExplained(t *testing.T) {
	busy := ceilometer.State{
		Group: "workers", Floor: 5, Applied: true, Min: 2, Max: 8, Target: 3, Reactive: 5, Reason: "floor 5: cpu 85 on 3 machines, target 60, wants 5",
		Signals: []ceilometer.SignalState{{
			Metric: "cpu", Source: "gnocchi", Value: 85, Machines: 3, At: time.Unix(1, 0), Age: 12 * time.Second, Target: 60, Wanted: 5, Opinion: true,
		}},
	}
	silent := busy
	silent.Applied = false
	silent.Signals = []ceilometer.SignalState{{
		Metric: "cpu", Err: fmt.Errorf("member 2: %w", ceilometer.ErrPartial), Wanted: 5, Target: 60,
	}}
	silent.Reason = "the node group has no annotations about load any more, or is gone"
	for name, test := range map[string]struct {
		change ceilometer.Change
		event  []string
		log    []string
	}{
		"raised": {
			ceilometer.Change{State: busy, From: 3, To: 5, Had: true, Has: true},
			[]string{`Normal FloorRaised node group "workers": floor 5: cpu 85 on 3 machines, target 60, wants 5 (the floor was 3; cpu is of 12s ago)`},
			[]string{`floor=5 before=3 min=2 max=8 targetSize=3 signals="cpu 85 over 3 members, 12s old, target 60, wants 5" reactive=5`},
		},
		"the first one": {
			ceilometer.Change{State: busy, To: 5, Has: true},
			[]string{`Normal FloorRaised node group "workers": floor 5: cpu 85 on 3 machines, target 60, wants 5 (the floor was 2; cpu is of 12s ago)`}, nil,
		},
		"the first one, at the minimum": {ceilometer.Change{State: busy, To: 2, Has: true}, nil, nil},
		"lowered": {
			ceilometer.Change{State: busy, From: 7, To: 5, Had: true, Has: true},
			[]string{`Normal FloorLowered node group "workers": floor 5: cpu 85 on 3 machines, target 60, wants 5 (the floor was 7; cpu is of 12s ago)`}, nil,
		},
		"gone": {
			ceilometer.Change{State: silent, From: 5, Had: true},
			[]string{`Normal FloorGone node group "workers": the node group has no annotations about load any more, or is gone (the floor was 5)`},
			[]string{`signals="cpu, target 60, no opinion (member 2: telemetry lacks points of some machines), last wanted 5"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
			recorder := record.NewFakeRecorder(10)
			r := events.NewReporter(klog.NewContext(context.Background(), logger), recorder, "kube-system", "cluster-autoscaler-status", nil)
			events.Floors(r).FloorChanged(context.Background(), test.change)
			require.Equal(t, test.event, drain(recorder))
			for _, want := range test.log {
				require.Contains(t, logger.GetSink().(ktesting.Underlier).GetBuffer().String(), want)
			}
		})
	}
}
