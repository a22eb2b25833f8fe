package heatstack

import (
	"context"
	"time"
)

// Heat is what this package needs from the orchestration service. Every method is one HTTP call (paging excepted).
// Errors are those of package internal/openstack's client: test them with the functions in errors.go.
type Heat interface {
	// ListStacks lists the stacks that carry all of tags; all stacks of the project for no tags.
	// Rows have no parameters.
	ListStacks(ctx context.Context, tags []string) ([]StackRow, error)
	// GetStack reads one stack with its parameters; outputs are not resolved, which would cost seconds.
	// id may be empty: then the stack is looked up by name.
	GetStack(ctx context.Context, name, id string) (*StackDetail, error)
	// GetTemplate reads the stack's template.
	GetTemplate(ctx context.Context, name, id string) (map[string]any, error)
	// ListMembers lists the members of the stack's resource group called group, with the server of each: both for
	// groups of servers and for groups of nested stacks that hold one server each. Group "" means the only one.
	ListMembers(ctx context.Context, name, id, group string) ([]MemberRow, error)
	// Patch updates the stack with existing template and the given parameters, and with rollback disabled.
	// Success means that Heat has accepted it, no more: read the parameters back.
	Patch(ctx context.Context, name, id string, parameters map[string]any) error
	// Check starts Heat's check action, which compares every resource with the cloud.
	Check(ctx context.Context, name, id string) error
	// MarkUnhealthy makes Heat replace this resource at the next update.
	MarkUnhealthy(ctx context.Context, member MemberRow, reason string) error
}

// Nova is what this package needs from the compute service.
type Nova interface {
	// ListServers lists the project's servers with details. With a non-zero changesSince only those that changed since
	// then, deleted ones included (State DELETED). The time is the server's clock at the answer, from its Date header.
	ListServers(ctx context.Context, changesSince time.Time) ([]Server, time.Time, error)
	// GetServer reads one server. The error satisfies isNotFound if there is none.
	GetServer(ctx context.Context, id string) (*Server, error)
	// ListFlavors lists all flavors the project may use, with extra specs where the cloud shows them.
	ListFlavors(ctx context.Context) ([]FlavorRow, error)
}

// StackRow is a stack in a list.
type StackRow struct {
	ID, Name, Project string
	Tags              []string
	Status, Reason    string
	// Updated is Heat's updated_time as text ("" before the first update): compared, never computed with.
	Updated string
}

// StackDetail is a stack with its parameters.
type StackDetail struct {
	StackRow
	// Parameters as Heat returns them: all strings; a list as "1,2", JSON as text, a hidden one as "******".
	Parameters map[string]string
}

// MemberRow is one member of a resource group.
type MemberRow struct {
	// Index is the member's name in the group.
	Index string
	// ServerID is the physical id of the member's server, empty while there is none.
	ServerID string
	// Status is Heat's ACTION_STATUS of the server resource, such as CREATE_FAILED; of the member if it has no server yet.
	Status, Reason string
	// StackName, StackID and Resource address the server resource itself (for MarkUnhealthy): the nested stack that holds
	// it and its name there.
	StackName, StackID, Resource string
}

// Server is a Nova server.
type Server struct {
	ID, Name string
	// Status is Nova's: ACTIVE, BUILD, ERROR, SHUTOFF, DELETED...; TaskState may be "deleting" and empty otherwise.
	Status, TaskState string
	Metadata          map[string]string
	Flavor            FlavorRow
	Zone              string
	Created           time.Time
	Updated           time.Time
	// Fault is Nova's explanation of an ERROR.
	Fault string
}

// FlavorRow is a Nova flavor; units as in nodegroups.Flavor. In a Server its ID may be empty.
type FlavorRow struct {
	ID, Name                             string
	VCPUs, RAMMiB, DiskGiB, EphemeralGiB int
	ExtraSpecs                           map[string]string
}
