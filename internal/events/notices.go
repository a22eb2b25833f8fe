package events

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
)

// Notice is something that happened to a node group and that nobody has to mend.
type Notice struct {
	// Reason is a short CamelCase word, as a Problem's.
	Reason string
	// Group is the node group's name.
	Group string
	// Message is a sentence without a final full stop.
	Message string
}

// Notify tells n at once, as a log line with the given keys and values and as an Event of type Normal. Who calls it sees to it that
// it tells what is new.
func (r *Reporter) Notify(n Notice, keysAndValues ...any) {
	r.logger.Info(n.Message, append([]any{"reason", n.Reason, "nodeGroup", n.Group}, keysAndValues...)...)
	if r.recorder != nil {
		r.recorder.Event(&r.status, v1.EventTypeNormal, n.Reason, fmt.Sprintf("node group %q: %s", n.Group, n.Message))
	}
}
