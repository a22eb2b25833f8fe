package heatstack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKindsOfErrors(t *testing.T) {
	type kinds struct{ notFound, conflict, refused, rateLimited, unknown bool }
	tests := map[string]struct {
		err  error
		want kinds
	}{
		"none":          {nil, kinds{}},
		"400":           {answered(http.StatusBadRequest), kinds{refused: true}},
		"401":           {answered(http.StatusUnauthorized), kinds{refused: true}},
		"404, wrapped":  {fmt.Errorf("reading: %w", answered(http.StatusNotFound)), kinds{notFound: true, refused: true}},
		"409":           {answered(http.StatusConflict), kinds{conflict: true}},
		"429":           {answered(http.StatusTooManyRequests), kinds{rateLimited: true}},
		"500":           {answered(http.StatusInternalServerError), kinds{unknown: true}},
		"504":           {answered(http.StatusGatewayTimeout), kinds{unknown: true}},
		"no connection": {errors.New("connection reset"), kinds{unknown: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, kinds{
				isNotFound(test.err), isConflict(test.err), isRefused(test.err), isRateLimited(test.err), isUnknownOutcome(test.err),
			})
		})
	}
}

func TestWrapAnswer(t *testing.T) {
	assert.NoError(t, wrapAnswer(nil))
	for _, err := range []error{
		io.EOF, io.ErrUnexpectedEOF, json.Unmarshal([]byte("<html>"), new(any)), json.Unmarshal([]byte(`"a"`), new(int)),
	} {
		wrapped := wrapAnswer(err)
		assert.ErrorIs(t, wrapped, errBadAnswer)
		assert.ErrorIs(t, wrapped, err)
	}
	for _, other := range []error{answered(http.StatusBadGateway), &url.Error{Op: "Get", URL: "http://heat", Err: io.EOF}} {
		assert.Equal(t, other, wrapAnswer(other))
	}
}
