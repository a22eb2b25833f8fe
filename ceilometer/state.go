package ceilometer

import (
	"context"
	"time"
)

// State explains the floor of one node group: what it is made of, what was known and why nothing else was applied. Values are
// immutable.
type State struct {
	// Group is the node group's name; At the time of the State.
	Group string
	At    time.Time
	// Floor is what is applied, between Min and Max. It is of no meaning if Applied is false: then the group has no floor.
	Floor   int
	Applied bool
	// Min and Max are the annotated limits, Target the group's size as ordered.
	Min, Max, Target int
	// Signals are one per metric, in the order of the policy.
	Signals []SignalState
	// Reactive is the size that the signals want, after windows and holding; 0 if there is none.
	Reactive int
	// Schedule is the size that schedules want now, and ScheduleText the one that wants it; 0 and "" if none does.
	Schedule     int
	ScheduleText string
	// Forecast is the size that forecasts want, 0 if they want none. Shadow: it is shown and not applied.
	Forecast int
	Shadow   bool
	// Headroom is how many nodes were added on top.
	Headroom int
	// Start is the size that is kept because not enough is known since this process started; 0 if none is.
	Start int
	// Held says that a signal had no opinion, so that the floor did not fall below what it was; until HeldUntil at most.
	Held      bool
	HeldUntil time.Time
	// Reason says in one line for people what the floor is and why.
	Reason string
}

// SignalState is what is known of one metric of one node group.
type SignalState struct {
	// Metric is its name, Source the kind of its source.
	Metric, Source string
	// Value is the load per machine, over Machines machines, at At; Age is how old that is. All are those of the last Sample,
	// whether or not it was believed. At is zero if there was none.
	Value    float64
	Machines int
	At       time.Time
	Age      time.Duration
	// Target is the load to aim at, 0 with steps.
	Target float64
	// Wanted is the size that the signal wants, or last wanted if it has no opinion now; 0 if it never had one.
	Wanted int
	// Opinion says whether it has one. Err says why not: it wraps ErrNoData, ErrPartial, ErrAbsurd, ErrStale or ErrSource, or is
	// ErrPending. Nil with an opinion.
	Opinion bool
	Err     error
	// HeldUntil is until when what it last wanted is held, without an opinion.
	HeldUntil time.Time
	// Foreseen is the load of the whole group that the forecast does not expect to be exceeded, in fully used machines, and
	// ForeseenWanted the size for it. Foresees is false if there is no forecast.
	Foreseen       float64
	ForeseenWanted int
	Foresees       bool
}

// Change is a change of a floor.
type Change struct {
	// State explains the floor after the change.
	State State
	// From and To are the floors before and after; Had and Has say whether there was and is one.
	From, To int
	Had, Has bool
}

// Reading is how one reading of one metric ended.
type Reading struct {
	Source, Metric string
	// Groups is how many node groups were asked for.
	Groups   int
	Duration time.Duration
	// Err is nil if there was an answer. Its text has no credentials.
	Err error
}

// Observer is told of floors and readings, for logs, Events and metrics. Implementations are safe for concurrent use, return at
// once and never fail.
type Observer interface {
	// FloorChanged is called when a group gets, loses or changes its floor.
	FloorChanged(ctx context.Context, change Change)
	// ReadingDone is called when a reading has ended.
	ReadingDone(ctx context.Context, reading Reading)
}

// nobody is the Observer of those who have none.
type nobody struct{}

func (nobody) FloorChanged(context.Context, Change) {}
func (nobody) ReadingDone(context.Context, Reading) {}
