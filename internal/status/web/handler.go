package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// freshFor is how long one report serves all readers: so a hundred of them cost no more than one.
const freshFor = time.Second

// Handler answers requests for the status. It is safe for concurrent use. Answers are made in memory before the first byte is sent, so
// that nothing waits for a reader.
type Handler struct {
	report func() *status.Report
	clock  clock.PassiveClock

	mu   sync.Mutex
	made time.Time
	last *status.Report
	json []byte
}

// New returns a Handler that shows what report returns. A nil clock is the real one.
func New(report func() *status.Report, c clock.PassiveClock) *Handler {
	if c == nil {
		c = clock.RealClock{}
	}
	return &Handler{report: report, clock: c}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The status can only be read: use GET or HEAD.", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/":
		h.servePage(w, r)
	case "/status.json":
		body, err := h.asJSON()
		send(w, r, "application/json; charset=utf-8", body, err)
	default:
		http.Error(w, "There is nothing here. The page is /, and its JSON is /status.json.", http.StatusNotFound)
	}
}

func (h *Handler) servePage(w http.ResponseWriter, r *http.Request) {
	choice := choiceOf(r)
	report := h.current()
	v := newView(report, choice)
	var page bytes.Buffer
	err := pageTemplate.Execute(&page, v)
	if v.NotFound {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
	}
	send(w, r, "text/html; charset=utf-8", page.Bytes(), err)
}

// choiceOf is what a reader wants to see: one node group, and its members from one on.
func choiceOf(r *http.Request) choice {
	query := r.URL.Query()
	from, err := strconv.Atoi(query.Get("from"))
	if err != nil || from < 0 {
		from = 0
	}
	return choice{group: query.Get("group"), from: from}
}

// send answers with a whole body.
func send(w http.ResponseWriter, r *http.Request, kind string, body []byte, err error) {
	if err != nil {
		http.Error(w, "The status can't be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // who has gone needs no answer
}

// setHeaders sets what browsers are told of every answer: that it runs and loads nothing but what is in it, is kept nowhere, is in no
// frame, and is what it says it is.
func setHeaders(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// policy allows the page's own style, script and picture of nothing, each by its hash where there is one.
var policy = strings.Join([]string{
	"default-src 'none'", "style-src " + hashOf(styleText), "script-src " + hashOf(scriptText), "img-src data:", "connect-src 'self'",
	"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
}, "; ")

// current is a report that is not older than freshFor. It must not be changed.
func (h *Handler) current() *status.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fresh()
}

// fresh needs mu.
func (h *Handler) fresh() *status.Report {
	if now := h.clock.Now(); h.last == nil || now.Sub(h.made) >= freshFor || now.Before(h.made) {
		h.last, h.made, h.json = h.report(), now, nil
	}
	return h.last
}

// asJSON is the present report as JSON.
func (h *Handler) asJSON() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	report := h.fresh()
	if h.json == nil {
		body, err := json.Marshal(report)
		if err != nil {
			return nil, fmt.Errorf("writing JSON: %w", err)
		}
		body = append(body, '\n')
		h.json = body
	}
	return h.json, nil
}
