package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest request that is read.
const maxBody = 16 << 20

// request is a request on its way through the simulator, with the lock held unless said otherwise.
type request struct {
	*http.Request
	sim     *Simulator
	service Service
	path    []string // below the service's root and version
	body    []byte
	token   *token
}

// response is an answer.
type response struct {
	status int
	header http.Header
	body   []byte
}

// Handler serves all services: /identity, /orchestration, /compute, /image, /network and /metric. Start serves it too.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	for prefix, service := range map[string]struct {
		name   Service
		handle func(*request) *response
	}{
		"/identity": {Keystone, keystone}, "/orchestration": {Heat, heat}, "/compute": {Nova, nova},
		"/image": {Glance, glance}, "/network": {Neutron, neutron}, "/metric": {Gnocchi, gnocchi},
	} {
		mux.Handle(prefix+"/", http.StripPrefix(prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.serve(w, r, service.name, service.handle)
		})))
	}
	return mux
}

// serve counts a request, lets it fail if that is ordered, and answers it.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, service Service, handle func(*request) *response) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	s.lock()
	if s.calls == nil {
		s.calls = callCounter{}
	}
	s.calls[kindOfCall(service, r, r.URL.Path)]++
	fault := s.faults.match(service, r)
	s.mu.Unlock()
	if fault == nil {
		s.answer(w, r, service, body, handle)
		return
	}
	if fault.Latency > 0 {
		select {
		case <-s.clock.After(fault.Latency):
		case <-r.Context().Done():
			return
		case <-s.stop:
			return
		}
	}
	var recorded *httptest.ResponseRecorder
	if fault.Done || fault.Status == 0 && !fault.Hang && !fault.Drop {
		recorded = httptest.NewRecorder()
		s.answer(recorded, r, service, body, handle)
	}
	switch {
	case fault.Hang:
		select {
		case <-r.Context().Done():
		case <-s.stop:
		}
	case fault.Drop:
		panic(http.ErrAbortHandler)
	case fault.Status != 0:
		fault.answer(w)
	default:
		for k, v := range recorded.Header() {
			w.Header()[k] = v
		}
		data := recorded.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.WriteHeader(recorded.Code)
		if fault.Truncate > 0 && fault.Truncate < len(data) {
			_, _ = w.Write(data[:fault.Truncate])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(data)
	}
}

// answer answers a request truly.
func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, service Service, body []byte, handle func(*request) *response) {
	s.lock()
	q := &request{Request: r, sim: s, service: service, body: body, path: splitPath(r.URL.Path)}
	out := handle(q)
	now := s.now
	id := s.requestID()
	s.mu.Unlock()
	for k, v := range out.header {
		w.Header()[k] = v
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("X-Openstack-Request-Id", id)
	w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	w.WriteHeader(out.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.body)
	}
}

func splitPath(path string) []string {
	trimmed := strings.Trim(path, "/")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, "/")
}

// unlocked lets f run without the lock.
func (s *Simulator) unlocked(f func()) {
	s.mu.Unlock()
	defer s.lock()
	f()
}

func jsonResponse(status int, v any) *response {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return &response{status: http.StatusInternalServerError, body: []byte(err.Error())}
	}
	return &response{status, http.Header{"Content-Type": {"application/json"}}, bytes.TrimSpace(b.Bytes())}
}

// htmlResponse is what webob makes of a status without a body of its own.
func htmlResponse(status int, title, sentence string) *response {
	body := "<html>\n <head>\n  <title>" + title + "</title>\n </head>\n <body>\n  <h1>" + title + "</h1>\n  " + sentence + "\n\n\n </body>\n</html>"
	return &response{status, http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, []byte(body)}
}

// acceptedResponse is webob's answer to an accepted request, in one of three forms.
func acceptedResponse(accept string) *response {
	const title = "202 Accepted"
	const sentence = "The request is accepted for processing.<br /><br />\n"
	switch {
	case strings.Contains(accept, "html"), strings.Contains(accept, "*/*"):
		return htmlResponse(http.StatusAccepted, title, sentence)
	case strings.Contains(accept, "application/json"):
		return jsonResponse(http.StatusAccepted, map[string]any{"code": title, "title": "Accepted", "message": sentence + "\n\n"})
	}
	return &response{http.StatusAccepted, http.Header{"Content-Type": {"text/plain; charset=UTF-8"}},
		[]byte(title + "\n\nThe request is accepted for processing.\n\n\n")}
}

// authenticate finds the request's token; a response means that there is no valid one.
func (q *request) authenticate() *response {
	t := q.sim.tokens[q.Header.Get("X-Auth-Token")]
	if t != nil && t.expires.After(q.sim.now) && t.project != nil && q.mayPass(t) {
		q.token = t
		return nil
	}
	header := http.Header{"Www-Authenticate": {`Keystone uri="` + q.sim.keystoneHost() + `"`}}
	if q.service == Glance {
		r := htmlResponse(http.StatusUnauthorized, "401 Unauthorized", "This server could not verify that you are authorized to access the document you requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.<br /><br />\n")
		r.header.Set("Www-Authenticate", header.Get("Www-Authenticate"))
		return r
	}
	r := jsonResponse(http.StatusUnauthorized, map[string]any{"error": map[string]any{"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}})
	r.header.Set("Www-Authenticate", header.Get("Www-Authenticate"))
	return r
}

// isoZ is a time as Heat and Nova write it; null if it is zero.
func isoZ(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
