package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// littleKubernetes is as much of an API server as the program needs to run: empty lists but for what is put in, watches in
// which nothing happens, and a memory for what is written.
type littleKubernetes struct {
	*httptest.Server

	mu sync.Mutex
	// lists are the items of a list by the resource's name.
	lists map[string][]any
	// objects are what was written, by path.
	objects map[string]map[string]any
	// writes are the methods and paths of all writes, dry ones with ?dryRun.
	writes []string
	// requests are the methods and paths of all requests.
	requests []string
}

func newKubernetes(t *testing.T) *littleKubernetes {
	k := &littleKubernetes{lists: map[string][]any{}, objects: map[string]map[string]any{}}
	k.Server = httptest.NewServer(k)
	t.Cleanup(func() {
		k.CloseClientConnections()
		k.Close()
	})
	return k
}

// ServeHTTP answers like an API server.
func (k *littleKubernetes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	path := strings.Trim(r.URL.Path, "/")
	k.mu.Lock()
	k.requests = append(k.requests, r.Method+" "+r.URL.Path)
	k.mu.Unlock()
	switch {
	case r.URL.Query().Get("watch") != "":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case r.Method == http.MethodGet:
		k.get(w, path)
	default:
		k.write(w, r, path)
	}
}

func (k *littleKubernetes) get(w http.ResponseWriter, path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	parts := strings.Split(path, "/")
	if object, ok := k.objects[path]; ok {
		answer(w, http.StatusOK, object)
		return
	}
	// A path of a name has the resource before it: namespaces/NS/leases/NAME; without it, a list is asked for.
	if len(parts) >= 4 && parts[len(parts)-4] == "namespaces" {
		answer(w, http.StatusNotFound, status("NotFound", http.StatusNotFound))
		return
	}
	items := k.lists[parts[len(parts)-1]]
	if items == nil {
		items = []any{}
	}
	answer(w, http.StatusOK, map[string]any{"metadata": map[string]any{"resourceVersion": "1"}, "items": items})
}

func (k *littleKubernetes) write(w http.ResponseWriter, r *http.Request, path string) {
	body, _ := io.ReadAll(r.Body)
	var object map[string]any
	_ = json.Unmarshal(body, &object)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes = append(k.writes, r.Method+" "+r.URL.RequestURI())
	if r.Method == http.MethodPost {
		if metadata, ok := object["metadata"].(map[string]any); ok {
			path += "/" + textOf(metadata["name"])
		}
	}
	if r.Method == http.MethodDelete {
		delete(k.objects, path)
		answer(w, http.StatusOK, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
		return
	}
	k.objects[path] = object
	answer(w, http.StatusOK, object)
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// object returns what was written to path.
func (k *littleKubernetes) object(path string) map[string]any {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.objects[path]
}

// put stores an object at path.
func (k *littleKubernetes) put(path string, object map[string]any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.objects[path] = object
}

// under returns the objects whose paths begin so.
func (k *littleKubernetes) under(path string) []map[string]any {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []map[string]any
	for at, object := range k.objects {
		if strings.HasPrefix(at, path) {
			found = append(found, object)
		}
	}
	return found
}

// written returns all writes whose method and path contain part.
func (k *littleKubernetes) written(part string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []string
	for _, w := range k.writes {
		if strings.Contains(w, part) {
			found = append(found, w)
		}
	}
	return found
}

func status(reason string, code int) map[string]any {
	return map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// asked returns the methods and paths of all requests so far.
func (k *littleKubernetes) asked() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.requests)
}
