package cloudprovider

import (
	"fmt"
	"runtime/debug"

	"k8s.io/klog/v2"
)

// PanicError is what an entry point answers, where it can answer an error, when our own code panicked.
type PanicError struct {
	// Entry is the method that core called, such as NodeGroup.Nodes.
	Entry string
	// Value is what was thrown.
	Value any
}

// Error says where it happened; the stack is in the log.
func (e *PanicError) Error() string {
	return fmt.Sprintf("internal error in %s: %v; this is a bug, please report it with the stack in the log", e.Entry, e.Value)
}

// caught is deferred by every method that core calls. Core recovers nowhere, so a panic of ours would end the process;
// here it is logged with its stack, counted, and answer puts a safe answer in place of the lost one.
//
// It works only when deferred directly, as recover requires.
func (p *Provider) caught(entry, group string, answer func(error)) {
	v := recover()
	if v == nil {
		return
	}
	err := &PanicError{Entry: entry, Value: v}
	klog.FromContext(p.ctx).Error(err, "Recovered from a panic", "entry", entry, "nodeGroup", group, "stack", string(debug.Stack()))
	p.observer.Panicked(entry)
	answer(err)
}
