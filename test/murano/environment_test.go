//go:build lab

package murano_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// environment is a Murano environment with one application.
type environment struct {
	*murano
	id string
	// session is the first one, in which the application was added; empty after the first deployment.
	session string
}

// application is an object of Murano's object model.
type application map[string]any

// parameters are the application's parameters that everybody may see.
func (a application) parameters() map[string]any { return a.part("templateParameters") }

// hidden are those that nobody may.
func (a application) hidden() map[string]any { return a.part("hiddenParameters") }

func (a application) part(name string) map[string]any {
	part, ok := a[name].(map[string]any)
	if !ok {
		part = map[string]any{}
		a[name] = part
	}
	return part
}

// newApplication is an application of a class, not deployed yet. Without hidden parameters it has none of that property either.
func newApplication(class, name string, parameters, hidden map[string]any) application {
	app := application{
		"?": map[string]any{
			"type": class, "package": class, "classVersion": "1.0.0", "id": fmt.Sprintf("%032x", time.Now().UnixNano()),
		},
		"name": name, "templateParameters": maps.Clone(parameters),
	}
	if hidden != nil {
		app["hiddenParameters"] = maps.Clone(hidden)
	}
	return app
}

// newEnvironment makes an environment with an application in it, not deployed yet.
func (m *murano) newEnvironment(name string, app application) *environment {
	m.t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	m.ask(http.MethodPost, "/environments", "", map[string]any{"name": name}, &made)
	e := &environment{murano: m, id: made.ID}
	e.session = e.configure()
	m.ask(http.MethodPost, "/environments/"+e.id+"/services", e.session, app, nil)
	return e
}

// configure opens a session for changes, which the next deploy ends.
func (e *environment) configure() (session string) {
	e.t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	e.ask(http.MethodPost, "/environments/"+e.id+"/configure", "", nil, &made)
	return made.ID
}

// deploy deploys the environment, after a change unless that is nil, and returns the status that it has in the end.
func (e *environment) deploy(change func(application)) (status string) {
	e.t.Helper()
	session := e.session
	if e.session = ""; session == "" {
		session = e.configure()
	}
	if change != nil {
		apps := e.applications()
		require.Len(e.t, apps, 1)
		change(apps[0])
		e.ask(http.MethodPut, "/environments/"+e.id+"/services", session, apps, nil)
	}
	e.ask(http.MethodPost, "/environments/"+e.id+"/sessions/"+session+"/deploy", "", nil, nil)
	e.wait("the deployment to end", func() bool {
		var state struct {
			Status string `json:"status"`
		}
		e.ask(http.MethodGet, "/environments/"+e.id, "", nil, &state)
		status = state.Status
		return status != "deploying" && status != "pending"
	})
	return status
}

// applications are the environment's applications as they were deployed last.
func (e *environment) applications() (apps []application) {
	e.t.Helper()
	e.ask(http.MethodGet, "/environments/"+e.id+"/services", "", nil, &apps)
	return apps
}

// reasons are what the deployments said when they failed, for messages.
func (e *environment) reasons() string {
	e.t.Helper()
	var answer struct {
		Deployments []struct {
			Result struct {
				Result struct {
					Message string `json:"message"`
				} `json:"result"`
			} `json:"result"`
		} `json:"deployments"`
	}
	e.ask(http.MethodGet, "/environments/"+e.id+"/deployments", "", nil, &answer)
	var messages []string
	for _, deployment := range answer.Deployments {
		if message := deployment.Result.Result.Message; message != "" {
			messages = append(messages, message)
		}
	}
	return strings.Join(messages, "; ")
}

// delete deletes the environment and waits until it is gone.
func (e *environment) delete() {
	e.t.Helper()
	e.ask(http.MethodDelete, "/environments/"+e.id, "", nil, nil)
	e.wait("the environment to go", func() bool {
		var all struct {
			Environments []struct {
				ID string `json:"id"`
			} `json:"environments"`
		}
		e.ask(http.MethodGet, "/environments", "", nil, &all)
		for _, other := range all.Environments {
			if other.ID == e.id {
				return false
			}
		}
		return true
	})
}
