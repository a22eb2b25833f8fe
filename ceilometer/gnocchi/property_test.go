package gnocchi

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// Whatever happens to machines and to Ceilometer, a sample without an error that is not old is the true load, within 2 points;
// and when all has been well for a while, there is one.
func TestSamplesAreRightOrNoOpinion(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		polling := rapid.SampledFrom([]time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second, minute, 2 * minute, 5 * minute}).Draw(t, "polling")
		granularity := rapid.SampledFrom([]time.Duration{minute, 5 * minute}).Draw(t, "granularity")
		step := max(polling, granularity)
		clock := clocktesting.NewFakeClock(time.Date(2026, 11, 23, 12, 0, rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC))
		cloud := simulator.New(simulator.Options{Clock: clock, TokenLife: 1000 * time.Hour})
		require.NoError(t, cloud.Start("127.0.0.1:0"))
		defer cloud.Close()
		delay := time.Duration(rapid.IntRange(0, 70).Draw(t, "delay")) * time.Second
		cloud.StartCeilometer(simulator.Ceilometer{PollingInterval: polling, Granularity: granularity, Delay: delay})
		conf := filepath.Join(folder, "cloud.conf")
		require.NoError(t, os.WriteFile(conf, []byte(cloud.CloudConf("demo", "demo")), 0o600))
		session, err := openstack.NewSession(t.Context(), openstack.Options{CloudConfig: conf, Rate: -1})
		require.NoError(t, err)
		source := New(session)

		group := ceilometer.Subject{Group: "g", ServerGroup: "g"}
		loads := map[string]float64{}
		add := func() {
			id := cloud.AddServer("demo", simulator.ServerSpec{Name: fmt.Sprint(len(loads)), Flavor: "m1.medium", Metadata: map[string]string{"metering.server_group": "g"}})
			loads[id] = float64(rapid.IntRange(0, 100).Draw(t, "load"))
			cloud.FastForward(5 * time.Second) // until it runs
			cloud.SetLoad(id, loads[id])
			group.Machines = append(group.Machines, ceilometer.Machine{ServerID: id, Created: cloud.Now().Add(-5 * time.Second), VCPUs: 2, RAMMiB: 4096})
		}
		for range rapid.IntRange(1, 4).Draw(t, "machines") {
			add()
		}
		told := time.Duration(0)
		if rapid.Bool().Draw(t, "told") {
			told = polling
		}
		began := map[string]time.Time{}
		for _, m := range group.Machines {
			began[m.ServerID] = m.Created
		}
		silent := map[string]time.Time{}
		calm := 0
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			calm++
			victim := group.Machines[rapid.IntRange(0, len(group.Machines)-1).Draw(t, "victim")].ServerID
			switch rapid.SampledFrom([]string{"", "", "", "", "", "add", "silence", "speak", "reset"}).Draw(t, "event") {
			case "add":
				if len(group.Machines) < 6 {
					add()
					last := group.Machines[len(group.Machines)-1]
					began[last.ServerID], calm = last.Created, 0
				}
			case "silence":
				cloud.Silence(victim, true)
				calm = 0
				if silent[victim].IsZero() {
					silent[victim] = cloud.Now()
				}
			case "speak":
				// Polls that are missing within a period, and leave none empty, can't be seen.
				if at := silent[victim]; !at.IsZero() && cloud.Now().Sub(at) > 2*step {
					cloud.Silence(victim, false)
					delete(silent, victim)
					calm = 0
				}
			case "reset":
				// Not soon after another one, or the start: what has been counted is then too little to be missed.
				if cloud.Now().Sub(began[victim]) > 2*granularity+2*polling {
					cloud.ResetCounter(victim)
					began[victim], calm = cloud.Now(), 0
				}
			}
			cloud.FastForward(step * time.Duration(rapid.IntRange(1, 3).Draw(t, "pause")) / 2)
			samples, err := source.Read(t.Context(), ceilometer.Request{
				Metric: ceilometer.Metric{Name: "cpu"}, Now: cloud.Now(), Window: 2 * step, Granularity: granularity, PollingInterval: told, Groups: []ceilometer.Subject{group},
			})
			require.NoError(t, err)
			sample := samples["g"]
			right(t, sample, group, loads)
			if calm > 12 && len(silent) == 0 {
				require.NoError(t, sample.Err)
				require.LessOrEqual(t, cloud.Now().Sub(sample.At), 2*step+delay)
			}
		}
	})
}

// right: a sample that claims to be of so many machines is the mean of so many of them: of all, but for those that are young.
func right(t *rapid.T, sample ceilometer.Sample, group ceilometer.Subject, loads map[string]float64) {
	if sample.Err != nil {
		return
	}
	sum, low, high := 0.0, 100.0, 0.0
	n := min(sample.Machines, len(group.Machines))
	for _, m := range group.Machines[:n] { // young ones are the last
		sum += loads[m.ServerID]
	}
	for _, m := range group.Machines {
		low, high = min(low, loads[m.ServerID]), max(high, loads[m.ServerID])
	}
	if sample.Machines == len(group.Machines) {
		require.InDelta(t, sum/float64(n), sample.Load, 2, "%+v of %v", sample, loads)
		return
	}
	require.True(t, sample.Load >= low-2 && sample.Load <= high+2, "%+v of %v", sample, loads)
}
