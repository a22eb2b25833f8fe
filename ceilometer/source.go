package ceilometer

import (
	"context"
	"errors"
	"time"
)

// Metric says what a Source is to read.
type Metric struct {
	// Name is the word that people use for it in annotations, logs and metrics: cpu, memory, disk-read...
	Name string
	// Source is the kind of source: SourceGnocchi or SourcePrometheus.
	Source string
	// Expression is what a custom metric is read with: a Gnocchi dynamic-aggregates operation, or PromQL. Empty for those that
	// the source knows by their name.
	Expression string
}

// Kinds of sources.
const (
	SourceGnocchi    = "gnocchi"
	SourcePrometheus = "prometheus"
)

// Request asks for one metric of several node groups at once.
type Request struct {
	Metric Metric
	// Now is the time of the question.
	Now time.Time
	// Window is the time before Now whose points are averaged. At least one point is wanted whatever the window.
	Window time.Duration
	// Granularity is the width of the points to read; 0 for the source's own choice.
	Granularity time.Duration
	// PollingInterval is how often a cumulative meter is polled; 0 to find it from the data. It is not the granularity.
	PollingInterval time.Duration
	Groups          []Subject
}

// Subject is a node group as telemetry knows it.
type Subject struct {
	// Group is the node group's name.
	Group string
	// ServerGroup is what the group's servers carry as metering.server_group, and series of Prometheus as their group label.
	ServerGroup string
	// Machines are the group's running members.
	Machines []Machine
}

// Machine is a running member.
type Machine struct {
	ServerID string
	// Created is when its server was created. A machine that is younger than telemetry can be has no points, and that is no
	// gap in the data.
	Created time.Time
	// VCPUs and RAMMiB are what its flavor has, 0 if unknown.
	VCPUs, RAMMiB int
}

// Sample is what a Source knows of one node group.
type Sample struct {
	// Load is the mean per measured machine, over the window: percent for cpu and memory, the metric's own unit else.
	Load float64
	// Machines is how many machines Load is the mean of. Load x Machines is the whole group's load.
	Machines int
	// At is the end of the newest point that Load is made of.
	At time.Time
	// Granularity is the width of the points.
	Granularity time.Duration
	// Err says why Load is not to be believed; nil if it is. It wraps one of the Err values of this package, and its text
	// names the machine, the value and the time as far as there are any.
	Err error
}

// Why a sample is no opinion.
var (
	ErrNoData  = errors.New("telemetry has no points")
	ErrPartial = errors.New("telemetry lacks points of some machines")
	ErrAbsurd  = errors.New("telemetry has values that cannot be")
)

// Source reads load. Implementations are safe for concurrent use.
type Source interface {
	// Read answers for the groups of the request, by their names; with one call to the service for all groups together. A group
	// that is missing in the answer has no data. An error means that nothing could be read at all; its text has no credentials.
	Read(ctx context.Context, request Request) (map[string]Sample, error)
}
