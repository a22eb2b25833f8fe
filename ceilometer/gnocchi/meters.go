package gnocchi

import (
	"fmt"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// meter is what a metric is read from. Which resource type has it is in Ceilometer's gnocchi_resources.yaml.
type meter struct {
	name string
	// metric is Gnocchi's name, method what is read of it.
	metric, method string
	// kind is the resource type, machine its attribute that holds the server's id.
	kind, machine string
	// rate: the values are growth between polls of a cumulative meter.
	rate bool
	// per is what a machine's value is divided by to be 100 %; nil if it is not in percent.
	per func(*ceilometer.Machine) float64
	// lacking is what is missing of a machine for which per is 0.
	lacking string
	// expression is the operation of a custom metric; grouped that Gnocchi aggregates the machines of a group.
	expression string
	grouped    bool
}

const (
	instanceType = "instance"
	nanosecond   = 1e9
)

var meters = map[string]meter{
	"cpu": {
		metric: "cpu", method: "rate:mean", kind: instanceType, machine: "id", rate: true,
		per:     func(m *ceilometer.Machine) float64 { return nanosecond * float64(m.VCPUs) / 100 },
		lacking: "vcpus",
	},
	"memory": {
		// Ceilometer's MB of memory.usage are libvirt's KiB divided by 1024.
		metric: "memory.usage", method: "mean", kind: instanceType, machine: "id",
		per:     func(m *ceilometer.Machine) float64 { return float64(m.RAMMiB) / 100 },
		lacking: "RAM",
	},
	"disk-read":   device("disk.device.read.bytes", "instance_disk"),
	"disk-write":  device("disk.device.write.bytes", "instance_disk"),
	"network-in":  device("network.incoming.bytes", "instance_network_interface"),
	"network-out": device("network.outgoing.bytes", "instance_network_interface"),
}

// names are those of meters, in the order in which people are told of them.
const names = "cpu, memory, disk-read, disk-write, network-in, network-out"

// device is a cumulative meter that each disk or port of a machine has one of.
func device(metric, kind string) meter {
	return meter{metric: metric, method: "rate:mean", kind: kind, machine: "instance_id", rate: true}
}

// meterOf finds what a metric is read from.
func meterOf(m ceilometer.Metric) (*meter, error) {
	if m.Source != "" && m.Source != ceilometer.SourceGnocchi {
		return nil, fmt.Errorf("metric %s: it is of source %s, not of Gnocchi", m.Name, m.Source)
	}
	if m.Expression != "" {
		return &meter{
			name: m.Expression, metric: m.Name, kind: instanceType, machine: "id", expression: m.Expression,
			grouped: strings.Contains(m.Expression, "aggregate"),
		}, nil
	}
	known, ok := meters[m.Name]
	if !ok {
		return nil, fmt.Errorf("metric %q: Gnocchi has %s; others are read with an expression", m.Name, names)
	}
	known.name = m.Name
	return &known, nil
}

// operations is what is asked of Gnocchi.
func (r *reading) operations() (string, error) {
	what := r.meter
	switch {
	case what.expression != "":
		return r.expression()
	case r.withMeans:
		return fmt.Sprintf("(metric (%s mean) (%s %s))", what.metric, what.metric, what.method), nil
	}
	return fmt.Sprintf("(metric %s %s)", what.metric, what.method), nil
}
