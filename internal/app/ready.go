package app

import (
	"io"
	"net/http"
	"sync"
)

// readiness is what /readyz answers: 200 once this replica does its work or stands by for the one that does, else 503 with what it waits
// for. A cloud that fails later does not take it back: no other replica would do better, and the metrics and /health-check tell
// that. It is safe for concurrent use.
type readiness struct {
	mu sync.Mutex
	// began: this replica has begun to work, so that who led before does not matter any more.
	began, ready bool
	text         string
}

func newReadiness() *readiness { return &readiness{text: "waits to learn who leads"} }

// standBy notes that another replica leads.
func (r *readiness) standBy(leader string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began {
		r.ready, r.text = true, "stands by for "+leader
	}
}

// begin notes that this replica begins to work: it has to sign in and to read the node groups.
func (r *readiness) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began, r.ready, r.text = true, false, "signs in to OpenStack and reads the node groups"
}

// works notes that it has done so.
func (r *readiness) works() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready, r.text = true, "works"
}

// ServeHTTP implements http.Handler.
func (r *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	ready, text := r.ready, r.text
	r.mu.Unlock()
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, text+"\n")
}
