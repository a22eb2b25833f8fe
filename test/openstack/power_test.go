package simulator

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// act orders an action of a server, and returns the code and the body.
func (c *cloud) act(token, id, action string) (int, string) {
	c.t.Helper()
	r, data := c.call(http.MethodPost, c.URL()+"/compute/v2.1/servers/"+id+"/action", token, `{"`+action+`": null}`)
	return r.StatusCode, string(data)
}

// actions are what was done with a server and by whom, newest first.
func (c *cloud) actions(token, id string) []string {
	c.t.Helper()
	r, data := c.call(http.MethodGet, c.URL()+"/compute/v2.1/servers/"+id+"/os-instance-actions", token, "", "X-OpenStack-Nova-API-Version", "2.93")
	require.Equal(c.t, http.StatusOK, r.StatusCode, string(data))
	var body struct {
		Actions []struct {
			Action string  `json:"action"`
			User   *string `json:"user_id"`
		} `json:"instanceActions"`
	}
	require.NoError(c.t, json.Unmarshal(data, &body))
	var out []string
	for _, a := range body.Actions {
		by := "nobody"
		if a.User != nil {
			by = "somebody"
		}
		out = append(out, a.Action+" by "+by)
	}
	return out
}

func TestStopAndStart(t *testing.T) {
	c := served(t)
	c.flat("g", 1)
	token, _ := c.login()
	id := c.Servers()[0].ID
	code, body := c.act(token, id, "os-start")
	assert.Equal(t, http.StatusConflict, code)
	assert.Contains(t, body, `"conflictingRequest"`)
	assert.Contains(t, body, "while it is in vm_state active")

	code, body = c.act(token, id, "os-stop")
	assert.Equal(t, http.StatusAccepted, code)
	assert.Empty(t, body)
	assert.Equal(t, "ACTIVE", c.Servers()[0].Status)
	code, body = c.act(token, id, "os-stop")
	assert.Equal(t, http.StatusConflict, code)
	assert.Contains(t, body, "while it is in task_state powering-off")
	c.settle()
	assert.Equal(t, "SHUTOFF", c.Servers()[0].Status)
	assert.Equal(t, []string{"stop by somebody", "create by somebody"}, c.actions(token, id))

	code, _ = c.act(token, id, "os-start")
	assert.Equal(t, http.StatusAccepted, code)
	c.settle()
	assert.Equal(t, "ACTIVE", c.Servers()[0].Status)
	c.PowerOff(id)
	assert.Equal(t, "SHUTOFF", c.Servers()[0].Status)
	assert.Equal(t, "stop by nobody", c.actions(token, id)[0])
	c.PowerOff(id) // it is off already
	assert.Len(t, c.actions(token, id), 4)
	code, _ = c.act(token, id, "reboot")
	assert.Equal(t, http.StatusBadRequest, code, "not simulated")

	c.DeleteServer(id)
	c.settle()
	code, _ = c.act(token, id, "os-start")
	assert.Equal(t, http.StatusNotFound, code)
	assert.NotEmpty(t, c.actions(token, id), "a deleted server keeps its record")
}

// A server that is deleted while it shuts down is gone, and does not come back as SHUTOFF.
func TestDeletionDuringAStop(t *testing.T) {
	c := served(t)
	c.flat("g", 1)
	token, _ := c.login()
	id := c.Servers()[0].ID
	code, _ := c.act(token, id, "os-stop")
	require.Equal(t, http.StatusAccepted, code)
	c.DeleteServer(id)
	c.settle()
	gone, _ := c.Server(id)
	assert.Equal(t, "DELETED", gone.Status)
}
