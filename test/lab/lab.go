// Package lab is the door to the real OpenStack that the scripts in this folder bring up, for tests written in Go.
package lab

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// Lab is a running lab. It is a target of the conformance suite.
type Lab struct {
	folder  string
	authURL string
	user    api.Credentials
	admin   api.Credentials
	compute chan struct{} // holds one token: who has it may pause nova-compute
	paused  chan struct{} // holds one token while nova-compute is paused
	made    sync.Map      // ids of the projects that NewProject made, by name
}

// Open reads the credentials of the lab whose state is in folder (LAB_DIR of test/lab).
func Open(folder string) (*Lab, error) {
	text, err := os.ReadFile(filepath.Join(folder, "clouds.yaml")) //nolint:gosec // the path is the caller's own
	if err != nil {
		return nil, fmt.Errorf("no lab there, run test/lab/up: %w", err)
	}
	var file struct {
		Clouds map[string]struct {
			Auth struct {
				AuthURL  string `json:"auth_url"`
				Username string `json:"username"`
				Password string `json:"password"`
				Project  string `json:"project_name"`
			} `json:"auth"`
		} `json:"clouds"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("clouds.yaml: %w", err)
	}
	plain, admin := file.Clouds["lab"].Auth, file.Clouds["lab-admin"].Auth
	return &Lab{
		folder: folder, authURL: plain.AuthURL,
		user:    api.Credentials{User: plain.Username, Password: plain.Password, Project: plain.Project},
		admin:   api.Credentials{User: admin.Username, Password: admin.Password, Project: admin.Project},
		compute: make(chan struct{}, 1), paused: make(chan struct{}, 1),
	}, nil
}

// Name is how the lab is called in verdicts.
func (l *Lab) Name() string { return "lab" }

// AuthURL is Keystone's address, ending in /v3.
func (l *Lab) AuthURL() string { return l.authURL }

// User signs in the plain user in project demo.
func (l *Lab) User() api.Credentials { return l.user }

// Admin signs in the administrator.
func (l *Lab) Admin() api.Credentials { return l.admin }

// Pace is the pause between two looks at something that is expected to change. Looking costs the lab more than waiting.
func (l *Lab) Pace() time.Duration { return time.Second }

// Patience is how long an update may take. It takes about ten seconds on an idle machine.
func (l *Lab) Patience() time.Duration { return 4 * time.Minute }

// Until looks once a second whether it is done, for as long as patience, and says whether it is.
func Until(ctx context.Context, patience time.Duration, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// Retrying is how long Heat may take to give up a server without a host. It takes a minute and a half on an idle machine.
func (l *Lab) Retrying() time.Duration { return 8 * time.Minute }

// asAdmin signs in as the administrator.
func (l *Lab) asAdmin(ctx context.Context) (*api.Client, error) {
	return api.Login(ctx, l.authURL, l.admin)
}

// ask sends a request and requires one of these codes.
func ask(ctx context.Context, c *api.Client, method, service, path string, body, into any, codes ...int) error {
	answer, err := c.Do(ctx, method, service, path, body)
	if err != nil {
		return err
	}
	for _, code := range codes {
		if answer.Code != code {
			continue
		}
		if into == nil {
			return nil
		}
		return answer.JSON(into)
	}
	return fmt.Errorf("%s %s: %d: %.300s", method, path, answer.Code, answer.Body)
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// NewProject makes a project in which the plain user may do what it may do in demo, and signs it in there.
func (l *Lab) NewProject(ctx context.Context, name string) (api.Credentials, error) {
	admin, err := l.asAdmin(ctx)
	if err != nil {
		return api.Credentials{}, err
	}
	var made struct {
		Project named `json:"project"`
	}
	body := map[string]any{"project": map[string]any{"name": name, "domain_id": "default"}}
	if err := ask(ctx, admin, http.MethodPost, api.Identity, "/projects", body, &made, http.StatusCreated); err != nil {
		return api.Credentials{}, err
	}
	l.made.Store(name, made.Project.ID)
	// Not by the list of users: one in hundreds of Keystone's answers has none in it, on a busy machine.
	user, err := api.Login(ctx, l.authURL, l.user)
	if err != nil {
		return api.Credentials{}, err
	}
	var roles struct {
		Roles []named `json:"roles"`
	}
	if err := ask(ctx, admin, http.MethodGet, api.Identity, "/roles", nil, &roles, http.StatusOK); err != nil {
		return api.Credentials{}, err
	}
	granted := 0
	for _, role := range roles.Roles {
		if role.Name != "member" && role.Name != "reader" && role.Name != "heat_stack_owner" {
			continue
		}
		path := "/projects/" + made.Project.ID + "/users/" + user.UserID + "/roles/" + role.ID
		if err := ask(ctx, admin, http.MethodPut, api.Identity, path, nil, nil, http.StatusNoContent); err != nil {
			return api.Credentials{}, err
		}
		granted++
	}
	if granted == 0 {
		return api.Credentials{}, fmt.Errorf("project %q: Keystone lists none of the roles of the plain user", name)
	}
	who := l.user
	who.Project = name
	return who, nil
}

// RemoveProject removes a project that NewProject made. One that is gone is no error.
func (l *Lab) RemoveProject(ctx context.Context, name string) error {
	id, isThere := l.made.Load(name)
	if !isThere {
		return nil
	}
	admin, err := l.asAdmin(ctx)
	if err != nil {
		return err
	}
	if err := ask(ctx, admin, http.MethodDelete, api.Identity, "/projects/"+id.(string), nil, nil, http.StatusNoContent, http.StatusNotFound); err != nil {
		return err
	}
	l.made.Delete(name)
	return nil
}

// SetInstanceQuota limits the number of servers of a project.
func (l *Lab) SetInstanceQuota(ctx context.Context, project string, instances int) error {
	id, isThere := l.made.Load(project)
	if !isThere {
		return fmt.Errorf("project %q was not made here", project)
	}
	admin, err := l.asAdmin(ctx)
	if err != nil {
		return err
	}
	body := map[string]any{"quota_set": map[string]any{"instances": instances}}
	return ask(ctx, admin, http.MethodPut, api.Compute, "/os-quota-sets/"+id.(string), body, nil, http.StatusOK)
}

// PauseCompute stops nova-compute as a process: servers stay in BUILD. It waits until nobody else has it stopped.
func (l *Lab) PauseCompute(ctx context.Context) error {
	select {
	case l.compute <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("another case has nova-compute paused: %w", ctx.Err())
	}
	if err := l.signalCompute(syscall.SIGSTOP); err != nil {
		<-l.compute
		return err
	}
	l.paused <- struct{}{}
	return nil
}

// ResumeCompute lets nova-compute go on; calling it without need does nothing.
func (l *Lab) ResumeCompute(context.Context) error {
	select {
	case <-l.paused:
	default:
		return nil
	}
	defer func() { <-l.compute }()
	return l.signalCompute(syscall.SIGCONT)
}

func (l *Lab) signalCompute(signal syscall.Signal) error {
	text, err := os.ReadFile(filepath.Join(l.folder, "run", "nova-compute.pid"))
	if err != nil {
		return fmt.Errorf("nova-compute does not run: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return fmt.Errorf("nova-compute.pid is empty")
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		return fmt.Errorf("nova-compute.pid: %w", err)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("nova-compute: %w", err)
	}
	return nil
}
