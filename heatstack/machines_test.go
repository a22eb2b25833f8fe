package heatstack

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestAServerByItself(t *testing.T) {
	f := newServiceFake(t)
	f.answers["GET /servers/29a6"] = `{"server": ` + serverJSON + `}`
	got, err := NewMachines(f).Server(t.Context(), "29a6")
	require.NoError(t, err)
	assert.Equal(t, nodegroups.Server{ID: "29a6", Status: "ERROR", TaskState: "deleting", Fault: "No valid host was found. "}, got)
	f.answers["GET /servers/1"] = `{"server": ` + serverJSON + `}`
	_, err = NewMachines(f).Server(t.Context(), "1")
	assert.ErrorIs(t, err, errBadAnswer, "an answer about another server")
}

func TestOnlyNovasOwnAnswerSaysThatAServerIsGone(t *testing.T) {
	for name, tc := range map[string]struct {
		code int
		body string
		gone bool
	}{
		"Nova":               {http.StatusNotFound, `{"itemNotFound": {"code": 404, "message": "Instance 1 could not be found."}}`, true},
		"a proxy":            {http.StatusNotFound, "<html>404 page not found</html>", false},
		"a wrong path":       {http.StatusNotFound, `{"error": {"code": 404, "title": "Not Found"}}`, false},
		"nothing":            {http.StatusNotFound, "", false},
		"gone":               {http.StatusGone, `{"itemNotFound": {}}`, false},
		"unauthorized":       {http.StatusUnauthorized, `{"error": {"code": 401}}`, false},
		"forbidden":          {http.StatusForbidden, `{"forbidden": {"code": 403}}`, false},
		"unavailable":        {http.StatusServiceUnavailable, `{"itemNotFound": {}}`, false},
		"no server in it":    {http.StatusOK, `{}`, false},
		"not even an answer": {http.StatusOK, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newServiceFake(t)
			f.answers["GET /servers/1"] = tc.body
			f.codes["GET /servers/1"] = tc.code
			_, err := NewMachines(f).Server(t.Context(), "1")
			require.Error(t, err)
			assert.Equal(t, tc.gone, errors.Is(err, nodegroups.ErrNoServer), "%v", err)
		})
	}
}

func TestWhoStoppedAServer(t *testing.T) {
	for name, tc := range map[string]struct {
		actions string
		by      string
		wrong   bool
	}{
		"an operator":                 {actions: `[{"action": "stop", "user_id": "u1"}, {"action": "create", "user_id": "heat"}]`, by: "u1"},
		"nobody":                      {actions: `[{"action": "stop", "user_id": null}, {"action": "create", "user_id": "heat"}]`},
		"nobody since it was started": {actions: `[{"action": "start", "user_id": "u1"}, {"action": "stop", "user_id": "u1"}]`},
		"an operator, then more":      {actions: `[{"action": "createImage", "user_id": "u2"}, {"action": "stop", "user_id": "u1"}]`, by: "u1"},
		"never":                       {actions: `[{"action": "create", "user_id": "heat"}]`},
		"an archived record":          {actions: `[]`, wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newServiceFake(t)
			f.answers["GET /servers/1/os-instance-actions"] = `{"instanceActions": ` + tc.actions + `}`
			by, err := NewMachines(f).LastStop(t.Context(), "1")
			assert.Equal(t, tc.by, by)
			assert.Equal(t, tc.wrong, err != nil, "%v", err)
		})
	}
	f := newServiceFake(t)
	f.answers["GET /servers/1/os-instance-actions"] = `{}`
	_, err := NewMachines(f).LastStop(t.Context(), "1")
	require.ErrorIs(t, err, errBadAnswer)
	f.codes["GET /servers/1/os-instance-actions"] = http.StatusForbidden
	_, err = NewMachines(f).LastStop(t.Context(), "1")
	require.Error(t, err)
}

func TestStopAServer(t *testing.T) {
	f := newServiceFake(t)
	f.codes["POST /servers/1/action"] = http.StatusAccepted
	f.answers["POST /servers/1/action"] = ""
	require.NoError(t, NewMachines(f).Stop(t.Context(), "1"))
	f.codes["POST /servers/1/action"] = http.StatusConflict
	assert.True(t, isConflict(NewMachines(f).Stop(t.Context(), "1")))
	f.noClient = errBadAnswer
	assert.ErrorIs(t, NewMachines(f).Stop(t.Context(), "1"), errBadAnswer)
}
