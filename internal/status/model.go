package status

import (
	"time"

	v1 "k8s.io/api/core/v1"
)

// SchemaVersion is the version of what Report says. It rises when a field goes or changes its meaning; a new field or a new value
// of an enumeration changes nothing, so that readers skip what they don't know.
const SchemaVersion = 1

// Modes of the program.
const (
	// ModeEmbedded: cluster-autoscaler's core is in this program.
	ModeEmbedded = "embedded"
	// ModeExternal: this program serves node groups to a stock cluster-autoscaler.
	ModeExternal = "external"
)

// Report is what the program knows, as /status.json has it. Nothing in it is a secret: no credential, no token, no user data.
// Texts come from OpenStack and Kubernetes too and are not to be trusted: escape them before they are shown.
//
// A pointer that is nil is something that is not known. It must never be taken for 0.
type Report struct {
	// SchemaVersion is the constant of that name.
	SchemaVersion int `json:"schemaVersion"`
	// At is when the report was made, Started when the program was.
	At      time.Time `json:"at"`
	Started time.Time `json:"started"`
	// Program is the program's name and Version its version, empty if it was built without one. Core is the version of
	// cluster-autoscaler's core, empty in external mode.
	Program string `json:"program"`
	Version string `json:"version,omitempty"`
	Core    string `json:"core,omitempty"`
	// Mode is one of the Mode constants.
	Mode   string `json:"mode"`
	DryRun bool   `json:"dryRun,omitempty"`
	// Leading: this replica does the work; in external mode, that a cluster-autoscaler asks it. One that never led knows nothing of
	// node groups. Leader names the replica that leads, empty if it is not known; it is this one if Leading.
	Leading bool   `json:"leading"`
	Leader  string `json:"leader,omitempty"`
	// Cloud is nil before the program has signed in.
	Cloud *Cloud `json:"cloud,omitempty"`
	// Reading says how old everything about the cloud is.
	Reading Reading `json:"reading"`
	// NodeGroups are sorted by name.
	NodeGroups []NodeGroup `json:"nodeGroups"`
	// Problems are all that hold, those of the node groups included, blocking ones first.
	Problems []Problem `json:"problems"`
	// Decisions are the latest ones of all node groups, newest first, at most MaxDecisions.
	Decisions []Decision `json:"decisions"`
	// Certificates count what was decided about certificates of nodes since the program started, sorted.
	Certificates []CertificateCount `json:"certificates,omitempty"`
}

// Cloud says which OpenStack project is scaled.
type Cloud struct {
	// Regions are those that are used; empty if the cloud has one without a name.
	Regions []string `json:"regions,omitempty"`
	// Project is the project's id.
	Project string `json:"project,omitempty"`
}

// Reading is how reading the cloud goes.
type Reading struct {
	// At is when the cloud was last read completely; nil if it never was.
	At *time.Time `json:"at,omitempty"`
	// Error is how the last try has failed, empty if it has not.
	Error string `json:"error,omitempty"`
}

// NodeGroup is one node group: one stack, or several that share a name.
type NodeGroup struct {
	// Name is its id too.
	Name string `json:"name"`
	// MinSize and MaxSize are the configured limits; TargetSize is how many members are ordered, failed and lost ones included,
	// those that are being removed not.
	MinSize    int `json:"minSize"`
	MaxSize    int `json:"maxSize"`
	TargetSize int `json:"targetSize"`
	// Counts are members by state. Their sum may be above TargetSize by those that are being removed.
	Counts Counts `json:"counts"`
	// Floor is nil if load, schedules and forecasts have no say: then MinSize is all that holds.
	Floor *Floor `json:"floor,omitempty"`
	// Blocked is why nothing is written to any stack of the group; GrowthBlocked why none of them may grow.
	Blocked       *Problem `json:"blocked,omitempty"`
	GrowthBlocked *Problem `json:"growthBlocked,omitempty"`
	// BackOff is set while cluster-autoscaler does not try to grow the group after a failure. Always nil in external mode, where it
	// is known to the stock cluster-autoscaler alone.
	BackOff *BackOff `json:"backOff,omitempty"`
	// HeldRepairs are broken members that are not replaced now.
	HeldRepairs []HeldRepair `json:"heldRepairs,omitempty"`
	// Tokens is nil if no bootstrap token of the group is known to be valid.
	Tokens *Tokens `json:"tokens,omitempty"`
	// Flavor and Zone are those of new members, empty if they are not known or if the stacks differ.
	Flavor string `json:"flavor,omitempty"`
	Zone   string `json:"zone,omitempty"`
	// Annotations are those that are given and count.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Template is what a new node would be; nil if that is not known, and TemplateError says why.
	Template      *Template `json:"template,omitempty"`
	TemplateError string    `json:"templateError,omitempty"`
	// Stacks are sorted by name, Members by stack and index.
	Stacks  []Stack  `json:"stacks"`
	Members []Member `json:"members"`
	// History has one point a minute, oldest first, at most MaxHistory; a gap is a time in which this replica did not lead, or could
	// not read the cloud.
	History []Point `json:"history"`
}

// Counts are members by state.
type Counts struct {
	Creating int `json:"creating"`
	Running  int `json:"running"`
	Deleting int `json:"deleting"`
	Failed   int `json:"failed"`
	Lost     int `json:"lost"`
	// Ready is how many members are Nodes that are Ready; nil if Nodes are not known.
	Ready *int `json:"ready,omitempty"`
}

// Floor is the least size that load, a schedule, a forecast or headroom wants, and why.
type Floor struct {
	// Size is applied, between MinSize and MaxSize. Reason says in one line what it is made of.
	Size   int    `json:"size"`
	Reason string `json:"reason"`
	// At is when this was worked out; nil if only the size is known.
	At      *time.Time `json:"at,omitempty"`
	Signals []Signal   `json:"signals,omitempty"`
	// Reactive is what the signals want after windows and holding, Schedule what schedules want, Forecast what forecasts want,
	// Headroom what was added on top, and Start the size that is kept until enough is known after a start; 0 for nothing.
	Reactive int `json:"reactive,omitempty"`
	Schedule int `json:"schedule,omitempty"`
	// ScheduleText is the schedule that decided.
	ScheduleText string `json:"scheduleText,omitempty"`
	Forecast     int    `json:"forecast,omitempty"`
	// ForecastShadow: the forecast is shown and not applied.
	ForecastShadow bool `json:"forecastShadow,omitempty"`
	Headroom       int  `json:"headroom,omitempty"`
	Start          int  `json:"start,omitempty"`
	// HeldUntil is set while a signal has no opinion, so that the floor does not fall; until then at most.
	HeldUntil *time.Time `json:"heldUntil,omitempty"`
}

// Signal is one metric of a node group's load.
type Signal struct {
	Metric string `json:"metric"`
	// Source is gnocchi or prometheus.
	Source string `json:"source"`
	// Value is the load per machine, over Machines machines, of AgeSeconds ago; all nil if there was none. It is the last value, even if
	// it was not believed.
	Value      *float64 `json:"value,omitempty"`
	Machines   *int     `json:"machines,omitempty"`
	AgeSeconds *float64 `json:"ageSeconds,omitempty"`
	// Target is the load to aim at; nil with steps.
	Target *float64 `json:"target,omitempty"`
	// Wanted is the size that the signal wants, or last wanted if it has no opinion.
	Wanted int `json:"wanted"`
	// Opinion: it counts. If not, Why says why not, and HeldUntil until when what it last wanted is held.
	Opinion   bool       `json:"opinion"`
	Why       string     `json:"why,omitempty"`
	HeldUntil *time.Time `json:"heldUntil,omitempty"`
}

// Classes of failures.
const (
	// ClassOutOfResources: a quota is used up, or no host has room. Another node group may well grow.
	ClassOutOfResources = "OutOfResources"
	// ClassOther is everything else.
	ClassOther = "Other"
)

// BackOff is why, and for how long, cluster-autoscaler does not grow a node group.
type BackOff struct {
	Until time.Time `json:"until"`
	// Class is OutOfResources or Other, Code a word such as QuotaExceeded, Message the cloud's own words.
	Class   string `json:"class"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// HeldRepair is how many broken members are not replaced for one reason.
type HeldRepair struct {
	// Reason is a word such as ManyNodesUnready.
	Reason  string `json:"reason"`
	Members int    `json:"members"`
}

// Tokens are bootstrap tokens of a node group. Their values are not known here.
type Tokens struct {
	// Valid is how many the cluster accepts, as last looked.
	Valid int `json:"valid"`
	// Expires is when the last of them expires; nil if that is not known.
	Expires *time.Time `json:"expires,omitempty"`
}

// Template is what a new node would be.
type Template struct {
	Capacity    v1.ResourceList   `json:"capacity,omitempty"`
	Allocatable v1.ResourceList   `json:"allocatable,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Taints      []v1.Taint        `json:"taints,omitempty"`
}

// Stack is one Heat stack of a node group.
type Stack struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Region is empty if the cloud has one.
	Region string `json:"region,omitempty"`
	// Status is Heat's word, such as UPDATE_COMPLETE, Reason its explanation.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	// TargetSize is nil while the stack's size has never been read.
	TargetSize *int `json:"targetSize,omitempty"`
	// Read is when the stack was last read from Heat.
	Read *time.Time `json:"read,omitempty"`
	// Blocked is why nothing is written to it, GrowthBlocked why it may only shrink.
	Blocked       *Problem `json:"blocked,omitempty"`
	GrowthBlocked *Problem `json:"growthBlocked,omitempty"`
}

// Member is a machine of a node group, or one that is ordered.
type Member struct {
	// Stack is the name of its stack.
	Stack string `json:"stack"`
	// Index is its name in the stack's resource group; empty while it has none.
	Index string `json:"index,omitempty"`
	// Server is the server's id, ServerName its name, ServerStatus Nova's word for it; empty while there is none.
	Server       string `json:"server,omitempty"`
	ServerName   string `json:"serverName,omitempty"`
	ServerStatus string `json:"serverStatus,omitempty"`
	// State is creating, running, deleting, failed or lost.
	State string `json:"state"`
	// Created is when the server was created; AgeSeconds how long before Report.At that was.
	Created    *time.Time `json:"created,omitempty"`
	AgeSeconds *float64   `json:"ageSeconds,omitempty"`
	Flavor     string     `json:"flavor,omitempty"`
	Zone       string     `json:"zone,omitempty"`
	// Node is the Node's name, empty if it has not joined; Ready is nil if it has not, or if Nodes are not known.
	Node  string `json:"node,omitempty"`
	Ready *bool  `json:"ready,omitempty"`
	// FailureClass is OutOfResources or Other, FailureCode a word, FailureMessage Nova's or Heat's own words; for failed members.
	FailureClass   string `json:"failureClass,omitempty"`
	FailureCode    string `json:"failureCode,omitempty"`
	FailureMessage string `json:"failureMessage,omitempty"`
}

// Problem is something that an operator has to know or mend.
type Problem struct {
	// Code is a CamelCase word, the same as in Events and metrics.
	Code string `json:"code"`
	// Blocking: the node group, or its stack, is left alone until it is mended.
	Blocking bool `json:"blocking"`
	// Group, Stack and Node are names, empty if it belongs to none.
	Group string `json:"group,omitempty"`
	Stack string `json:"stack,omitempty"`
	Node  string `json:"node,omitempty"`
	// Key and Value are the annotation, tag, parameter or flag at fault.
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
	// Message says what is wrong, Remedy what to do; without a final full stop.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// Point is what a node group was at one time.
type Point struct {
	At         time.Time `json:"at"`
	TargetSize int       `json:"targetSize"`
	// Ready is how many members were Ready nodes; nil if that was not known.
	Ready *int `json:"ready,omitempty"`
	// Floor is nil if there was none.
	Floor *int `json:"floor,omitempty"`
	// Load is the first signal's load per machine in parts of its target, 1 being on target; or as it is measured, if the signal has no
	// target. Nil if it had no opinion.
	Load *float64 `json:"load,omitempty"`
}

// Kinds of decisions.
const (
	DecisionGrow        = "grow"        // members were ordered
	DecisionRemove      = "remove"      // members were ordered to go
	DecisionVerify      = "verify"      // it was looked whether those that were named have gone, and only those
	DecisionShrink      = "shrink"      // orders of members that never came were withdrawn
	DecisionReplace     = "replace"     // a broken member is made anew
	DecisionDeleteNode  = "deleteNode"  // the Node of a server that is gone was deleted
	DecisionFloor       = "floor"       // the load floor has changed
	DecisionBackOff     = "backOff"     // cluster-autoscaler does not grow the group for a while
	DecisionProblem     = "problem"     // something was found wrong, or could not be done
	DecisionCertificate = "certificate" // a request for a node's certificate was not approved
	DecisionToken       = "token"       // a bootstrap token was made or revoked
)

// Results of decisions.
const (
	ResultOK      = "ok"      // done, or accepted by the cloud
	ResultFailed  = "failed"  // refused or failed; Reason says how
	ResultWrong   = "wrong"   // something happened that nobody ordered
	ResultDryRun  = "dryRun"  // it would have been done
	ResultWaiting = "waiting" // it is tried again, or somebody has to act
)

// Decision is something that was decided, done, or refused.
type Decision struct {
	At time.Time `json:"at"`
	// Kind is one of the Decision constants.
	Kind  string `json:"kind"`
	Group string `json:"group,omitempty"`
	Stack string `json:"stack,omitempty"`
	Node  string `json:"node,omitempty"`
	// Servers are ids of servers that it is about, at most MaxNamed of Count.
	Servers []string `json:"servers,omitempty"`
	// Count is how many members, 0 if it is about none. Repeated is how often the very same was decided again since.
	Count    int `json:"count,omitempty"`
	Repeated int `json:"repeated,omitempty"`
	// From and To are sizes, or floors, before and after; nil where they don't apply.
	From *int `json:"from,omitempty"`
	To   *int `json:"to,omitempty"`
	// Reason says why, in words, without a final full stop.
	Reason string `json:"reason"`
	// Result is one of the Result constants; Code a CamelCase word for what went wrong, empty if nothing did.
	Result string `json:"result"`
	Code   string `json:"code,omitempty"`
}

// CertificateCount is how many requests for certificates ended in one way.
type CertificateCount struct {
	// Signer is the signer's name, Decision approved, denied or pending, Reason a CamelCase word.
	Signer   string `json:"signer"`
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
	Count    int    `json:"count"`
}

// Bounds of what is remembered.
const (
	// MaxHistory is one point a minute for four hours.
	MaxHistory = 240
	// MaxDecisions in all, and MaxNamed servers in one of them.
	MaxDecisions = 500
	MaxNamed     = 10
)
