package bootstrap

import (
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
)

// teller writes Events about requests. The same of the same asker is told once in a while, with the number of those that were
// not told in between: a thousand requests by one token must not become a thousand Events.
type teller struct {
	recorder record.EventRecorder
	clock    clock.PassiveClock
	mu       sync.Mutex
	told     map[string]*telling
}

type telling struct {
	at     time.Time
	untold int
}

func newTeller(recorder record.EventRecorder, c clock.PassiveClock) teller {
	return teller{recorder: recorder, clock: c, told: map[string]*telling{}}
}

func (t *teller) tell(r *request, v *verdict) {
	if t.recorder == nil {
		return
	}
	kind := v1.EventTypeWarning
	key := r.object.Spec.Username + " " + v.reason
	if v.decision == Approved {
		kind = v1.EventTypeNormal
		key += " " + r.node // a token lets in many
	}
	untold, ok := t.isDue(key)
	if !ok {
		return
	}
	name := r.node
	if name == "" {
		name = "unknown"
	}
	text := fmt.Sprintf("CertificateSigningRequest %s of %s for node %q is %s: %s", r.object.Name, r.object.Spec.Username, name, v.decision, v.text())
	if untold > 0 {
		text += fmt.Sprintf(" (and %d more by the same asker)", untold)
	}
	object := &v1.ObjectReference{
		APIVersion: "certificates.k8s.io/v1", Kind: "CertificateSigningRequest", Name: r.object.Name, UID: r.object.UID,
	}
	t.recorder.Event(object, kind, v.reason, text)
}

// isDue says whether something is to be told, and how often it was not since.
func (t *teller) isDue(key string) (untold int, ok bool) {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.told[key]
	if last != nil && now.Sub(last.at) < tellAgain {
		last.untold++
		return 0, false
	}
	if last == nil && len(t.told) >= toldMost {
		clear(t.told)
	}
	t.told[key] = &telling{at: now}
	if last != nil {
		untold = last.untold
	}
	return untold, true
}
