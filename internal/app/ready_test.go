package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadiness(t *testing.T) {
	r := newReadiness()
	requireReady := func(code int, text string) {
		t.Helper()
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		require.Equal(t, code, w.Code)
		require.Contains(t, w.Body.String(), text)
	}
	requireReady(http.StatusServiceUnavailable, "who leads")
	r.standBy("host_1")
	requireReady(http.StatusOK, "stands by for host_1")
	r.begin()
	requireReady(http.StatusServiceUnavailable, "signs in")
	r.standBy("host_1")
	requireReady(http.StatusServiceUnavailable, "signs in") // it is told late who led before
	r.works()
	requireReady(http.StatusOK, "works")
}
