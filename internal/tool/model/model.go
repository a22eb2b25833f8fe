// Package model is what the operator's tool knows of node groups, whichever way it came, and what -o json and -o yaml print of it.
// A pointer that is nil, or a list that is missing, is something that is not known: it is never shown as 0.
package model

import (
	"time"

	v1 "k8s.io/api/core/v1"
)

// Kinds of printed objects.
const (
	KindList        = "NodeGroupList"
	KindGroup       = "NodeGroup"
	KindExplanation = "Explanation"
)

// TypeMeta says what a printed object is.
type TypeMeta struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
}

// Kinds of sources.
const (
	// SourceOpenStack: stacks and servers were read with the operator's credentials.
	SourceOpenStack = "openstack"
	// SourceStatus: the autoscaler's own status was read.
	SourceStatus = "status"
)

// Source says where what is known came from.
type Source struct {
	// Kind is one of the Source constants.
	Kind string `json:"kind"`
	// From names it for people.
	From string `json:"from"`
	// ReadAt is when the cloud was read; nil if it never was.
	ReadAt *time.Time `json:"readAt,omitempty"`
	// Error is how the last reading of the cloud has failed, if it has.
	Error string `json:"error,omitempty"`
	// Notes say what could not be read, and what is not known for that reason.
	Notes []string `json:"notes,omitempty"`
}

// NodeGroupList is all node groups.
type NodeGroupList struct {
	TypeMeta `json:",inline"`
	Source   Source      `json:"source"`
	Items    []NodeGroup `json:"items"`
	// Problems are those of no node group that is listed.
	Problems []Problem `json:"problems,omitempty"`
}

// NodeGroup is one node group.
type NodeGroup struct {
	TypeMeta `json:",inline"`
	Name     string `json:"name"`
	// Status is one of the Status constants; Reason says in one line why the group can't scale, or what it is at.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	// MinSize and MaxSize are the configured limits, TargetSize the members that are ordered, ReadyNodes those that are Ready nodes.
	MinSize    *int `json:"minSize,omitempty"`
	MaxSize    *int `json:"maxSize,omitempty"`
	TargetSize *int `json:"targetSize,omitempty"`
	ReadyNodes *int `json:"readyNodes,omitempty"`
	// Floor is nil if the group has none; FloorUnknown says that it may have one that is not known.
	Floor        *Floor   `json:"floor,omitempty"`
	FloorUnknown bool     `json:"floorUnknown,omitempty"`
	Stacks       []Stack  `json:"stacks,omitempty"`
	Members      []Member `json:"members,omitempty"`
	// Flavor and Zone are those of new members, empty if unknown.
	Flavor string `json:"flavor,omitempty"`
	Zone   string `json:"zone,omitempty"`
	// Annotations are those that are given and count.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Template is what a new node would be; nil if that is not known, and TemplateError may say why.
	Template      *Template `json:"template,omitempty"`
	TemplateError string    `json:"templateError,omitempty"`
	// Blocked is why the group is left alone, GrowthBlocked why it may not grow.
	Blocked       *Problem `json:"blocked,omitempty"`
	GrowthBlocked *Problem `json:"growthBlocked,omitempty"`
	// Core is what cluster-autoscaler last said of the group; nil if it did not, or is not known.
	Core *Core `json:"clusterAutoscaler,omitempty"`
	// Problems are all that hold, those above included.
	Problems []Problem `json:"problems,omitempty"`
	// Events are the last ones about the group, newest first.
	Events []Event `json:"events,omitempty"`
	// Source is set where the group is printed by itself.
	Source *Source `json:"source,omitempty"`
}

// Floor is the least size that load, a schedule or a forecast wants.
type Floor struct {
	Size int `json:"size"`
	// Reason says where it comes from, empty if that is not known.
	Reason string `json:"reason,omitempty"`
}

// Stack is one shard of a node group.
type Stack struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	// Status is Heat's word, Reason its explanation.
	Status     string   `json:"status,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	TargetSize *int     `json:"targetSize,omitempty"`
	Blocked    *Problem `json:"blocked,omitempty"`
}

// Member is a machine of a node group.
type Member struct {
	Stack string `json:"stack,omitempty"`
	// Index is its name in the resource group, empty while it has none.
	Index string `json:"index,omitempty"`
	// Server is the server's id, ServerName its name and ServerStatus Nova's word for it.
	Server       string `json:"server,omitempty"`
	ServerName   string `json:"serverName,omitempty"`
	ServerStatus string `json:"serverStatus,omitempty"`
	// State is creating, running, deleting, failed or lost.
	State   string     `json:"state"`
	Created *time.Time `json:"created,omitempty"`
	Zone    string     `json:"zone,omitempty"`
	// Node is the node's name, Ready whether it is one that is Ready; nil if that is not known.
	Node  string `json:"node,omitempty"`
	Ready *bool  `json:"ready,omitempty"`
	// FailureCode and FailureMessage say why it could not be made.
	FailureCode    string `json:"failureCode,omitempty"`
	FailureMessage string `json:"failureMessage,omitempty"`
}

// Template is what a new node would be.
type Template struct {
	Capacity    v1.ResourceList   `json:"capacity,omitempty"`
	Allocatable v1.ResourceList   `json:"allocatable,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Taints      []v1.Taint        `json:"taints,omitempty"`
}

// Node is the template as a node.
func (t *Template) Node(name string) *v1.Node {
	node := &v1.Node{}
	node.Name, node.Labels = name, t.Labels
	node.Spec.Taints = t.Taints
	node.Status.Capacity, node.Status.Allocatable = t.Capacity, t.Allocatable
	return node
}

// Problem is something to mend.
type Problem struct {
	Code     string `json:"code"`
	Blocking bool   `json:"blocking"`
	Group    string `json:"group,omitempty"`
	Stack    string `json:"stack,omitempty"`
	Node     string `json:"node,omitempty"`
	// Key and Value are the annotation, tag, parameter or flag at fault.
	Key     string `json:"key,omitempty"`
	Value   string `json:"value,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// Core is what cluster-autoscaler says of a group in its status ConfigMap.
type Core struct {
	Health    string `json:"health,omitempty"`
	ScaleUp   string `json:"scaleUp,omitempty"`
	ScaleDown string `json:"scaleDown,omitempty"`
	// BackoffCode and BackoffMessage say why it does not try to grow the group for a while; Since when.
	BackoffCode    string     `json:"backoffCode,omitempty"`
	BackoffMessage string     `json:"backoffMessage,omitempty"`
	ScaleUpSince   *time.Time `json:"scaleUpSince,omitempty"`
	// MinSize is the least size that it is told, the floor included.
	MinSize *int `json:"minSize,omitempty"`
	// ProbedAt is when that was so.
	ProbedAt *time.Time `json:"probedAt,omitempty"`
}

// Event is a Kubernetes Event, shortened.
type Event struct {
	At      time.Time `json:"at"`
	Type    string    `json:"type"`
	Reason  string    `json:"reason"`
	From    string    `json:"from,omitempty"`
	Message string    `json:"message"`
	Count   int       `json:"count,omitempty"`
}
