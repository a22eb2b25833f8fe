package check

import "fmt"

// Status says how a check ended.
type Status string

// How checks end.
const (
	OK      Status = "ok"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Skipped Status = "skipped"
)

// Finding is what one check has found about one thing.
type Finding struct {
	// Check is the check's name, Thing what was looked at.
	Check  string `json:"check"`
	Status Status `json:"status"`
	Thing  string `json:"thing"`
	// Found is what is so, or why it was not looked at; Remedy what to do about it, empty if nothing has to be done.
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// findings gathers those of one check.
type findings struct {
	check string
	all   []Finding
}

func (f *findings) add(status Status, thing, remedy, found string, args ...any) {
	if len(args) > 0 {
		found = fmt.Sprintf(found, args...)
	}
	f.all = append(f.all, Finding{Check: f.check, Status: status, Thing: thing, Found: found, Remedy: remedy})
}

func (f *findings) ok(thing, found string, args ...any) { f.add(OK, thing, "", found, args...) }

func (f *findings) warn(thing, remedy, found string, args ...any) {
	f.add(Warn, thing, remedy, found, args...)
}

func (f *findings) fail(thing, remedy, found string, args ...any) {
	f.add(Fail, thing, remedy, found, args...)
}

func (f *findings) skip(thing, remedy, why string, args ...any) {
	f.add(Skipped, thing, remedy, why, args...)
}

// Failed says whether any finding is a failure.
func Failed(all []Finding) bool {
	for i := range all {
		if all[i].Status == Fail {
			return true
		}
	}
	return false
}

// Count returns how many findings have a status.
func Count(all []Finding, status Status) int {
	n := 0
	for i := range all {
		if all[i].Status == status {
			n++
		}
	}
	return n
}
