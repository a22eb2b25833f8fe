package nodegroups

import "errors"

// Nova's words for what a server may be, as far as the domain looks at them.
const (
	ServerActive  = "ACTIVE"
	ServerBuild   = "BUILD"
	ServerError   = "ERROR"
	ServerShutOff = "SHUTOFF"
	ServerDeleted = "DELETED"
)

// TaskPoweringOff is Nova's task state of a server that is being shut down.
const TaskPoweringOff = "powering-off"

// Server is a Nova server, read by itself and not out of a list that may be old.
type Server struct {
	ID string
	// Status is Nova's word for it, one of the Server constants or another; TaskState is what is being done to it, empty if
	// nothing is.
	Status, TaskState string
	// Launched says that it has run at least once.
	Launched bool
	// Fault is Nova's explanation of an ERROR.
	Fault string
}

// ErrNoServer: the compute service itself has said that the project has no server with that id. No other failure is this
// error: not a refusal, not a missing answer, and not a 404 of something that stands before the service.
var ErrNoServer = errors.New("there is no such server")
